import Archive
import CLibAV
import Primitives

/// A track of a file, as the file's header describes it.
package struct MediaTrack: Hashable, Sendable {
  /// What can be decoded here; a browser records nothing else.
  package enum Codec: String, Hashable, Sendable, CaseIterable {
    case h264
    case vp8
    case vp9
    case av1
    case opus
    case aac
  }

  /// Within its file, from 0.
  package var index: Int
  package var kind: TrackKind
  package var codec: Codec
  /// Pixels as coded; 0 for sound.
  package var width: Int
  package var height: Int
  /// Degrees clockwise that a player turns the picture by.
  package var rotation: Int
  /// As the codec counts; 0 when the file does not say.
  package var profile: Int
  /// Samples a second; 0 for pictures.
  package var sampleRate: Int
  package var channels: Int
  /// `avcC`, `av1C`, `OpusHead`: what a decoder needs to know first.
  package var configuration: [UInt8]
}

extension MediaTrack.Codec {
  var identifier: AVCodecID {
    switch self {
    case .h264: AV_CODEC_ID_H264
    case .vp8: AV_CODEC_ID_VP8
    case .vp9: AV_CODEC_ID_VP9
    case .av1: AV_CODEC_ID_AV1
    case .opus: AV_CODEC_ID_OPUS
    case .aac: AV_CODEC_ID_AAC
    }
  }

  var kind: TrackKind {
    switch self {
    case .h264, .vp8, .vp9, .av1: .video
    case .opus, .aac: .audio
    }
  }
}

/// One coded frame out of a file.
package struct MediaPacket: Hashable, Sendable {
  /// ``MediaTrack/index``.
  package var track: Int
  /// When it is shown and when it is decoded, in ticks of the track.
  package var presentation: Int64
  package var decoding: Int64
  /// Ticks; 0 when the file does not say.
  package var duration: Int64
  package var ticks: Ticks
  package var isKeyframe: Bool
  package var bytes: [UInt8]

  /// When it is shown, from the beginning of the file's clock.
  package var time: TimeInterval64 { ticks.interval(presentation) }
  package var length: TimeInterval64 { ticks.interval(duration) }
}

/// A file's unit of time, in seconds: `numerator / denominator`.
package struct Ticks: Hashable, Sendable {
  package var numerator: Int32
  package var denominator: Int32

  /// Nanoseconds, the unit of ``TimeInterval64``.
  static let nanoseconds = Ticks(numerator: 1, denominator: 1_000_000_000)
  static let ninetyKilohertz = Ticks(numerator: 1, denominator: 90_000)
  static let milliseconds = Ticks(numerator: 1, denominator: 1_000)

  /// No clock of a file that is used here goes further than this, in nanoseconds: 31 days.
  static let maximumTime: Int64 = 31 * 86_400 * 1_000_000_000

  /// Rounded to the nanosecond, and kept within 31 days around zero.
  func interval(_ count: Int64) -> TimeInterval64 {
    let nanoseconds = convert(count, to: .nanoseconds)
    return TimeInterval64(nanoseconds: max(-Self.maximumTime, min(Self.maximumTime, nanoseconds)))
  }

  /// The nearest number of ticks to an interval.
  func count(_ interval: TimeInterval64) -> Int64 {
    Ticks.nanoseconds.convert(interval.nanoseconds, to: self)
  }

  /// Rounded to nearest; saturates.
  func convert(_ count: Int64, to other: Ticks) -> Int64 {
    av_rescale_q(count, rational, other.rational)
  }

  /// A unit that a damaged file declares may be nonsense; it is then a second.
  var rational: AVRational {
    numerator > 0 && denominator > 0 ? AVRational(num: numerator, den: denominator) : AVRational(num: 1, den: 1)
  }
}
