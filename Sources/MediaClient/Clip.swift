import CLibAV
import Primitives
import RTP
import SDP

/// A media file cut into RTP payloads once, so that any number of senders can play it at next to no cost.
package final class Clip: Sendable {
  /// One RTP payload and when it is due.
  package struct Payload: Sendable {
    /// From the start of the clip.
    package var time: TimeInterval64
    package var isVideo: Bool
    package var marker: Bool
    /// Whether a keyframe starts here.
    package var startsKeyframe: Bool
    package var bytes: [UInt8]
  }

  package let codec: MediaCodec
  package let payloads: [Payload]
  /// From one start to the next when played in a loop.
  package let duration: TimeInterval64
  /// Pixels.
  package let width: Int
  package let height: Int

  /// Bytes of the largest payload: header, RTX and SRTP stay below 1,200.
  private static let maximumPayloadSize = 1_140

  /// Reads a WebM or MP4 file with VP8, VP9, AV1 or H.264 and Opus.
  package init(path: String) throws(ClipError) {
    let contents = try ClipReader.read(path)
    let framing = Self.framing(contents.videoParameters)
    guard let codec = Self.codec(contents.videoCodec) else {
      throw ClipError("The video of \(path) is none of VP8, VP9, AV1 and H.264.")
    }
    self.codec = codec
    width = contents.width
    height = contents.height
    var video = Self.packetizer(codec, framing: framing, parameters: contents.videoParameters)
    var audio = OpusPacketizer(maximumPayloadSize: Self.maximumPayloadSize)
    let start = contents.frames.first { $0.kind == .video && $0.isKeyframe }?.time ?? .zero
    var payloads: [Payload] = []
    for frame in contents.frames where frame.time >= start {
      let isVideo = frame.kind == .video
      let parts = frame.bytes.withUnsafeBytes { isVideo ? video.packetize($0) : audio.packetize($0) }
      for (place, part) in parts.enumerated() {
        payloads.append(
          Payload(
            time: frame.time - start, isVideo: isVideo, marker: isVideo && place == parts.count - 1,
            startsKeyframe: isVideo && frame.isKeyframe && place == 0, bytes: part))
      }
    }
    guard let last = payloads.last else { throw ClipError("The clip \(path) is empty.") }
    self.payloads = payloads
    duration = last.time + .milliseconds(33)
  }

  /// Mean of the video, bits per second.
  package var videoBitrate: Int {
    let bytes = payloads.reduce(0) { $0 + ($1.isVideo ? $1.bytes.count : 0) }
    return Int(Double(bytes) * 8 / duration.seconds)
  }

  private static func codec(_ id: AVCodecID) -> MediaCodec? {
    switch id {
    case AV_CODEC_ID_VP8: .vp8
    case AV_CODEC_ID_VP9: .vp9
    case AV_CODEC_ID_AV1: .av1
    case AV_CODEC_ID_H264: .h264
    default: nil
    }
  }

  /// MP4 and Matroska put lengths before NAL units; `avcC` begins with 1 (ISO/IEC 14496-15 §5.3.3.1).
  private static func framing(_ parameters: [UInt8]) -> H264Packetizer.Framing {
    guard parameters.count > 6, parameters[0] == 1 else { return .annexB }
    return .lengthPrefixed(bytes: Int(parameters[4] & 3) + 1)
  }

  private static func packetizer(
    _ codec: MediaCodec, framing: H264Packetizer.Framing, parameters: [UInt8]
  ) -> any Packetizer {
    switch codec {
    case .vp8: return VP8Packetizer(maximumPayloadSize: maximumPayloadSize)
    case .vp9: return VP9Packetizer(maximumPayloadSize: maximumPayloadSize)
    case .av1: return AV1Packetizer(maximumPayloadSize: maximumPayloadSize)
    case .h264, .opus, .red:
      var packetizer = H264Packetizer(maximumPayloadSize: maximumPayloadSize, framing: framing)
      packetizer.parameterSets = parameterSets(parameters)
      return packetizer
    }
  }

  /// The SPS and PPS of an `avcC` record (ISO/IEC 14496-15 §5.3.3.1).
  private static func parameterSets(_ record: [UInt8]) -> [[UInt8]] {
    record.withUnsafeBytes { bytes in
      var sets: [[UInt8]] = []
      var reader = ByteReader(bytes)
      guard bytes.count > 6, bytes[0] == 1, (try? reader.skip(5)) != nil else { return [] }
      for mask in [UInt8(0x1f), 0xff] {
        guard let count = try? reader.readUInt8() & mask else { return sets }
        for _ in 0..<count {
          guard let length = try? reader.readUInt16(), let set = try? reader.readBytes(Int(length)) else { return sets }
          sets.append(set)
        }
      }
      return sets
    }
  }
}
