import NIOCore
import NIOPosix
import NIOSSL

/// A TCP or TLS connection that sends and reads bytes as told, so that tests can say anything to the server.
final class RawConnection {
  let channel: any Channel
  private var iterator: AsyncStream<ByteBuffer>.Iterator
  private(set) var buffer = ByteBuffer()

  private init(channel: any Channel, stream: AsyncStream<ByteBuffer>) {
    self.channel = channel
    iterator = stream.makeAsyncIterator()
  }

  /// - Parameter trustRoot: A certificate in a PEM file; given, the connection is TLS.
  static func open(port: Int, trustRoot: String? = nil, autoRead: Bool = true) async throws -> RawConnection {
    let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
    let context = try trustRoot.map { path in
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.trustRoots = .file(path)
      return try NIOSSLContext(configuration: configuration)
    }
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.autoRead, value: autoRead)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let context {
            let handler = try NIOSSLClientHandler(context: context, serverHostname: "localhost")
            try channel.pipeline.syncOperations.addHandler(handler)
          }
          try channel.pipeline.syncOperations.addHandler(Collector(continuation))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    return RawConnection(channel: channel, stream: stream)
  }

  func send(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text))
  }

  func send(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
  }

  /// Waits for more bytes; false at the end of the stream.
  func readMore() async -> Bool {
    guard var more = await iterator.next() else { return false }
    buffer.writeBuffer(&more)
    return true
  }

  /// Nil at the end of the stream.
  func read(_ count: Int) async -> [UInt8]? {
    while buffer.readableBytes < count {
      guard await readMore() else { return nil }
    }
    return buffer.readBytes(length: count)
  }

  /// Everything up to the empty line, without it; nil at the end of the stream.
  func readHead() async -> String? {
    while true {
      let view = buffer.readableBytesView
      let end = Array("\r\n\r\n".utf8)
      if let range = view.firstRange(of: end) {
        let length = range.lowerBound - view.startIndex
        let text = buffer.readString(length: length)
        buffer.moveReaderIndex(forwardBy: end.count)
        return text
      }
      guard await readMore() else { return nil }
    }
  }

  func close() async {
    try? await channel.close()
  }

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let continuation: AsyncStream<ByteBuffer>.Continuation

    init(_ continuation: AsyncStream<ByteBuffer>.Continuation) {
      self.continuation = continuation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      continuation.yield(unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) {
      continuation.finish()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }
  }
}
