/// The bounds of one peer's data channels, and what happens at each.
package enum DataChannelLimits {
  /// Streams offered in each direction.
  ///
  /// A peer's channel on a higher stream is answered with an error by SCTP.
  package static let maximumStreams = 256

  /// Channels at once, of both sides.
  ///
  /// Opening one more throws ``DataChannelError/tooManyChannels``; the peer's is reset.
  package static let maximumChannels = 64

  /// Bytes of a label.
  ///
  /// Opening with a longer one throws; a peer's channel with a longer one is reset.
  package static let maximumLabelLength = 1024

  /// Bytes of a protocol name; the same policy as for the label.
  package static let maximumProtocolLength = 256

  /// Bytes of a message in either direction, unless the transport is given fewer: what we advertise in SDP (RFC 8841 §6).
  ///
  /// Sending a longer one throws; a channel on which the peer sends a longer one is closed and the message discarded.
  package static let defaultMaximumMessageSize = 262_144

  /// Bytes that wait to be sent or acknowledged.
  ///
  /// A message that does not fit throws ``DataChannelError/bufferFull``.
  package static let maximumBufferedBytes = 1_048_576

  /// Bytes that may still wait when a channel that refused a message is said to have room again.
  ///
  /// The room above it takes the longest message. Where less was waiting at the refusal, because of many small messages,
  /// it is half of that.
  package static let lowWaterBytes = maximumBufferedBytes / 4

  /// Messages sent since the peer last had acknowledged everything; the same policy as for the bytes.
  ///
  /// It bounds what many tiny messages cost beside their bytes.
  package static let maximumQueuedMessages = 16_384

  /// Bytes that SCTP keeps for us in reassembly: the receive window.
  ///
  /// A message of up to half of it arrives in one piece.
  package static let receiveWindow = 1_048_576

  /// Chunks that SCTP holds for one association in either direction; it stops sending, or drops, beyond.
  package static let maximumQueuedChunks = 1024

  /// Packets that wait for ``DataChannelTransport/poll()``; further ones are dropped and retransmitted.
  package static let maximumPendingPackets = 2048

  /// Outputs other than packets that wait for ``DataChannelTransport/poll()``.
  ///
  /// Beyond, the transport closes with ``DataChannelTransport/CloseReason/overflow``: reliable messages must not be
  /// dropped one by one.
  package static let maximumPendingOutputs = 4096

  /// Message bytes that wait for ``DataChannelTransport/poll()``; the same policy.
  package static let maximumPendingOutputBytes = 4_194_304

  /// Longest packet handed to SCTP: what fits into a DTLS record.
  ///
  /// A longer one is dropped.
  package static let maximumReceivedPacketSize = 16_384

  /// Largest packet that we may be asked to make, and the smallest, as SCTP defines them.
  package static let packetSizes = 548...16_384

  /// Unsent control messages (channel openings and acknowledgements).
  ///
  /// Opening one more channel throws ``DataChannelError/tooManyChannels``; the peer's is reset.
  package static let maximumPendingControlMessages = 256
}
