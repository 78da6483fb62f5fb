import Archive
import Foundation
import MediaFiles
import Primitives

/// Two seconds of every codec, as a recorder gets them: made by FFmpeg's encoders, without B-frames.
struct Footage: Sendable {
  var format: TrackFormat
  var frames: [MediaFrame]

  static let start = UTCTime("2026-03-01T12:00:00.123456Z") ?? UTCTime(seconds: 0)

  static let all: [Result<Footage, any Error>] = [h264, vp8, vp9, av1, opus]
  static let names = ["h264", "vp8", "vp9", "av1", "opus"]

  static func named(_ name: String) throws -> Footage {
    guard let index = names.firstIndex(of: name) else { throw Tool.Failure(text: "No footage \(name).") }
    return try all[index].get()
  }

  static let h264 = Result { try video("h264") }
  static let vp8 = Result { try video("vp8") }
  static let vp9 = Result { try video("vp9") }
  static let av1 = Result { try video("av1") }
  static let opus = Result {
    let path = Tool.path(".webm")
    try Tool.ffmpeg(["-f", "lavfi", "-i", "sine=f=440:d=2:r=48000", "-c:a", "libopus", "-ac", "2", path])
    return try read(path)
  }

  /// Frame n is grey with the luma 16 + 3 n, a keyframe every half second; the left half of ``halves`` is white.
  static let ramp = Result { try grey("lum='16+3*N'", "libx264", ".mp4", ["-bf", "0", "-preset", "ultrafast"]) }
  static let rampVP8 = Result {
    try grey("lum='16+3*N'", "libvpx", ".webm", ["-deadline", "realtime", "-auto-alt-ref", "0"])
  }
  static let halves = Result {
    try grey("lum='if(lt(X,W/2),235,16)'", "libx264", ".mp4", ["-bf", "0", "-preset", "ultrafast"])
  }

  private static func grey(_ luma: String, _ encoder: String, _ suffix: String, _ options: [String]) throws -> Footage {
    let path = Tool.path(suffix)
    try Tool.ffmpeg(
      [
        "-f", "lavfi", "-i", "color=gray:s=320x180:r=30:d=2,format=yuv420p,geq=\(luma):cb=128:cr=128", "-c:v", encoder,
        "-g", "15",
      ]
        + options + [path])
    return try read(path)
  }

  /// The same in a quarter of the size.
  static func small(_ name: String) throws -> Footage { try video(name, size: "160x90") }

  private static func video(_ name: String, size: String = "320x180") throws -> Footage {
    let (suffix, encoder) =
      switch name {
      case "h264": (".mp4", ["libx264", "-bf", "0", "-preset", "ultrafast", "-profile:v", "baseline"])
      case "vp8": (".webm", ["libvpx", "-deadline", "realtime", "-auto-alt-ref", "0"])
      case "vp9": (".webm", ["libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0"])
      default:
        (
          ".mp4",
          ["libaom-av1", "-strict", "experimental", "-usage", "realtime", "-cpu-used", "8", "-lag-in-frames", "0"]
        )
      }
    let path = Tool.path(suffix)
    try Tool.ffmpeg(
      ["-f", "lavfi", "-i", "testsrc2=s=\(size):r=30:d=2", "-pix_fmt", "yuv420p", "-g", "30", "-c:v"] + encoder + [path]
    )
    return try read(path)
  }

  private static func read(_ path: String) throws -> Footage {
    let demuxer = try FragmentDemuxer(try ByteSource(path: path))
    let track = demuxer.tracks[0]
    var frames: [MediaFrame] = []
    while let packet = try demuxer.next() {
      let duration: TimeInterval64 = track.kind == .audio ? .milliseconds(20) : .microseconds(33_333)
      let time =
        start + TimeInterval64.microseconds(Int64(frames.count) * (track.kind == .audio ? 20_000 : 100_000 / 3))
      frames.append(MediaFrame(time: time, duration: duration, isKeyframe: packet.isKeyframe, bytes: packet.bytes))
    }
    return Footage(format: format(track), frames: frames)
  }

  private static func format(_ track: MediaTrack) -> TrackFormat {
    let codec: TrackFormat.Codec =
      switch track.codec {
      case .h264: avc(track.configuration)
      case .vp8: .vp8
      case .vp9: .vp9(profile: 0, bitDepth: 8)
      case .av1: .av1(sequenceHeader: Array(track.configuration.dropFirst(4)))
      case .opus, .aac: .opus(channels: UInt8(track.channels))
      }
    return TrackFormat(codec: codec, width: track.width, height: track.height)
  }

  /// One of each in `avcC`.
  private static func avc(_ record: [UInt8]) -> TrackFormat.Codec {
    let length = Int(record[6]) << 8 | Int(record[7])
    let rest = Array(record[(8 + length + 1)...])
    let second = Int(rest[0]) << 8 | Int(rest[1])
    return .h264(sequenceParameters: [Array(record[8..<8 + length])], pictureParameters: [Array(rest[2..<2 + second])])
  }

  /// A fragment a second, or as long as wanted.
  func fragments(_ seconds: Double = 1) -> [MediaFragment] {
    var fragments: [MediaFragment] = []
    for frame in frames {
      let index = Int(((frame.time - Self.start).seconds + 0.000_1) / seconds)
      if index >= fragments.count { fragments.append(MediaFragment(format: format, frames: [])) }
      fragments[fragments.count - 1].frames.append(frame)
    }
    return fragments
  }

  /// Everything `later`.
  func shifted(_ later: TimeInterval64) -> Footage {
    var copy = self
    for index in copy.frames.indices { copy.frames[index].time = copy.frames[index].time + later }
    return copy
  }

  /// The whole file.
  func file(start: UTCTime = Footage.start, fragmentSeconds: Double = 1) throws -> [UInt8] {
    let muxer = try FragmentMuxer(format: format, start: start)
    var bytes = muxer.header
    for fragment in fragments(fragmentSeconds) { bytes += try muxer.mux(fragment) }
    return bytes
  }
}
