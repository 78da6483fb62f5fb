import CLibAV
import Primitives

/// Encodes pictures and sound into an MP4: H.264 and AAC.
final class FilmWriter {
  private let file: OutputFile
  private let video: (encoder: Encoder, track: Int)?
  private let audio: (encoder: Encoder, track: Int)?
  /// Samples that were written.
  private(set) var samples: Int64 = 0
  private var lastPicture = Int64.min

  /// The longest film, in nanoseconds: a day.
  static let maximumLength: Int64 = 86_400_000_000_000

  private func check(_ time: Int64) throws(MediaFileError) {
    guard time <= Self.maximumLength else { throw MediaFileError(.time, "A film is at most 24 hours long.") }
  }

  /// Sizes in pixels, even; nil for a film without pictures.
  init(path: String, size: (width: Int, height: Int)?, hasSound: Bool) throws(MediaFileError) {
    // Encoders first: where one is missing, no file is begun.
    let pictures =
      if let size {
        try Encoder.h264(width: size.width, height: size.height, ticks: .ninetyKilohertz)
      } else { nil as Encoder? }
    let sound = hasSound ? try Encoder.aac() : nil
    file = try OutputFile(path: path, container: .mp4)
    video = if let pictures { (pictures, try file.add(pictures)) } else { nil }
    audio = if let sound { (sound, try file.add(sound)) } else { nil }
    try file.begin()
  }

  /// `time` in nanoseconds; a picture that is not later than the one before is left out.
  func write(_ picture: FrameHandle, at time: Int64) throws(MediaFileError) {
    guard let video else { return }
    try check(time)
    let ticks = Ticks.nanoseconds.convert(time, to: .ninetyKilohertz)
    guard ticks > lastPicture else { return }
    lastPicture = ticks
    picture.pointer.pointee.pts = ticks
    picture.pointer.pointee.pict_type = AV_PICTURE_TYPE_NONE
    try video.encoder.encode(picture, into: file, track: video.track)
  }

  /// Writes sound up to `time`, in nanoseconds, a frame at a time; `fill` puts samples into silent buffers.
  func writeSound(
    upTo time: Int64,
    _ fill: (Int64, UnsafeMutableBufferPointer<Float>, UnsafeMutableBufferPointer<Float>) throws(MediaFileError) -> Void
  ) throws(MediaFileError) {
    guard let audio else { return }
    try check(time)
    let end = Ticks.nanoseconds.convert(time, to: audio.encoder.ticks)
    while samples < end {
      let frame = try FrameHandle(samples: audio.encoder.frameSize, channels: 2, rate: Encoder.sampleRate)
      let (left, right) = (frame.samples(0), frame.samples(1))
      left.update(repeating: 0)
      right.update(repeating: 0)
      try fill(samples, left, right)
      for index in left.indices {
        left[index] = Self.limited(left[index])
        right[index] = Self.limited(right[index])
      }
      frame.pointer.pointee.pts = samples
      samples += Int64(left.count)
      try audio.encoder.encode(frame, into: file, track: audio.track)
    }
  }

  /// Several voices together may be too loud, and a damaged frame may be no number at all.
  private static func limited(_ sample: Float) -> Float {
    sample.isFinite ? max(-1, min(1, sample)) : 0
  }

  func finish() throws(MediaFileError) {
    if let video { try video.encoder.encode(nil, into: file, track: video.track) }
    if let audio { try audio.encoder.encode(nil, into: file, track: audio.track) }
    try file.finish()
  }
}
