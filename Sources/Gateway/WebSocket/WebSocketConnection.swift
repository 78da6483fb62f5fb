import NIOCore

/// A WebSocket as its session uses it: messages to read one after the other, and to send from anywhere.
final class WebSocketConnection: Sendable {
  /// The client's text messages in order; ends with the connection.
  let messages: AsyncStream<String>
  private let eventLoop: any EventLoop
  private let handler: NIOLoopBound<WebSocketHandler>

  /// Takes over the channel of an upgraded request; on its event loop.
  init(channel: any Channel, limits: GatewayLimits, onClose: @escaping @Sendable (WebSocketCloseReason) -> Void) throws
  {
    let (messages, continuation) = AsyncStream.makeStream(
      of: String.self, bufferingPolicy: .bufferingOldest(limits.maximumQueuedMessages))
    let handler = WebSocketHandler(limits: limits, messages: continuation, onClose: onClose)
    try channel.pipeline.syncOperations.addHandler(handler)
    self.messages = messages
    eventLoop = channel.eventLoop
    self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
  }

  func send(_ message: ServerMessage, inReplyTo id: String? = nil) {
    let text = message.text(inReplyTo: id)
    eventLoop.execute { self.handler.value.send(text) }
  }

  /// Sends a text that is composed already; `taken` is told whether it was written to the network.
  func send(_ text: String, taken: @escaping @Sendable (Bool) -> Void) {
    eventLoop.execute { self.handler.value.send(text, taken: taken) }
  }

  /// Closes with `reason` unless a message has come by then.
  func limitSilence(to duration: Duration, _ reason: WebSocketCloseReason) {
    eventLoop.execute { self.handler.value.limitSilence(to: duration, reason) }
  }

  func close(_ reason: WebSocketCloseReason) {
    eventLoop.execute { self.handler.value.close(reason) }
  }
}
