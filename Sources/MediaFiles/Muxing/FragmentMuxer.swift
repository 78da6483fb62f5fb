import Archive
import Primitives

/// Turns fragments of one track into the bytes of one file that only ever grows.
///
/// ``header`` and the results of ``mux(_:)``, one after the other, are a whole file at any moment: a fragmented MP4 with
/// one `moof` a fragment (ISO/IEC 14496-12 §8.8), or a WebM with one cluster a fragment (RFC 9559). Nothing is ever
/// rewritten, so that a file which a crash cut off plays up to its last whole fragment.
///
/// A frame is shown at its time minus ``start``, rounded to the container's clock: 1/90,000 s for pictures, 1/48,000 s
/// for sound, 1 ms in WebM. A gap between fragments stays a gap. Within a fragment a frame lasts until the next; only
/// the last one's own duration is written. Not thread-safe: one recorder owns it.
package final class FragmentMuxer {
  /// The file's beginning: what a player needs before any fragment.
  package let header: [UInt8]
  package let format: TrackFormat
  /// The moment that the file's clock counts from.
  package let start: UTCTime

  private let writer: Writer
  private var clock: FragmentClock

  private enum Writer {
    case mp4(MP4FragmentWriter)
    case webm(WebMFragmentWriter)
  }

  /// Frames of the longest fragment.
  package static let maximumFrames = 10_000
  /// Bytes of the largest frame: 16 MiB.
  package static let maximumFrameBytes = 16 << 20

  /// Throws ``MediaFileError`` with the code `format` when the header cannot be written.
  package init(format: TrackFormat, start: UTCTime) throws(MediaFileError) {
    self.format = format
    self.start = start
    try format.checkForWriting()
    switch format.container {
    case .mp4:
      let mp4 = try MP4FragmentWriter(format)
      header = try mp4.header()
      writer = .mp4(mp4)
      clock = FragmentClock(start: start, ticksPerSecond: format.kind == .video ? 90_000 : 48_000, minimumStep: 1)
    case .webm:
      let webm = WebMFragmentWriter(format)
      header = webm.header
      writer = .webm(webm)
      clock = FragmentClock(start: start, ticksPerSecond: 1_000, minimumStep: 0)
    }
  }

  /// The fragment's bytes, to be appended to the file.
  ///
  /// A frame whose time lies up to ``FragmentClock/maximumCorrection`` before that of its predecessor, or of ``start``, is
  /// written right behind it: clocks get corrected, files cannot go back. Throws with the codes `frame`, `time` or
  /// `format`; a fragment that throws leaves no trace in the file.
  package func mux(_ fragment: MediaFragment) throws(MediaFileError) -> [UInt8] {
    guard fragment.format == format else {
      throw MediaFileError(.format, "The fragment's format is not the file's: a change begins a new segment.")
    }
    guard !fragment.frames.isEmpty, fragment.frames.count <= Self.maximumFrames else {
      throw MediaFileError(.frame, "A fragment has 1 to \(Self.maximumFrames) frames, not \(fragment.frames.count).")
    }
    var next = clock
    var samples: [FragmentSample] = []
    samples.reserveCapacity(fragment.frames.count)
    for frame in fragment.frames {
      guard !frame.bytes.isEmpty, frame.bytes.count <= Self.maximumFrameBytes else {
        throw MediaFileError(.frame, "A frame of \(frame.bytes.count) bytes cannot be written.")
      }
      let ticks = try next.stamp(frame)
      samples.append(FragmentSample(frame: frame, time: ticks.time, duration: ticks.duration))
    }
    let bytes =
      switch writer {
      case .mp4(let mp4): try mp4.fragment(samples)
      case .webm(let webm): try webm.cluster(samples)
      }
    clock = next
    return bytes
  }
}

/// A frame with its place on the file's clock, in ticks.
struct FragmentSample {
  var frame: MediaFrame
  var time: Int64
  /// At least 1.
  var duration: Int64
}

/// Places frames on a file's clock, which never goes back.
package struct FragmentClock {
  let start: UTCTime
  let ticksPerSecond: Int64
  /// Between two frames, in ticks.
  let minimumStep: Int64
  /// The earliest time, in ticks, that the next frame may have.
  private var earliest: Int64 = 0

  init(start: UTCTime, ticksPerSecond: Int64, minimumStep: Int64) {
    self.start = start
    self.ticksPerSecond = ticksPerSecond
    self.minimumStep = minimumStep
  }

  /// How far a frame may lie before its predecessor.
  package static let maximumCorrection = TimeInterval64.milliseconds(1_000)
  /// The longest file: a week.
  package static let maximumLength = TimeInterval64.milliseconds(7 * 86_400_000)
  /// The longest time that one frame is shown for: an hour.
  package static let maximumDuration = TimeInterval64.milliseconds(3_600_000)

  mutating func stamp(_ frame: MediaFrame) throws(MediaFileError) -> (time: Int64, duration: Int64) {
    let offset = frame.time - start
    guard offset.nanoseconds >= -Self.maximumCorrection.nanoseconds, offset <= Self.maximumLength else {
      throw MediaFileError(.time, "A frame at \(frame.time) does not belong in a file that begins at \(start).")
    }
    guard frame.duration <= Self.maximumDuration else {
      throw MediaFileError(.time, "A frame of \(frame.duration.seconds) s is longer than an hour.")
    }
    let wanted = ticks(offset.nanoseconds)
    let correction = earliest - wanted
    guard correction <= ticks(Self.maximumCorrection.nanoseconds) else {
      throw MediaFileError(.time, "A frame at \(frame.time) lies before the one that was written last.")
    }
    let time = max(wanted, earliest)
    let end = ticks(offset.nanoseconds + max(0, frame.duration.nanoseconds))
    earliest = time + minimumStep
    return (time, max(1, end - wanted))
  }

  /// Rounded to the nearest tick; `nanoseconds` lies within ``maximumLength`` and an hour, so that nothing overflows.
  private func ticks(_ nanoseconds: Int64) -> Int64 {
    let microseconds = nanoseconds / 1_000
    let product = microseconds * ticksPerSecond
    return (product + (product < 0 ? -500_000 : 500_000)) / 1_000_000
  }
}
