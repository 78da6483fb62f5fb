import Primitives

/// The video codecs that Sightline relays.
package enum VideoCodec: UInt8, CaseIterable, Sendable {
  case h264
  case vp8
  case vp9
  case av1

  /// The encoding name in `a=rtpmap`.
  ///
  /// Compare it without regard to case (RFC 8866 §6.6).
  package var name: String {
    switch self {
    case .h264: "H264"
    case .vp8: "VP8"
    case .vp9: "VP9"
    case .av1: "AV1"
    }
  }

  /// Nil for an encoding that Sightline does not relay.
  package init?(name: some StringProtocol) {
    let wanted = name.lowercased()
    guard let codec = Self.allCases.first(where: { $0.name.lowercased() == wanted }) else { return nil }
    self = codec
  }

  /// Ticks per second of the RTP timestamp, for every video codec.
  package static let clockRate: UInt32 = 90_000
}

/// The audio formats that Sightline relays.
package enum AudioCodec: UInt8, CaseIterable, Sendable {
  /// RFC 7587.
  case opus
  /// Redundant audio, here always around Opus (RFC 2198).
  case red
  /// G.711 µ-law (RFC 3551 §4.5.14).
  case pcmu
  /// G.711 A-law (RFC 3551 §4.5.14).
  case pcma
  /// Tones (RFC 4733).
  case telephoneEvent

  /// The encoding name in `a=rtpmap`.
  ///
  /// Compare it without regard to case (RFC 8866 §6.6).
  package var name: String {
    switch self {
    case .opus: "opus"
    case .red: "red"
    case .pcmu: "PCMU"
    case .pcma: "PCMA"
    case .telephoneEvent: "telephone-event"
    }
  }

  /// Nil for a format that Sightline does not relay.
  package init?(name: some StringProtocol) {
    let wanted = name.lowercased()
    guard let codec = Self.allCases.first(where: { $0.name.lowercased() == wanted }) else { return nil }
    self = codec
  }
}

extension VideoCodec {
  /// Whether `payload` is the first packet of a picture that decodes without any earlier one.
  ///
  /// Packet path: no allocation. A viewer may be switched to a stream at such a packet and at no other (DESIGN,
  /// decision 1).
  @inline(__always)
  package func isKeyframeStart(_ payload: UnsafeRawBufferPointer) -> Bool {
    switch self {
    case .h264: H264Payload.isKeyframeStart(payload)
    case .vp8: VP8Descriptor.isKeyframeStart(payload)
    case .vp9: VP9Descriptor.isKeyframeStart(payload)
    case .av1: AV1Payload.isKeyframeStart(payload)
    }
  }
}
