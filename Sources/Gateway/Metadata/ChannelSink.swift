import ControlRoom
import MediaServer
import Primitives
import Synchronization

/// A data channel as a carrier of the metadata channel: hands messages to the media plane, one call at a time, and waits
/// when the channel's buffer is full.
final class ChannelSink: MetadataSink {
  private struct Message {
    let text: String
    let taken: @Sendable (Bool) -> Void
  }

  private enum Mode {
    case ready
    /// The media plane has been given the first messages of the queue.
    case sending
    /// The channel is full until it says that it is writable.
    case full
    case closed
  }

  private struct State {
    var mode = Mode.ready
    var queue: [Message] = []
  }

  private let state = Mutex(State())
  private let media: any MediaPlane
  private let peer: PeerID
  private let channel: String
  private let stream: UInt16
  private let onClose: @Sendable () -> Void

  /// Messages that wait; one more ends the carrier, whose client may open another channel and resume.
  static let maximumWaiting = 1_024
  /// Messages given to the media plane in one call.
  private static let maximumBatch = 32

  /// - Parameter onClose: Called once when the carrier takes nothing any more.
  init(media: any MediaPlane, event: ChannelEvent, onClose: @escaping @Sendable () -> Void) {
    self.media = media
    (peer, channel, stream) = (event.peer, event.channel, event.stream)
    self.onClose = onClose
  }

  func send(_ text: String, taken: @escaping @Sendable (Bool) -> Void) {
    let isTaken = state.withLock { state in
      if case .closed = state.mode { return false }
      guard state.queue.count < Self.maximumWaiting else { return false }
      state.queue.append(Message(text: text, taken: taken))
      return true
    }
    guard isTaken else {
      taken(false)
      return end()
    }
    pump()
  }

  func close(_ refusal: Refusal) {
    send(ServerMetadata.error(refusal, inReplyTo: nil)) { [weak self] _ in self?.end() }
  }

  /// The channel has room again.
  func resume() {
    state.withLock { state in
      if case .full = state.mode { state.mode = .ready }
    }
    pump()
  }

  /// The channel is gone, or takes nothing any more; what waits is given back.
  func end() {
    let (waiting, isFirst) = state.withLock { state -> ([Message], Bool) in
      if case .closed = state.mode { return ([], false) }
      state.mode = .closed
      defer { state.queue = [] }
      return (state.queue, true)
    }
    for message in waiting { message.taken(false) }
    guard isFirst else { return }
    onClose()
    // The client learns by this that it has to open another one; without effect when the channel is closed already.
    media.closeChannel(stream, of: peer)
  }

  private func pump() {
    let texts = state.withLock { state -> [String] in
      guard case .ready = state.mode, !state.queue.isEmpty else { return [] }
      state.mode = .sending
      return state.queue.prefix(Self.maximumBatch).map(\.text)
    }
    guard !texts.isEmpty else { return }
    media.enqueue(texts, on: channel, stream: stream, of: peer) { [weak self] result in
      self?.sent(result, of: texts.count)
    }
  }

  private func sent(_ result: Result<Int, ChannelSendError>, of count: Int) {
    switch result {
    case .failure(.gone), .failure(.unavailable): end()
    // The client accepts less than we send: that message is passed over, and told.
    case .failure(.tooLong): finish(1, next: .ready, isTaken: false)
    case .success(let taken): finish(taken, next: taken < count ? .full : .ready, isTaken: true)
    }
  }

  private func finish(_ count: Int, next: Mode, isTaken: Bool) {
    let done = state.withLock { state -> [Message] in
      if case .closed = state.mode { return [] }
      state.mode = next
      let done = Array(state.queue.prefix(count))
      state.queue.removeFirst(done.count)
      return done
    }
    for message in done { message.taken(isTaken) }
    if case .ready = next { pump() }
  }
}
