import Primitives

/// The codecs that the server carries.
///
/// The raw value is the encoding name in its usual spelling.
package enum MediaCodec: String, Hashable, Sendable, CaseIterable {
  /// RFC 7587.
  case opus
  /// Redundant audio around Opus (RFC 2198).
  case red
  /// RFC 7741.
  case vp8 = "VP8"
  /// RFC 9628.
  case vp9 = "VP9"
  /// RFC 6184, packetization mode 1.
  case h264 = "H264"
  /// AV1 RTP specification.
  case av1 = "AV1"

  package var kind: SDPMediaKind {
    switch self {
    case .opus, .red: .audio
    case .vp8, .vp9, .h264, .av1: .video
    }
  }

  /// RTP clock, in Hz.
  package var clockRate: UInt32 {
    switch self {
    case .opus, .red: 48_000
    case .vp8, .vp9, .h264, .av1: 90_000
    }
  }

  /// Encoding names compare without case (RFC 4855 §3).
  package init?(encodingName: some StringProtocol) {
    guard let codec = Self.allCases.first(where: { $0.rawValue.equalsIgnoringCase(encodingName) }) else { return nil }
    self = codec
  }
}

/// One payload type that both sides agreed on.
package struct NegotiatedCodec: Hashable, Sendable {
  package var payloadType: PayloadType
  package var codec: MediaCodec
  /// RTP clock, in Hz.
  package var clockRate: UInt32
  package var channels: UInt8
  /// The parameters as the answer carries them.
  package var parameters: FormatParameters?
  /// The payload type of its retransmissions (RFC 4588 §8.1); nil when it has none.
  package var retransmission: PayloadType?
  package var feedback: [RTCPFeedback]

  package init(
    payloadType: PayloadType, codec: MediaCodec, clockRate: UInt32, channels: UInt8 = 1,
    parameters: FormatParameters? = nil, retransmission: PayloadType? = nil, feedback: [RTCPFeedback] = []
  ) {
    self.payloadType = payloadType
    self.codec = codec
    self.clockRate = clockRate
    self.channels = channels
    self.parameters = parameters
    self.retransmission = retransmission
    self.feedback = feedback
  }

  package func supports(_ capability: RTCPFeedback) -> Bool { feedback.contains(capability) }

  /// The profile that a decoder must have, as a number within the codec; a higher H.264 profile decodes the lower ones.
  ///
  /// H.264: 1 baseline and constrained baseline, 2 main, 3 high (from `profile-level-id`, RFC 6184 §8.1); VP9 and AV1:
  /// their profile number; 0 for the others.
  package var profile: Int {
    switch codec {
    case .h264: H264Profile(parameters)?.rawValue ?? 0
    case .vp9: Int(parameters?["profile-id"] ?? "") ?? 0
    case .av1: Int(parameters?["profile"] ?? "") ?? 0
    case .opus, .red, .vp8: 0
    }
  }

  /// Whether a receiver that agreed to `self` can decode what was agreed as `sent` elsewhere.
  ///
  /// Levels are not compared: WebRTC peers allow level asymmetry.
  package func decodes(_ sent: NegotiatedCodec) -> Bool {
    guard codec == sent.codec, clockRate == sent.clockRate else { return false }
    return codec == .h264 ? profile >= sent.profile : profile == sent.profile
  }
}

/// The H.264 profiles that browsers and cameras use; each decodes the ones before it, as far as WebRTC encoders go.
package enum H264Profile: Int, Hashable, Sendable {
  case baseline = 1
  case main
  case high

  /// From `profile-level-id`, which defaults to baseline (RFC 6184 §8.1); nil for another profile or bad digits.
  package init?(_ parameters: FormatParameters?) {
    guard let text = parameters?["profile-level-id"] else {
      self = .baseline
      return
    }
    guard let bytes = Hex.decode(text), bytes.count == 3 else { return nil }
    switch bytes[0] {
    case 0x42: self = .baseline
    case 0x4d: self = .main
    case 0x64: self = .high
    default: return nil
    }
  }
}

extension [NegotiatedCodec] {
  /// The codec to send `sent` with: the same profile if there is one, else the first that can decode it.
  package func carrying(_ sent: NegotiatedCodec) -> NegotiatedCodec? {
    let able = filter { $0.decodes(sent) }
    return able.first { $0.profile == sent.profile } ?? able.first
  }
}
