import RTP

/// Which of the relay's formats a payload is in: an index into ``FormatTable``.
package struct FormatIndex: Hashable, BitwiseCopyable, Sendable {
  package var value: UInt8

  @inlinable
  package init(_ value: UInt8) {
    self.value = value
  }

  /// No format: the packet is not forwarded.
  package static let none = FormatIndex(255)
  /// Opus with earlier packets repeated in each (RFC 2198): taken apart on arrival and never forwarded as it came.
  static let redundantAudio = FormatIndex(UInt8(maximumCount - 1))
  /// Formats that a relay can tell apart.
  package static let maximumCount = 32
}

/// What a payload is, as far as a receiver must know to decode it: the codec and the parameters that change the bitstream.
package enum MediaFormat: Hashable, Sendable {
  /// `profile` is `profile_idc` and `profile-iop`, the first four hexadecimal digits of profile-level-id (RFC 6184 §8.1).
  case h264(profile: UInt16)
  case vp8
  /// `profile` is `profile-id` (RFC 9628 §6).
  case vp9(profile: UInt8)
  /// `profile` is `profile` (AV1 RTP specification §7.2).
  case av1(profile: UInt8)
  case opus

  /// The codec whose keyframes can be told; nil for audio.
  package var videoCodec: VideoCodec? {
    switch self {
    case .h264: .h264
    case .vp8: .vp8
    case .vp9: .vp9
    case .av1: .av1
    case .opus: nil
    }
  }

  /// RTP timestamp ticks per second.
  package var clockRate: UInt32 {
    switch self {
    case .opus: 48_000
    case .h264, .vp8, .vp9, .av1: 90_000
    }
  }

  /// The encoding name, for people.
  package var name: String {
    switch self {
    case .h264: "H264"
    case .vp8: "VP8"
    case .vp9: "VP9"
    case .av1: "AV1"
    case .opus: "opus"
    }
  }

  /// Whether a receiver that negotiated `self` can decode what a sender makes of `sent`.
  ///
  /// H.264: a decoder of the main or high profile decodes constrained baseline (ITU-T H.264 §A.2).
  package func canDecode(_ sent: MediaFormat) -> Bool {
    switch (self, sent) {
    case (.h264(let own), .h264(let other)): H264Profile(own).includes(H264Profile(other))
    default: self == sent
    }
  }
}

extension MediaFormat {
  /// The one format that stands for all that decode alike; nil for one that no WebRTC endpoint uses.
  var canonical: MediaFormat? {
    switch self {
    case .h264(let profile): H264Profile(profile).bits.map { .h264(profile: $0) }
    case .vp9(let profile): profile <= 3 ? self : nil
    case .av1(let profile): profile <= 2 ? self : nil
    case .vp8, .opus: self
    }
  }
}

/// The profiles of H.264 that WebRTC endpoints use, in the order in which decoders include each other.
private enum H264Profile: Int {
  case constrainedBaseline
  case main
  case high
  /// Something else, such as plain baseline: only its equal decodes it for sure.
  case other

  init(_ profile: UInt16) {
    let idc = profile >> 8
    let constraints = profile & 0xff
    switch idc {
    // Browsers signal 4200xx but send no baseline-only tools, so plain baseline counts as constrained.
    case 0x42: self = .constrainedBaseline
    case 0x4d: self = constraints & 0x80 != 0 ? .constrainedBaseline : .main
    case 0x64: self = .high
    default: self = .other
    }
  }

  /// The profile in the notation of ``MediaFormat/h264(profile:)``; nil for ``other``.
  var bits: UInt16? {
    switch self {
    case .constrainedBaseline: 0x42e0
    case .main: 0x4d00
    case .high: 0x6400
    case .other: nil
    }
  }

  func includes(_ other: H264Profile) -> Bool {
    switch (self, other) {
    case (.other, .other): true
    case (.other, _), (_, .other): false
    default: rawValue >= other.rawValue
    }
  }
}

/// The formats seen by one relay, numbered so that the packet path compares a byte.
struct FormatTable {
  private(set) var formats: [MediaFormat] = []

  /// The number of `format`, a new one if need be; ``FormatIndex/none`` for one that is not told apart from others.
  ///
  /// Only canonical formats get numbers: there are fewer of them than places, so that no peer can fill the table.
  mutating func index(of format: MediaFormat) -> FormatIndex {
    guard let format = format.canonical else { return .none }
    if let known = formats.firstIndex(of: format) { return FormatIndex(UInt8(known)) }
    // The last number is that of redundant audio, which no format has.
    guard formats.count < FormatIndex.maximumCount - 1 else { return .none }
    formats.append(format)
    return FormatIndex(UInt8(formats.count - 1))
  }

  subscript(_ index: FormatIndex) -> MediaFormat? {
    Int(index.value) < formats.count ? formats[Int(index.value)] : nil
  }
}
