import DataChannel
import Primitives

/// Something happened on a peer's data channel.
package struct ChannelEvent: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case opened
    /// A text message, as it came; an empty one too.
    case text(String)
    /// A channel that did not take all it was given has room for more; it may come once too often.
    case writable
    /// The last event of the channel; also when the peer's session has ended.
    case closed
  }

  package var peer: PeerID
  package var incident: IncidentID
  /// The channel's label.
  package var channel: String
  /// What tells two channels of a peer apart that have the same label.
  package var stream: UInt16
  /// The channel's subprotocol, or empty; ``realTimeTextProtocol`` for real-time text (RFC 8865).
  package var subprotocol: String
  package var kind: Kind

  package init(
    peer: PeerID, incident: IncidentID, channel: String, stream: UInt16 = 0, subprotocol: String = "", kind: Kind
  ) {
    self.peer = peer
    self.incident = incident
    self.channel = channel
    self.stream = stream
    self.subprotocol = subprotocol
    self.kind = kind
  }

  /// The label of the channel that carries the metadata envelope: its messages go to nobody but the handler.
  package static let metadataChannel = "sightline.metadata"

  /// The subprotocol of T.140 real-time text (RFC 8865 §6.1).
  package static let realTimeTextProtocol = DataChannelParameters.realTimeTextProtocol

  /// Whether the channel carries T.140 real-time text.
  package var isRealTimeText: Bool { subprotocol == Self.realTimeTextProtocol }
}

/// Why a data channel takes nothing.
package enum ChannelSendError: Error, Hashable, Sendable {
  /// The peer or the channel does not exist, or no longer.
  case gone
  /// The text has more bytes than the peer accepts: send it in parts.
  case tooLong(limit: Int)
  /// The server is busy or stopping; no ``ChannelEvent/Kind/writable`` will follow.
  case unavailable
}

extension MediaPlane {
  /// Sends texts on the newest channel with that label.
  package func enqueue(
    _ texts: [String], on channel: String, of peer: PeerID,
    done: @escaping @Sendable (Result<Int, ChannelSendError>) -> Void
  ) {
    enqueue(texts, on: channel, stream: nil, of: peer, done: done)
  }

  /// Sends one text on a peer's data channel.
  ///
  /// Throws `full` when it does not fit now, and `unknownPeer` when the peer or its channel is gone.
  package func send(_ text: String, on channel: String, of peer: PeerID) async throws(MediaError) {
    let result = await withCheckedContinuation { continuation in
      enqueue([text], on: channel, of: peer) { continuation.resume(returning: $0) }
    }
    switch result {
    case .success(1...): return
    case .success:
      throw MediaError(.full, "The data channel's buffer is full. Send again when the channel is writable.")
    case .failure(.gone):
      throw MediaError(.unknownPeer, "The session or its data channel \"\(channel)\" does not exist any more.")
    case .failure(.tooLong(let limit)):
      throw MediaError(.notPermitted, "The peer accepts messages of at most \(limit) bytes. Send this one in parts.")
    case .failure(.unavailable):
      throw MediaError(.unavailable, "The server is busy or stopping. Try again in a moment.")
    }
  }
}
