/// What a track's frames are, as far as a file's header must say before the first one.
///
/// A change of any part begins a new segment.
package struct TrackFormat: Hashable, Sendable {
  package enum Codec: Hashable, Sendable {
    /// Parameter sets without start codes or lengths, as `avcC` has them (ISO/IEC 14496-15 §5.3.3).
    case h264(sequenceParameters: [[UInt8]], pictureParameters: [[UInt8]])
    case vp8
    /// `profile` is 0 to 3; `bitDepth` 8, 10 or 12 (VP Codec ISO Media File Format Binding §2).
    case vp9(profile: UInt8, bitDepth: UInt8)
    /// The sequence header OBU with its header and size (AV1-ISOBMFF §2.3.3).
    case av1(sequenceHeader: [UInt8])
    case opus(channels: UInt8)
  }

  package var codec: Codec
  /// Pixels as coded; 0 for sound.
  package var width: Int
  package var height: Int
  /// Degrees clockwise that a player turns the picture by: 0, 90, 180 or 270 (3GPP TS 26.114 §7.4.5).
  package var rotation: Int

  package init(codec: Codec, width: Int = 0, height: Int = 0, rotation: Int = 0) {
    self.codec = codec
    self.width = width
    self.height = height
    self.rotation = rotation
  }

  package var kind: TrackKind {
    if case .opus = codec { .audio } else { .video }
  }

  package var codecName: String {
    switch codec {
    case .h264: "H264"
    case .vp8: "VP8"
    case .vp9: "VP9"
    case .av1: "AV1"
    case .opus: "opus"
    }
  }

  package enum Container: String, Hashable, Sendable {
    /// Fragmented MP4 (ISO/IEC 14496-12 §8.8).
    case mp4
    /// WebM with a cluster a fragment: VP8 has no place in MP4.
    case webm
  }

  package var container: Container {
    if case .vp8 = codec { .webm } else { .mp4 }
  }

  /// What a browser is asked whether it can play, for example `video/mp4; codecs="avc1.42c01f"` (RFC 6381).
  package var mimeType: String { "\(kind.rawValue)/\(container.rawValue); codecs=\"\(codecParameter)\"" }

  private var codecParameter: String {
    switch codec {
    case .h264(let sets, _):
      guard let set = sets.first, set.count >= 4 else { return "avc1.42c01f" }
      return "avc1." + set[1...3].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    case .vp8: return "vp8"
    case .vp9(let profile, let bitDepth): return "vp09.0\(profile).41.\(bitDepth < 10 ? "0" : "")\(bitDepth)"
    case .av1: return "av01.0.08M.08"
    case .opus: return "opus"
    }
  }
}

package enum TrackKind: String, Hashable, Sendable {
  case audio
  case video
}
