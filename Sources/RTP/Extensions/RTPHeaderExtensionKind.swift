import Primitives

/// The header extensions that Sightline understands.
///
/// Whatever else a peer offers is left out of the answer and ignored.
package enum RTPHeaderExtensionKind: UInt8, CaseIterable, Sendable {
  /// Media section a packet belongs to (RFC 9143 §16.2).
  case mid
  /// Simulcast stream (RFC 8852 §3.1).
  case rid
  /// Simulcast stream that a retransmission repairs (RFC 8852 §3.2).
  case repairedRID
  /// 24-bit send time, 6.18 seconds fixed point (draft-alvestrand-rmcat-remb-03).
  case absoluteSendTime
  /// Sequence number over all of a transport's packets (draft-holmer-rmcat-transport-wide-cc-extensions-01).
  case transportSequence
  /// Loudness of an audio packet (RFC 6464).
  case audioLevel
  /// Rotation and flip of a picture, "CVO" (3GPP TS 26.114 §7.4.5).
  case videoOrientation
  /// Layers and dependencies of a frame (AV1 RTP specification, appendix A).
  case dependencyDescriptor

  /// The name in `a=extmap`.
  package var uri: String {
    switch self {
    case .mid: "urn:ietf:params:rtp-hdrext:sdes:mid"
    case .rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    case .repairedRID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    case .absoluteSendTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    case .transportSequence: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    case .audioLevel: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    case .videoOrientation: "urn:3gpp:video-orientation"
    case .dependencyDescriptor:
      "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
    }
  }

  /// Nil for an extension that Sightline does not know.
  package init?(uri: some StringProtocol) {
    guard let kind = Self.allCases.first(where: { $0.uri == uri }) else { return nil }
    self = kind
  }
}

/// The extension ids that one media section negotiated (RFC 8285 §5).
///
/// Trivial; 0 stands for "not negotiated".
package struct RTPExtensionMap: Equatable, Sendable {
  /// Ids by the kind's raw value; the kinds fit with room to spare.
  private var ids = SIMD16<UInt8>(repeating: 0)

  package init() {}

  /// The id of `kind`, 0 when it was not negotiated.
  package subscript(kind: RTPHeaderExtensionKind) -> UInt8 {
    @inline(__always) get { ids[Int(kind.rawValue)] }
    set { ids[Int(kind.rawValue)] = newValue }
  }

  /// The kind that `id` stands for, if any.
  package func kind(of id: UInt8) -> RTPHeaderExtensionKind? {
    guard id != 0 else { return nil }
    return RTPHeaderExtensionKind.allCases.first { self[$0] == id }
  }
}
