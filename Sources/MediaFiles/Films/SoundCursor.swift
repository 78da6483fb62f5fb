import Archive
import Primitives

/// Walks forwards through the sound of a track, as stereo samples on the clock of the whole recording; gaps are silent.
final class SoundCursor {
  private let reader: TrackReader
  private let converter = SoundConverter()
  private var decoder: TrackDecoder?
  private var isAtEnd = false
  /// Decoded samples that were not read yet; the first belongs to ``position``.
  private var left: [Float] = []
  private var right: [Float] = []
  private var position: Int64 = 0
  private var hasBegun = false

  /// Clocks drift and are corrected: sound is moved only when it is off by more, in samples (40 ms).
  static let tolerance: Int64 = 1_920
  /// Samples that may wait: a minute.
  private static let maximumWaiting = 60 * Encoder.sampleRate

  init(_ track: RecordedTrack, origin: UTCTime) {
    reader = TrackReader(track, origin: origin)
  }

  /// Whether all sound was read.
  var isFinished: Bool { isAtEnd && left.isEmpty }

  /// Adds the samples from `start` on to those in the buffers, which must be equally long.
  ///
  /// Calls must come in the order of time, without overlaps.
  func add(
    from start: Int64, left leftOut: UnsafeMutableBufferPointer<Float>,
    right rightOut: UnsafeMutableBufferPointer<Float>
  ) throws(MediaFileError) {
    let end = start + Int64(leftOut.count)
    while !isAtEnd, position + Int64(left.count) < end {
      let isTooFar = try reader.peek().map { sample($0.presentation) >= end && !left.isEmpty } ?? false
      if isTooFar { break }
      if let packet = try reader.peek(), left.isEmpty, sample(packet.presentation) >= end { return }
      try decodeNext()
    }
    drop(before: start)
    let offset = position - start
    guard offset < Int64(leftOut.count), offset >= 0 else { return }
    let count = min(left.count, leftOut.count - Int(offset), rightOut.count - Int(offset))
    for index in 0..<max(0, count) {
      leftOut[Int(offset) + index] += left[index]
      rightOut[Int(offset) + index] += right[index]
    }
    drop(before: end)
  }

  private func drop(before time: Int64) {
    guard time > position else { return }
    let count = Int(min(time - position, Int64(left.count)))
    left.removeFirst(count)
    right.removeFirst(count)
    position = left.isEmpty ? time : position + Int64(count)
  }

  private func sample(_ nanoseconds: Int64) -> Int64 {
    Ticks.nanoseconds.convert(nanoseconds, to: Ticks(numerator: 1, denominator: Int32(Encoder.sampleRate)))
  }

  private func decodeNext() throws(MediaFileError) {
    guard let packet = try reader.read() else {
      isAtEnd = true
      try decoder?.drain(keep)
      decoder = nil
      return
    }
    if packet.beginsSegment {
      try decoder?.drain(keep)
      if decoder.map({ !$0.track.isSame(as: packet.track) }) ?? true { decoder = try TrackDecoder(packet.track) }
    }
    var input = packet.packet
    input.ticks = .nanoseconds
    (input.presentation, input.decoding, input.duration) = (packet.presentation, packet.decoding, packet.duration)
    try decoder?.decode(input, keep)
  }

  /// Puts decoded sound to its place: right behind what there is, or behind silence.
  ///
  /// Where two recordings tell of the same moment, the later one counts; what was asked for already is left out.
  private func keep(_ frame: FrameHandle) throws(MediaFileError) {
    let wanted = sample(frame.pointer.pointee.pts)
    let distance = wanted - (position + Int64(left.count))
    var surplus = 0
    if distance > (hasBegun ? Self.tolerance : 0) {
      if left.isEmpty { position = wanted } else { appendSilence(distance) }
    } else if distance < (hasBegun ? -Self.tolerance : 0) {
      let replaced = Int(min(-distance, Int64(left.count)))
      left.removeLast(replaced)
      right.removeLast(replaced)
      surplus = Int(clamping: -distance) - replaced
    }
    hasBegun = true
    do {
      try converter.convert(frame) { newLeft, newRight in
        left.append(contentsOf: newLeft.dropFirst(surplus))
        right.append(contentsOf: newRight.dropFirst(surplus))
        surplus = max(0, surplus - newLeft.count)
      }
    } catch {
      guard error.code == .damaged else { throw error }
    }
  }

  private func appendSilence(_ samples: Int64) {
    let count = Int(min(samples, Int64(max(0, Self.maximumWaiting - left.count))))
    left.append(contentsOf: repeatElement(0, count: count))
    right.append(contentsOf: repeatElement(0, count: count))
  }
}
