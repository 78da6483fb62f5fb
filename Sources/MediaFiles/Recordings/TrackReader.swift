import Archive
import Primitives

/// A coded frame on the clock of a whole recording.
struct TimedPacket {
  /// Description of the track in the frame's own file.
  var track: MediaTrack
  var packet: MediaPacket
  /// Nanoseconds from the reader's origin.
  var presentation: Int64
  var decoding: Int64
  var duration: Int64
  /// Whether its file is another than that of the frame before.
  var beginsSegment: Bool
}

/// Reads the frames of a track's segments one after the other, on one clock.
///
/// A segment that is damaged is read as far as possible; its number is kept in ``damaged``.
final class TrackReader {
  private let track: RecordedTrack
  private let origin: UTCTime
  private var next = 0
  private var current: (demuxer: FragmentDemuxer, track: MediaTrack, offset: Int64)?
  private var isFirst = false
  private var bytesRead = 0
  private var peeked: TimedPacket??

  /// No recording is longer, in nanoseconds: ten years; sums of such times do not overflow.
  private static let maximumOffset: Int64 = 3_650 * 86_400 * 1_000_000_000

  /// Segments that could not be read to their end.
  private(set) var damaged: Set<Int> = []

  init(_ track: RecordedTrack, origin: UTCTime) {
    self.track = track
    self.origin = origin
  }

  /// From 0 to 1, by bytes.
  var progress: Double {
    let total = track.byteCount
    return total > 0 ? min(1, Double(bytesRead) / Double(total)) : 1
  }

  /// The frame that the next call of ``read()`` returns.
  func peek() throws(MediaFileError) -> TimedPacket? {
    if let peeked { return peeked }
    let packet = try fetch()
    peeked = .some(packet)
    return packet
  }

  /// Nil at the end of the last segment; throws when a source cannot be read.
  func read() throws(MediaFileError) -> TimedPacket? {
    let packet = try peek()
    peeked = nil
    return packet
  }

  private func fetch() throws(MediaFileError) -> TimedPacket? {
    while true {
      if let current {
        if let packet = try frame(current.demuxer, current.track, current.offset) { return packet }
        self.current = nil
      }
      guard next < track.segments.count else { return nil }
      next += 1
      try open(track.segments[next - 1])
    }
  }

  private func open(_ segment: RecordedSegment) throws(MediaFileError) {
    do {
      let demuxer = try FragmentDemuxer(segment.source)
      guard var found = demuxer.tracks.first(where: { $0.kind == track.kind }) else { return }
      if let rotation = segment.rotation, found.kind == .video { found.rotation = rotation }
      let offset = (segment.start - origin).nanoseconds
      current = (demuxer, found, max(-Self.maximumOffset, min(Self.maximumOffset, offset)))
      isFirst = true
    } catch {
      try note(error)
    }
  }

  private func frame(
    _ demuxer: FragmentDemuxer, _ track: MediaTrack, _ offset: Int64
  ) throws(MediaFileError) -> TimedPacket? {
    do {
      while let packet = try demuxer.next() {
        bytesRead += packet.bytes.count
        guard packet.track == track.index else { continue }
        defer { isFirst = false }
        return TimedPacket(
          track: track, packet: packet, presentation: offset + packet.time.nanoseconds,
          decoding: offset + packet.ticks.interval(packet.decoding).nanoseconds,
          duration: packet.length.nanoseconds, beginsSegment: isFirst)
      }
      return nil
    } catch {
      try note(error)
      return nil
    }
  }

  /// What is wrong inside a file ends that file; what is wrong with reading ends the work.
  private func note(_ error: MediaFileError) throws(MediaFileError) {
    guard error.code == .damaged || error.code == .unsupported else { throw error }
    damaged.insert(next - 1)
  }
}
