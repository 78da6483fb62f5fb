import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket

/// A connection that speaks HTTP/1.1 to the router, or becomes a WebSocket with its first request.
struct GatewayChannel: ServerChildChannel, HTTPChannelHandler {
  typealias HTTPConnection = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  enum Negotiated: Sendable {
    case http(HTTPConnection)
    case webSocket(WebSocketConnection, UpgradeRequest)
  }

  struct Value: ServerChildChannelValue {
    let negotiated: EventLoopFuture<Negotiated>
    let channel: any Channel
  }

  let responder: HTTPChannelHandler.Responder
  let origins: OriginPolicy
  let services: GatewayServices
  /// Serves a WebSocket until it ends.
  let onWebSocket: @Sendable (WebSocketConnection, UpgradeRequest, _ remoteAddress: String, Logger) async -> Void

  /// Largest request head, in bytes of all its fields.
  static let maximumHeaderBytes = 32 << 10
  static let maximumHeaderFields = 100
  /// Frames of one fragmented message (RFC 6455 §5.4).
  static let maximumFragments = 64

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      var configuration = NIOUpgradableHTTPServerPipelineConfiguration(
        upgradeConfiguration: .init(
          upgraders: [upgrader],
          notUpgradingCompletionHandler: { channel in
            channel.eventLoop.makeCompletedFuture { .http(try self.serveHTTP(channel, logger)) }
          }))
      configuration.enablePipelining = false
      configuration.enableErrorHandling = false
      configuration.enableResponseHeaderValidation = false
      configuration.decoderConfiguration = Self.decoderLimits
      let pipeline = channel.pipeline.syncOperations
      let negotiated = try pipeline.configureUpgradableHTTPServerPipeline(configuration: configuration)
      let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
      let first = FirstRequestHandler(
        timeout: TimeAmount(services.limits.firstRequestTimeout), accepts: UpgradeRequest.isOne)
      try pipeline.addHandler(first, position: .after(decoder))
      return Value(negotiated: negotiated, channel: channel)
    }
  }

  func handle(value: Value, logger: Logger) async {
    do {
      switch try await value.negotiated.get() {
      case .http(let connection):
        await handleHTTP(asyncChannel: connection, logger: logger)
      case .webSocket(let connection, let request):
        await onWebSocket(connection, request, value.channel.remoteAddress.limiterKey, logger)
        try await value.channel.closeFuture.get()
      }
    } catch {
      logger.debug("connection ended before its first request", metadata: ["error": "\(type(of: error))"])
      value.channel.close(promise: nil)
    }
  }

  private static var decoderLimits: NIOHTTPDecoderLimitConfiguration {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = maximumHeaderBytes
    limits.maxHeaderListSize = maximumHeaderBytes
    limits.maxHeaderFieldCount = maximumHeaderFields
    return limits
  }

  // MARK: - HTTP

  private func serveHTTP(_ channel: any Channel, _ logger: Logger) throws -> HTTPConnection {
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
    try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: services.limits.idleTimeout, logger: logger))
    return try HTTPConnection(
      wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
  }

  // MARK: - WebSocket

  private var upgrader: NIOTypedWebSocketServerUpgrader<Negotiated> {
    NIOTypedWebSocketServerUpgrader(
      maxFrameSize: services.limits.maximumWebSocketMessageBytes,
      enableAutomaticErrorHandling: false,
      shouldUpgrade: { channel, head in self.decide(channel, UpgradeRequest(head)) },
      upgradePipelineHandler: { channel, head in
        channel.eventLoop.makeCompletedFuture {
          .webSocket(try self.serveWebSocket(channel), UpgradeRequest(head))
        }
      })
  }

  private func decide(_ channel: any Channel, _ request: UpgradeRequest) -> EventLoopFuture<HTTPHeaders?> {
    do throws(Problem) {
      let headers = try request.accept(origins)
      guard services.metrics.openWebSocket(limit: services.limits.maximumWebSockets) else { throw .full }
      channel.closeFuture.whenComplete { _ in services.metrics.closeWebSocket() }
      return channel.eventLoop.makeSucceededFuture(headers)
    } catch {
      return refuse(channel, error)
    }
  }

  /// Answers a refused upgrade itself: the upgrade handler would leave the client without any.
  private func refuse(_ channel: any Channel, _ problem: Problem) -> EventLoopFuture<HTTPHeaders?> {
    services.metrics.noteRequest(status: problem.status.code)
    let body = ByteBuffer(string: problem.document)
    var headers: HTTPHeaders = [
      "content-type": "application/problem+json", "content-length": "\(body.readableBytes)", "connection": "close",
    ]
    for field in problem.headers { headers.replaceOrAdd(name: field.name.rawName, value: field.value) }
    let status = HTTPResponseStatus(statusCode: problem.status.code, reasonPhrase: problem.status.reasonPhrase)
    channel.write(HTTPServerResponsePart.head(.init(version: .http1_1, status: status, headers: headers)), promise: nil)
    channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
    return channel.writeAndFlush(HTTPServerResponsePart.end(nil)).flatMap { channel.close() }.map { nil }
  }

  private func serveWebSocket(_ channel: any Channel) throws -> WebSocketConnection {
    let pipeline = channel.pipeline.syncOperations
    let first = try pipeline.context(handlerType: FirstRequestHandler.self)
    pipeline.removeHandler(context: first, promise: nil)
    try pipeline.addHandler(
      NIOWebSocketFrameAggregator(
        minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: Self.maximumFragments,
        maxAccumulatedFrameSize: services.limits.maximumWebSocketMessageBytes))
    let metrics = services.metrics
    return try WebSocketConnection(
      channel: channel, limits: services.limits, onClose: { metrics.noteClosed($0) })
  }
}
