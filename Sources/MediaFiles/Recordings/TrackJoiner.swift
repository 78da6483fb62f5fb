import Archive
import Primitives

/// A film out of a recording, as ``TrackJoiner`` wrote it.
package struct JoinedFile: Hashable, Sendable {
  package var path: String
  package var container: TrackFormat.Container
  /// The moment that the film begins.
  package var start: UTCTime
  package var duration: TimeInterval64
  package var kinds: [TrackKind]
  /// Degrees clockwise that the pictures must be turned by and that no player will, because it is a WebM.
  ///
  /// ``Redaction`` with an empty plan makes an upright copy.
  package var missingRotation: Int
}

/// What became of a join.
package struct JoinReport: Hashable, Sendable {
  package var files: [JoinedFile]
  /// Numbers of segments that could not be read to their end, of pictures and of sound.
  package var damagedVideo: [Int]
  package var damagedAudio: [Int]
}

/// Joins the segments of a recording to films that any player plays.
///
/// Frames are copied, never encoded anew: a joined film is as good as the recording. The size may change within a film,
/// as it did in the call; for that, each keyframe of H.264 gets its parameter sets. Where the codec or the rotation
/// changes, a film ends and the next one begins, with `-2`, `-3` … behind its name. Pictures in VP8 make a WebM, all
/// others an MP4. Times are real: in a gap, players show the last picture until the next.
package enum TrackJoiner {
  /// Films that one recording may fall into.
  package static let maximumFiles = 1_000

  /// Writes `base`.mp4 or .webm, and so on; files that exist are never overwritten.
  ///
  /// Pictures and sound of one person go into one film when both are given. Throws ``MediaFileError``, `empty` when
  /// there is nothing to join; what had been finished until then stays, what had not is removed.
  package static func join(
    video: RecordedTrack? = nil, audio: RecordedTrack? = nil, to base: String, progress: ProgressHandler? = nil
  ) throws(MediaFileError) -> JoinReport {
    guard let origin = [video?.start, audio?.start].compactMap({ $0 }).min() else {
      throw MediaFileError(.empty, "There is nothing to join.")
    }
    let pictures = video.map { TrackReader($0, origin: origin) }
    let sound = audio.map { TrackReader($0, origin: origin) }
    var meter = ProgressMeter(progress)
    var files: [JoinedFile] = []
    while let film = try Film(
      pictures, sound, base: files.isEmpty ? base : "\(base)-\(files.count + 1)", origin: origin)
    {
      files.append(try film.copy(pictures, sound, &meter))
      guard files.count < maximumFiles else {
        throw MediaFileError(.unsupported, "The recording falls into more than \(maximumFiles) films.")
      }
    }
    guard !files.isEmpty else { throw MediaFileError(.empty, "There is no whole frame to join.") }
    try meter.report(1)
    return JoinReport(
      files: files, damagedVideo: pictures?.damaged.sorted() ?? [], damagedAudio: sound?.damaged.sorted() ?? [])
  }
}

/// One film while it is written: all frames up to a change of format.
private struct Film {
  private let file: OutputFile
  private let path: String
  private let container: TrackFormat.Container
  private let origin: UTCTime
  /// Nanoseconds from the origin.
  private let start: Int64
  private let video: (format: MediaTrack, track: Int)?
  private let audio: (format: MediaTrack, track: Int)?
  private var end: Int64

  /// Nil when both readers have come to their end.
  init?(
    _ pictures: TrackReader?, _ sound: TrackReader?, base: String, origin: UTCTime
  ) throws(MediaFileError) {
    let (picture, sample) = (try pictures?.peek(), try sound?.peek())
    guard let start = [picture?.decoding, sample?.presentation].compactMap({ $0 }).min() else { return nil }
    self.origin = origin
    self.start = start
    end = start
    container = picture?.track.codec == .vp8 ? .webm : .mp4
    path = "\(base).\(container.rawValue)"
    file = try OutputFile(path: path, container: container)
    video = if let picture { (picture.track, try file.add(picture.track)) } else { nil }
    audio = if let sample { (sample.track, try file.add(sample.track)) } else { nil }
    try file.begin()
  }

  /// Copies frames until one of them needs another film.
  func copy(
    _ pictures: TrackReader?, _ sound: TrackReader?, _ meter: inout ProgressMeter
  ) throws(MediaFileError) -> JoinedFile {
    var end = start
    while true {
      let (picture, sample) = (try pictures?.peek(), try sound?.peek())
      let isPicture = (picture?.decoding ?? .max) <= (sample?.presentation ?? .max)
      guard let packet = isPicture ? picture : sample, let target = isPicture ? video : audio,
        packet.track.canFollow(target.format)
      else { break }
      _ = isPicture ? try pictures?.read() : try sound?.read()
      try file.write(
        packet.selfContainedBytes, track: target.track, presentation: packet.presentation - start,
        decoding: packet.decoding - start, duration: packet.duration, isKeyframe: packet.packet.isKeyframe)
      end = max(end, packet.presentation + packet.duration)
      try meter.report(min(pictures?.progress ?? 1, sound?.progress ?? 1) * 0.99)
    }
    try file.finish()
    return JoinedFile(
      path: path, container: container, start: origin + TimeInterval64(nanoseconds: start),
      duration: TimeInterval64(nanoseconds: end - start),
      kinds: [video.map { _ in .video }, audio.map { _ in .audio }].compactMap { $0 },
      missingRotation: container == .webm ? video?.format.rotation ?? 0 : 0)
  }
}

extension MediaTrack {
  /// Whether its frames can come behind those of `other` in one track of a film.
  ///
  /// VP8, VP9 and AV1 say a new size in their keyframes.
  fileprivate func canFollow(_ other: MediaTrack) -> Bool {
    guard codec == other.codec, rotation == other.rotation, profile == other.profile else { return false }
    switch codec {
    case .vp8, .vp9, .av1: return true
    case .h264:
      return configuration == other.configuration
        || H264ParameterSets(configuration) != nil && H264ParameterSets(other.configuration) != nil
    case .opus, .aac: return isSame(as: other)
    }
  }

  /// Whether one decoder can go on from one to the other without knowing.
  func isSame(as other: MediaTrack) -> Bool {
    var copy = other
    copy.index = index
    return self == copy
  }
}

extension TimedPacket {
  /// The frame, with what a decoder must know first where the file's header may say something else.
  fileprivate var selfContainedBytes: [UInt8] {
    guard track.codec == .h264, packet.isKeyframe, let sets = H264ParameterSets(track.configuration) else {
      return packet.bytes
    }
    return sets.units + packet.bytes
  }
}
