import Archive
import Incidents
import Primitives

/// Something to be written into one incident's archive, in the order in which it was handed over.
package struct ArchiveJob: Sendable {
  package enum Work: Sendable {
    /// A stream of the incident begins; the archive is made if need be.
    case track(ManifestEntry.Track)
    case fragment(FragmentBytes)
    case gap(ManifestEntry.Gap)
    case clock(ManifestEntry.ClockPair)
    /// Nothing comes of this stream any more.
    case trackEnded(TrackID)
    /// A whole file, with who waits for it.
    case file(FileBytes)
    /// The journal has grown; `isClosed` when the incident is over.
    case journal(isClosed: Bool)
  }

  package let incident: IncidentID
  package let work: Work

  package init(_ incident: IncidentID, _ work: Work) {
    self.incident = incident
    self.work = work
  }

  /// What it counts in the queue: bytes, and a little for what has none.
  var weight: Int {
    switch work {
    case .fragment(let fragment): fragment.bytes.count + Self.smallWeight
    case .file(let file): file.bytes.count + Self.smallWeight
    case .track, .gap, .clock, .trackEnded, .journal: Self.smallWeight
    }
  }

  private static let smallWeight = 256
}

/// A fragment as it goes into its segment's file, with all that a new file needs: should the disk refuse one, the next
/// fragment begins another.
package struct FragmentBytes: Sendable {
  package struct Segment: Sendable {
    /// Counts the track's segments, so that a new one is told from the last.
    package var number: Int
    package var format: TrackFormat
    package var layer: ManifestEntry.Layer?
    /// What a file begins with.
    package var header: [UInt8]
    /// Media time 0.
    package var origin: UTCTime
  }

  package var track: ManifestEntry.Track
  package var segment: Segment
  package var bytes: [UInt8]
  package var start: UTCTime
  package var duration: TimeInterval64
  package var startsWithKeyframe: Bool
  package var frames: Int
}

/// A whole file for the archive.
package struct FileBytes: Sendable {
  package var path: ArchivePath
  package var bytes: [UInt8]
  package var purpose: ManifestEntry.File.Purpose
  package var track: TrackID?
  package var start: UTCTime
  package var duration: TimeInterval64
  package var mimeType: String
  package var note: String?
  /// Called once, on the disk thread, when it is durable or was refused.
  package var done: @Sendable (Result<[UInt8], DiskError>) -> Void

  package init(
    path: ArchivePath, bytes: [UInt8], purpose: ManifestEntry.File.Purpose, track: TrackID?, start: UTCTime,
    duration: TimeInterval64, mimeType: String, note: String?,
    done: @escaping @Sendable (Result<[UInt8], DiskError>) -> Void
  ) {
    self.path = path
    self.bytes = bytes
    self.purpose = purpose
    self.track = track
    self.start = start
    self.duration = duration
    self.mimeType = mimeType
    self.note = note
    self.done = done
  }
}
