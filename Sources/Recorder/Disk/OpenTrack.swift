import Archive
import Primitives

/// What the disk thread knows of one stream that it writes.
struct OpenTrack {
  struct File {
    let path: ArchivePath
    let file: any AppendableFile
  }

  /// Files that were begun, which numbers the next one.
  private(set) var segments: Int
  /// The segment that ``file`` is of.
  private(set) var segment: Int?
  var file: File?
  /// The number of the file's next part; its header is part 0.
  var nextPart = 0
  var isActive = false
  /// Since when the disk has taken nothing of it.
  var refusedSince: UTCTime?

  init(segments: Int) {
    self.segments = segments
  }

  func nextPath(_ id: TrackID, _ format: TrackFormat) -> ArchivePath? {
    let number = String(segments + 1)
    let padded = String(repeating: "0", count: max(0, 4 - number.count)) + number
    return ArchivePath(folder: .media, name: "\(id)-\(padded).\(format.container.rawValue)")
  }

  mutating func opened(_ file: File, segment: Int) {
    self.file = file
    self.segment = segment
    nextPart = 1
    segments += 1
  }

  mutating func end() {
    isActive = false
    segment = nil
    file = nil
  }
}
