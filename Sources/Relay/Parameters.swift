import Primitives
import RTP

/// Audio or video.
package enum SourceKind: String, Hashable, Sendable {
  case audio
  case video
}

/// A payload type and what it carries.
package struct RelayedFormat: Hashable, Sendable {
  package var payloadType: PayloadType
  package var format: MediaFormat
  /// The payload type of its retransmissions (RFC 4588), if negotiated.
  package var retransmission: PayloadType?

  package init(payloadType: PayloadType, format: MediaFormat, retransmission: PayloadType? = nil) {
    self.payloadType = payloadType
    self.format = format
    self.retransmission = retransmission
  }
}

/// What a peer negotiated for one m-line on which it sends.
package struct SourceParameters: Sendable {
  package var peer: PeerHandle
  package var kind: SourceKind
  /// The media identification, as packets carry it in the mid extension (RFC 9143).
  package var mid: String
  package var formats: [RelayedFormat]
  package var extensions: RTPExtensionMap
  /// Streams announced in the SDP (RFC 5576): SSRC and that of its retransmissions.
  package var announced: [(media: SSRC, retransmission: SSRC?)]
  /// Whether the sender answers generic NACKs.
  package var acceptsNACK: Bool
  /// The payload type of redundant audio around Opus (RFC 2198), if negotiated.
  package var redundancy: PayloadType?

  package init(
    peer: PeerHandle, kind: SourceKind, mid: String, formats: [RelayedFormat], extensions: RTPExtensionMap,
    announced: [(media: SSRC, retransmission: SSRC?)], acceptsNACK: Bool, redundancy: PayloadType? = nil
  ) {
    self.peer = peer
    self.kind = kind
    self.mid = mid
    self.formats = formats
    self.extensions = extensions
    self.announced = announced
    self.acceptsNACK = acceptsNACK
    self.redundancy = redundancy
  }
}

/// What a peer negotiated for one m-line on which it receives.
package struct SlotParameters: Sendable {
  package var peer: PeerHandle
  package var kind: SourceKind
  package var ssrc: SSRC
  package var retransmissionSSRC: SSRC
  package var formats: [RelayedFormat]
  /// Id of the header extension with the transport-wide sequence number; 0 when it was not negotiated.
  package var transportExtension: UInt8
  /// Names the peer's streams that play together (RFC 3550 §6.5.1).
  package var canonicalName: String
  /// The payload type of redundant audio around Opus (RFC 2198), if negotiated.
  package var redundancy: PayloadType?

  package init(
    peer: PeerHandle, kind: SourceKind, ssrc: SSRC, retransmissionSSRC: SSRC, formats: [RelayedFormat],
    transportExtension: UInt8 = 0, canonicalName: String, redundancy: PayloadType? = nil
  ) {
    self.peer = peer
    self.kind = kind
    self.ssrc = ssrc
    self.retransmissionSSRC = retransmissionSSRC
    self.formats = formats
    self.transportExtension = transportExtension
    self.canonicalName = canonicalName
    self.redundancy = redundancy
  }
}
