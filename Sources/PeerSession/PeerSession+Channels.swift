import DataChannel
import Primitives

// Data channels, once the connection is up.

extension PeerSession {
  /// Opens a channel once the connection is up.
  package func openChannel(
    _ parameters: DataChannelParameters, now: MonotonicTime
  ) throws(DataChannelError) -> DataChannelID? {
    guard case .running(let transport) = channels else { return nil }
    let id = try transport.openChannel(parameters, now: now)
    drain(now: now)
    return id
  }

  /// Sends a message; false when there are no channels.
  ///
  /// After ``DataChannelError/bufferFull``, ``PeerEvent/channelWritable(_:)`` tells when to try again.
  @discardableResult
  package func send(
    _ message: DataChannelMessage, on channel: DataChannelID, now: MonotonicTime
  ) throws(DataChannelError) -> Bool {
    guard case .running(let transport) = channels else { return false }
    try transport.send(message, on: channel, now: now)
    drain(now: now)
    return true
  }

  /// Closes a channel after what was sent on it; ``PeerEvent/channelClosed(_:)`` follows.
  package func closeChannel(_ channel: DataChannelID, now: MonotonicTime) {
    guard case .running(let transport) = channels else { return }
    transport.close(channel, now: now)
    drain(now: now)
  }
}
