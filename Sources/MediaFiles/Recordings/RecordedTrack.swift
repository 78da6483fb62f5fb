import Archive
import Primitives

/// One file of a recording, with its place in time.
package struct RecordedSegment: Sendable {
  package var source: ByteSource
  /// The moment that the file's clock counts from.
  package var start: UTCTime
  /// Degrees clockwise, where it is known better than the file says: WebM says nothing.
  package var rotation: Int?

  package init(source: ByteSource, start: UTCTime, rotation: Int? = nil) {
    self.source = source
    self.start = start
    self.rotation = rotation
  }
}

/// A stretch of time: from its first moment up to, and without, its last.
package struct TimeSpan: Hashable, Sendable {
  package var start: UTCTime
  package var end: UTCTime

  package init(start: UTCTime, end: UTCTime) {
    self.start = start
    self.end = end
  }

  package func contains(_ time: UTCTime) -> Bool { start <= time && time < end }
}

/// Everything that was recorded of one camera or microphone.
package struct RecordedTrack: Sendable {
  package var kind: TrackKind
  /// Where several files tell of the same moment, the later one counts.
  package var segments: [RecordedSegment]
  /// Where nothing was recorded, as the manifest says.
  package var gaps: [TimeSpan]

  package init(kind: TrackKind, segments: [RecordedSegment], gaps: [TimeSpan] = []) {
    self.kind = kind
    self.segments = segments.sorted { $0.start < $1.start }
    self.gaps = gaps
  }

  package var start: UTCTime? { segments.first?.start }
  package var byteCount: Int { segments.reduce(0) { $0 + $1.source.length } }
}

/// Told how far a long work has come, from 0 to 1; false stops it, and it throws with the code `cancelled`.
package typealias ProgressHandler = (Double) -> Bool

/// Calls a ``ProgressHandler`` no more often than is of use.
struct ProgressMeter {
  private let handler: ProgressHandler?
  private var reported = -1.0

  private static let step = 0.005

  init(_ handler: ProgressHandler?) {
    self.handler = handler
  }

  mutating func report(_ fraction: Double) throws(MediaFileError) {
    guard let handler, fraction >= reported + Self.step || fraction >= 1 && reported < 1 else { return }
    reported = fraction
    guard handler(min(1, max(0, fraction))) else { throw MediaFileError(.cancelled, "Stopped on request.") }
  }
}
