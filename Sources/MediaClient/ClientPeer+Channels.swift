import DataChannel
import PeerSession
import Primitives

// Data channels, on the loop's thread.

extension ClientPeer {
  /// What happens on a session's data channels.
  package enum ChannelEvent: Sendable {
    case opened(DataChannelID, DataChannelParameters)
    case message(DataChannelID, DataChannelMessage)
    /// A channel that refused a message with `bufferFull` has room again.
    case writable(DataChannelID)
    case closed(DataChannelID)

    /// Nil for what does not concern a channel.
    init?(_ event: PeerEvent) {
      switch event {
      case .channelOpened(let id, let parameters): self = .opened(id, parameters)
      case .channelMessage(let id, let message): self = .message(id, message)
      case .channelWritable(let id): self = .writable(id)
      case .channelClosed(let id): self = .closed(id)
      case .iceStateChanged, .pathChanged, .connected, .candidateGathered, .closed: return nil
      }
    }
  }

  /// Opens a channel; nil before the session is connected, or without data channels in its offer.
  package func openChannel(
    _ parameters: DataChannelParameters, now: MonotonicTime
  ) throws(DataChannelError) -> DataChannelID? {
    defer { settle(now: now) }
    return try session.openChannel(parameters, now: now)
  }

  /// Sends a message; false when there are no channels.
  @discardableResult
  package func send(
    _ message: DataChannelMessage, on channel: DataChannelID, now: MonotonicTime
  ) throws(DataChannelError) -> Bool {
    defer { settle(now: now) }
    return try session.send(message, on: channel, now: now)
  }

  /// Closes a channel after what was sent on it.
  package func close(_ channel: DataChannelID, now: MonotonicTime) {
    session.closeChannel(channel, now: now)
    settle(now: now)
  }

  private func settle(now: MonotonicTime) {
    drain(now: now)
    reschedule(now: now)
  }
}
