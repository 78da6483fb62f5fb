import CLibAV
import Primitives

/// Reads the encoded frames of a media file with libavformat; nothing is decoded.
enum ClipReader {
  /// One encoded frame.
  struct Frame {
    var kind: Kind
    /// Presentation time from the start of the file.
    var time: TimeInterval64
    var isKeyframe: Bool
    var bytes: [UInt8]
  }

  enum Kind {
    case audio
    case video
  }

  /// What a file holds.
  struct Contents {
    var videoCodec: AVCodecID
    /// `avcC` and the like, for codecs that keep parameter sets outside their frames.
    var videoParameters: [UInt8]
    var frames: [Frame]
    /// Pixels.
    var width: Int
    var height: Int
  }

  /// Frames of the longest clip: an hour at 30 pictures and 50 sounds a second.
  private static let maximumFrames = 300_000

  static func read(_ path: String) throws(ClipError) -> Contents {
    var context: UnsafeMutablePointer<AVFormatContext>?
    guard avformat_open_input(&context, path, nil, nil) == 0, let file = context else {
      throw ClipError("Cannot open the clip \(path). Give a WebM or MP4 file that exists.")
    }
    defer { avformat_close_input(&context) }
    guard avformat_find_stream_info(file, nil) >= 0 else { throw ClipError("The clip \(path) is damaged.") }
    let video = av_find_best_stream(file, AVMEDIA_TYPE_VIDEO, -1, -1, nil, 0)
    let audio = av_find_best_stream(file, AVMEDIA_TYPE_AUDIO, -1, -1, nil, 0)
    guard video >= 0, let parameters = file.pointee.streams[Int(video)]?.pointee.codecpar else {
      throw ClipError("The clip \(path) has no video.")
    }
    if audio >= 0, file.pointee.streams[Int(audio)]?.pointee.codecpar.pointee.codec_id != AV_CODEC_ID_OPUS {
      throw ClipError("The sound of \(path) is not Opus. Convert it, for example with ffmpeg -c:a libopus.")
    }
    let extra = UnsafeBufferPointer(
      start: parameters.pointee.extradata, count: Int(max(0, parameters.pointee.extradata_size)))
    return Contents(
      videoCodec: parameters.pointee.codec_id, videoParameters: Array(extra),
      frames: try readFrames(file, video: video, audio: audio), width: Int(parameters.pointee.width),
      height: Int(parameters.pointee.height))
  }

  private static func readFrames(
    _ file: UnsafeMutablePointer<AVFormatContext>, video: Int32, audio: Int32
  ) throws(ClipError) -> [Frame] {
    var packet = av_packet_alloc()
    defer { av_packet_free(&packet) }
    guard let packet else { throw ClipError("Out of memory.") }
    var frames: [Frame] = []
    while frames.count < maximumFrames, av_read_frame(file, packet) >= 0 {
      defer { av_packet_unref(packet) }
      let index = packet.pointee.stream_index
      guard index == video || index == audio, let stream = file.pointee.streams[Int(index)], packet.pointee.size > 0
      else { continue }
      frames.append(
        Frame(
          kind: index == video ? .video : .audio, time: time(packet.pointee, stream.pointee.time_base),
          isKeyframe: packet.pointee.flags & AV_PKT_FLAG_KEY != 0,
          bytes: Array(UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size)))))
    }
    guard frames.contains(where: { $0.kind == .video && $0.isKeyframe }) else {
      throw ClipError("The clip has no keyframe.")
    }
    return frames.sorted { $0.time < $1.time }
  }

  private static func time(_ packet: AVPacket, _ base: AVRational) -> TimeInterval64 {
    let stamp = packet.pts != SL_AV_NOPTS_VALUE ? packet.pts : max(0, packet.dts)
    return TimeInterval64(nanoseconds: Int64(Double(stamp) * Double(base.num) / Double(max(1, base.den)) * 1e9))
  }
}

/// A clip that cannot be used; the text says what to do.
package struct ClipError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) {
    self.description = description
  }
}
