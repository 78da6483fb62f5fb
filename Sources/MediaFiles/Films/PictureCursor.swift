import Archive
import CLibAV
import Primitives

/// Walks forwards through the pictures of a track and says which one was to be seen at a moment.
final class PictureCursor {
  private let reader: TrackReader
  private let gaps: [Range<Int64>]
  private var decoder: TrackDecoder?
  /// Decoded pictures that are not due yet, in the order of their times; times are those of the whole recording.
  private var waiting: [Shown] = []
  private var current: Shown?
  private var isAtEnd = false

  /// How long a picture may stay when nothing follows it, where the manifest names no gap.
  static let longestHold: Int64 = 2_000_000_000
  /// Decoders hold back a few pictures; more than these waiting means that times in the file are nonsense.
  private static let maximumWaiting = 64

  /// A picture with its time, in nanoseconds from the origin.
  private struct Shown {
    var time: Int64
    var frame: FrameHandle
    var rotation: Int
    var number: Int
  }

  private var count = 0

  init(_ track: RecordedTrack, origin: UTCTime) {
    reader = TrackReader(track, origin: origin)
    gaps = track.gaps.compactMap { gap in
      let (start, end) = ((gap.start - origin).nanoseconds, (gap.end - origin).nanoseconds)
      return start < end ? start..<end : nil
    }
  }

  /// Which picture is to be seen, and an identity by which to tell whether it is another than before.
  ///
  /// Nil in a gap. Calls must come in the order of time, in nanoseconds from the origin.
  func picture(at time: Int64) throws(MediaFileError) -> (frame: FrameHandle, rotation: Int, number: Int)? {
    while !isAtEnd, (waiting.last?.time ?? .min) <= time, waiting.count < Self.maximumWaiting {
      try decodeNext()
      advance(to: time)
    }
    advance(to: time)
    guard let current, !gaps.contains(where: { $0.contains(time) }) else { return nil }
    // A picture from before a gap says nothing about what follows it.
    guard !gaps.contains(where: { current.time < $0.lowerBound && $0.upperBound <= time }) else { return nil }
    let isHeld = waiting.first.map { $0.time - current.time <= Self.longestHold } ?? false
    guard isHeld || time - current.time <= Self.longestHold else { return nil }
    return (current.frame, current.rotation, current.number)
  }

  private func advance(to time: Int64) {
    while let first = waiting.first, first.time <= time {
      current = first
      waiting.removeFirst()
    }
  }

  private func decodeNext() throws(MediaFileError) {
    guard let packet = try reader.read() else {
      isAtEnd = true
      try finishDecoder()
      return
    }
    if packet.beginsSegment, decoder.map({ !$0.track.isSame(as: packet.track) }) ?? true {
      try finishDecoder()
      decoder = try TrackDecoder(packet.track, threads: 2)
    }
    // The decoder's clock is that of the whole recording, so that it may run across segments.
    var input = packet.packet
    input.ticks = .nanoseconds
    (input.presentation, input.decoding, input.duration) = (packet.presentation, packet.decoding, packet.duration)
    try decoder?.decode(input, keep)
  }

  private func finishDecoder() throws(MediaFileError) {
    try decoder?.drain(keep)
    decoder = nil
  }

  private func keep(_ frame: FrameHandle) {
    count += 1
    let time = max(frame.pointer.pointee.pts, waiting.last?.time ?? .min)
    waiting.append(Shown(time: time, frame: frame, rotation: decoder?.track.rotation ?? 0, number: count))
  }
}
