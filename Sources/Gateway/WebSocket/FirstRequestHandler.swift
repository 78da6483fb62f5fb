import NIOCore
import NIOHTTP1

/// Stands between the HTTP decoder and NIO's upgrade handler and lets only those upgrades through that we serve.
///
/// NIO's typed upgrade handler decides on a connection's first request and forgets a request whose upgrade it does not
/// take; and the parser stops after any request that asks for one. So an upgrade that is not ours loses its `Upgrade`
/// and closes the connection after its answer. Until there is a first request, this handler also keeps the clock and
/// minds the server's wish to stop, since the handlers that do so later are not there yet.
final class FirstRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private enum State {
    case waiting(Scheduled<Void>?)
    case decided
  }

  private var state = State.waiting(nil)
  private let timeout: TimeAmount
  private let accepts: @Sendable (HTTPRequestHead) -> Bool

  /// - Parameter accepts: Whether this first request may be upgraded.
  init(timeout: TimeAmount, accepts: @escaping @Sendable (HTTPRequestHead) -> Bool) {
    self.timeout = timeout
    self.accepts = accepts
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    state = .waiting(context.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) })
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    decide()
  }

  func channelInactive(context: ChannelHandlerContext) {
    decide()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data) else {
      context.fireChannelRead(data)
      return
    }
    let isFirst = decide()
    if head.headers.contains(name: "upgrade"), !(isFirst && accepts(head)) {
      head.headers.remove(name: "upgrade")
      head.headers.replaceOrAdd(name: "connection", value: "close")
      context.fireChannelRead(wrapInboundOut(.head(head)))
    } else {
      context.fireChannelRead(data)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent, case .waiting = state {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  /// What does not even begin like HTTP gets its 400 from here.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard error is HTTPParserError, decide() else {
      context.fireErrorCaught(error)
      return
    }
    let head = HTTPResponseHead(
      version: .http1_1, status: .badRequest, headers: ["content-length": "0", "connection": "close"])
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context.close(promise: nil)
  }

  /// Whether this was still open.
  @discardableResult
  private func decide() -> Bool {
    guard case .waiting(let timer) = state else { return false }
    timer?.cancel()
    state = .decided
    return true
  }
}
