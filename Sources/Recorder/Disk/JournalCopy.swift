import Archive
import Incidents
import Primitives

/// The archive's copy of its incident's journal, which only grows.
struct JournalCopy {
  private let file: any AppendableFile
  private let source: any JournalSource
  private let incident: IncidentID
  private(set) var mark: ManifestEntry.JournalMark

  /// Events that are copied in one step.
  private static let page = 500

  init(file: any AppendableFile, source: any JournalSource, incident: IncidentID, mark: ManifestEntry.JournalMark) {
    self.file = file
    self.source = source
    self.incident = incident
    self.mark = mark
  }

  /// Copies what has happened since, durably; false when there was nothing.
  mutating func catchUp() throws -> Bool {
    var hasGrown = false
    while true {
      let events = try source.events(of: incident, after: mark.number, limit: Self.page)
      guard let last = events.last else { return hasGrown }
      var bytes: [UInt8] = []
      for event in events { bytes += event.json.canonicalBytes + [UInt8(ascii: "\n")] }
      try file.append(bytes)
      try file.synchronize()
      mark = ManifestEntry.JournalMark(number: last.number, hash: last.hash, length: file.length)
      hasGrown = true
      if events.count < Self.page { return true }
    }
  }
}
