/// A data channel's number: the SCTP stream that it uses in both directions (RFC 8831 §6.4).
package struct DataChannelID: Hashable, Sendable, CustomStringConvertible {
  package let stream: UInt16

  package init(stream: UInt16) {
    self.stream = stream
  }

  package var description: String { String(stream) }
}

/// How hard a channel tries to deliver a message (RFC 8831 §6.1).
package enum DataChannelReliability: Hashable, Sendable {
  case reliable
  /// A message is abandoned after this many retransmissions.
  case maximumRetransmissions(UInt32)
  /// A message is abandoned after this many milliseconds.
  case maximumLifetime(milliseconds: UInt32)
}

/// What both sides agree on when a channel is opened (RFC 8832 §5.1).
package struct DataChannelParameters: Hashable, Sendable {
  package var label: String
  /// The subprotocol, or empty.
  package var subprotocol: String
  package var isOrdered: Bool
  package var reliability: DataChannelReliability
  /// Relative weight: 128 below normal, 256 normal, 512 high, 1024 extra high (RFC 8831 §6.4).
  package var priority: UInt16

  package init(
    label: String, subprotocol: String = "", isOrdered: Bool = true, reliability: DataChannelReliability = .reliable,
    priority: UInt16 = 256
  ) {
    self.label = label
    self.subprotocol = subprotocol
    self.isOrdered = isOrdered
    self.reliability = reliability
    self.priority = priority
  }

  /// The subprotocol of real-time text (RFC 8865 §6.1).
  package static let realTimeTextProtocol = "t140"

  /// A channel for T.140 real-time text: ordered and reliable, as RFC 8865 §3.1 has it.
  package static func realTimeText(label: String) -> DataChannelParameters {
    DataChannelParameters(label: label, subprotocol: realTimeTextProtocol)
  }

  /// Whether the channel carries T.140 real-time text (RFC 8865): text messages of UTF-8, in order.
  package var isRealTimeText: Bool { subprotocol == Self.realTimeTextProtocol }

  /// Throws unless we may open a channel like this.
  func validate() throws(DataChannelError) {
    guard label.utf8.count <= DataChannelLimits.maximumLabelLength,
      subprotocol.utf8.count <= DataChannelLimits.maximumProtocolLength
    else { throw .nameTooLong }
    guard !isRealTimeText || isOrdered && reliability == .reliable else { throw .realTimeTextMustBeReliable }
  }
}

/// A message of a data channel.
package enum DataChannelMessage: Hashable, Sendable {
  case text(String)
  case binary([UInt8])

  /// Length in bytes, text as UTF-8.
  package var byteCount: Int {
    switch self {
    case .text(let text): text.utf8.count
    case .binary(let bytes): bytes.count
    }
  }
}

/// Why an operation on data channels was refused.
package enum DataChannelError: Error, Hashable, Sendable {
  /// The association is not up (yet, or any more).
  case notConnected
  /// There is no such channel, or it is being closed.
  case noSuchChannel
  /// The stream is taken, or out of the range that both sides support.
  case streamUnavailable
  /// ``DataChannelLimits/maximumChannels`` are open, or all streams of our parity are taken.
  case tooManyChannels
  /// The label or the protocol is too long.
  case nameTooLong
  /// Real-time text needs an ordered and reliable channel (RFC 8865 §3.1).
  case realTimeTextMustBeReliable
  /// The message is longer than the peer or we accept.
  case messageTooLong(limit: Int)
  /// Too much waits to be sent: try again when the peer has acknowledged some, or drop the message.
  case bufferFull
  /// The SCTP library refused, with this value of `errno`.
  case library(code: Int32)
}
