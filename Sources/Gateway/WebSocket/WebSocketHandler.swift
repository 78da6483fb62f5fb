import NIOCore
import NIOWebSocket

/// One WebSocket on its event loop: text messages in and out, heartbeat, bounded queues, closing handshake.
///
/// What waits for a slow reader sits in the channel; here it is only counted, until its write has been done.
final class WebSocketHandler: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame

  private enum State {
    case open
    /// Our close frame is on its way; nothing else is sent or taken.
    case closing
    case closed
  }

  private var state = State.open
  private var context: ChannelHandlerContext?
  private var pendingMessages = 0
  private var pendingBytes = 0
  private var lastHeard = NIODeadline.now()
  private var heartbeat: Scheduled<Void>?
  private var silenceLimit: Scheduled<Void>?
  private let limits: GatewayLimits
  private let messages: AsyncStream<String>.Continuation
  private let onClose: @Sendable (WebSocketCloseReason) -> Void

  init(
    limits: GatewayLimits, messages: AsyncStream<String>.Continuation,
    onClose: @escaping @Sendable (WebSocketCloseReason) -> Void
  ) {
    self.limits = limits
    self.messages = messages
    self.onClose = onClose
  }

  // MARK: - Outbound

  /// Sends one message, or closes when the reader is too slow.
  func send(_ text: String, taken: (@Sendable (Bool) -> Void)? = nil) {
    guard case .open = state else {
      taken?(false)
      return
    }
    let isFull = pendingMessages >= limits.maximumPendingMessages || pendingBytes >= limits.maximumPendingBytes
    guard !isFull else {
      close(.slowConsumer)
      taken?(false)
      return
    }
    write(.text, ByteBuffer(string: text), taken: taken)
  }

  /// Sends a close frame and ends the connection when the client has answered or ``GatewayLimits/closeTimeout`` is over.
  ///
  /// - Parameter timeout: Another time than that.
  func close(_ reason: WebSocketCloseReason, within timeout: Duration? = nil) {
    guard case .open = state, let context else { return }
    onClose(reason)
    var payload = ByteBuffer()
    payload.writeInteger(reason.code)
    payload.writeString(reason.text)
    write(.connectionClose, payload)
    state = .closing
    messages.finish()
    heartbeat?.cancel()
    let channel = context.channel
    context.eventLoop.scheduleTask(in: TimeAmount(timeout ?? limits.closeTimeout)) { channel.close(promise: nil) }
  }

  /// Closes with `reason` unless a message has come by then.
  func limitSilence(to duration: Duration, _ reason: WebSocketCloseReason) {
    guard case .open = state, let context else { return }
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    silenceLimit = context.eventLoop.scheduleTask(in: TimeAmount(duration)) { bound.value.close(reason) }
  }

  private func write(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, taken: (@Sendable (Bool) -> Void)? = nil) {
    guard let context else {
      taken?(false)
      return
    }
    let size = payload.readableBytes
    pendingMessages += 1
    pendingBytes += size
    let written = context.eventLoop.makePromise(of: Void.self)
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    written.futureResult.whenComplete { result in
      bound.value.pendingMessages -= 1
      bound.value.pendingBytes -= size
      if let taken { taken((try? result.get()) != nil) }
    }
    context.writeAndFlush(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: payload)), promise: written)
  }

  // MARK: - Inbound

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    lastHeard = .now()
    switch (state, frame.opcode) {
    case (.open, .text): receive(frame.unmaskedData)
    case (.open, .binary), (.open, .continuation): close(.notText)
    case (.open, .ping): answerPing(frame.unmaskedData)
    case (.open, .connectionClose):
      close(.normal)
      context.close(promise: nil)
    case (.closing, .connectionClose): context.close(promise: nil)
    case (.open, .pong), (.closing, _), (.closed, _): break
    case (.open, _): close(.protocolError)
    }
  }

  private func receive(_ payload: ByteBuffer) {
    silenceLimit?.cancel()
    var payload = payload
    guard let text = try? payload.readUTF8ValidatedString(length: payload.readableBytes) else {
      close(.notUTF8)
      return
    }
    if case .dropped = messages.yield(text) { close(.tooManyMessages) }
  }

  /// A client that pings without reading is a slow reader too: its pongs are dropped (RFC 6455 §5.5.3 needs only the last).
  private func answerPing(_ payload: ByteBuffer) {
    guard pendingMessages < limits.maximumPendingMessages else { return }
    write(.pong, payload)
  }

  /// The decoder is of no use after an error: the client's own close frame will not be seen, so it is not waited for long.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case NIOWebSocketError.invalidFrameLength, NIOWebSocketFrameAggregator.Error.accumulatedFrameSizeIsTooLarge,
      NIOWebSocketFrameAggregator.Error.tooManyFragments:
      close(.tooLarge, within: limits.brokenCloseTimeout)
    default: close(.protocolError, within: limits.brokenCloseTimeout)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ChannelShouldQuiesceEvent: close(.goingAway)
    case ChannelEvent.inputClosed: context.close(promise: nil)
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  // MARK: - Life

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    lastHeard = .now()
    scheduleHeartbeat(context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end()
    self.context = nil
  }

  private func end() {
    state = .closed
    heartbeat?.cancel()
    silenceLimit?.cancel()
    messages.finish()
  }

  private func scheduleHeartbeat(_ context: ChannelHandlerContext) {
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    heartbeat = context.eventLoop.scheduleTask(in: TimeAmount(limits.heartbeatInterval)) { bound.value.beat() }
  }

  private func beat() {
    guard case .open = state, let context else { return }
    if NIODeadline.now() - lastHeard > TimeAmount(limits.heartbeatTimeout) {
      context.close(promise: nil)
      return
    }
    write(.ping, ByteBuffer())
    scheduleHeartbeat(context)
  }
}
