import Cryptography
import Incidents
import JSON
import Primitives

/// Follows an archive's copy of the journal and holds it against the marks of the seals.
struct JournalCheck {
  private let incident: IncidentID?
  private let isSealed: Bool
  /// By number of the event, the marks that are to be met.
  private var marks: [Int: [ManifestCheck.Mark]] = [:]
  private let lastMark: Int

  private var position = 0
  /// Number and hash of the event before; nil behind a line that cannot be read.
  private var head: (number: Int, hash: [UInt8])? = (0, JournalEvent.genesisHash)

  init(incident: IncidentID?, marks: [ManifestCheck.Mark], isSealed: Bool) {
    self.incident = incident
    self.isSealed = isSealed
    lastMark = marks.last?.mark.number ?? 0
    var known: Set<ManifestEntry.JournalMark> = []
    for mark in marks where known.insert(mark.mark).inserted { self.marks[mark.mark.number, default: []].append(mark) }
  }

  mutating func run(
    _ reader: any ArchiveReading, _ report: inout VerificationReport
  ) throws(ArchiveReadingError) {
    meet(0, JournalEvent.genesisHash, end: 0, &report)
    var lines = ArchiveLineReader(ArchiveFile.journal, of: reader, limit: ArchiveFile.maximumJournalLine)
    while let piece = try lines.next() {
      switch piece {
      case .line(let bytes): take(bytes, end: lines.offset, &report)
      case .tooLong:
        position += 1
        fail("is longer than 1 MiB and was passed over", &report)
      case .rest(let bytes): takeRest(bytes, &report)
      }
    }
    if lines.isMissing, lastMark > 0 {
      report.add(
        .damage, ArchiveFile.journal,
        "is missing: seals vouch for \(lastMark) events in it. Fetch the journal from the node that recorded the incident"
      )
    } else {
      finish(&report)
    }
  }

  private mutating func take(_ bytes: [UInt8], end: Int, _ report: inout VerificationReport) {
    position += 1
    guard let event = Self.event(bytes) else {
      return fail("is no journal event with the hash of its content: it was edited", &report)
    }
    guard incident == nil || event.incident == incident else {
      return fail("is an event of \(event.incident), which is another incident", &report)
    }
    if let head, event.number != head.number + 1 || event.previousHash != head.hash {
      let text =
        event.number == head.number + 1
        ? "does not follow the event before: that one was replaced"
        : "is event \(event.number), not \(head.number + 1): lines were removed, added or swapped"
      report.add(.damage, ArchiveFile.journal, line: position, text)
    }
    head = (event.number, event.hash)
    report.counts.events += 1
    meet(event.number, event.hash, end: end, &report)
  }

  /// The event in a line that is written as events are; nil for anything else.
  static func event(_ bytes: [UInt8]) -> JournalEvent? {
    guard let json = try? JSONValue(parsing: bytes), let event = JournalEvent(json: json),
      event.json.canonicalBytes == bytes
    else { return nil }
    return event
  }

  private mutating func fail(_ text: String, _ report: inout VerificationReport) {
    report.add(.damage, ArchiveFile.journal, line: position, text)
    head = nil
  }

  /// Holds the event against the seals that name it.
  private mutating func meet(_ number: Int, _ hash: [UInt8], end: Int, _ report: inout VerificationReport) {
    for mark in marks.removeValue(forKey: number) ?? [] {
      guard mark.mark.hash != hash || mark.mark.length != end else { continue }
      let text =
        mark.mark.hash == hash
        ? "ends at byte \(end), not at \(mark.mark.length)" : "has another hash than the event that was sealed"
      report.add(
        .damage, ArchiveFile.journal, line: max(position, 1),
        "\(text), as line \(mark.line) of the manifest says: the copy of the journal was rewritten")
    }
  }

  private mutating func takeRest(_ bytes: [UInt8], _ report: inout VerificationReport) {
    if !isSealed, ManifestTail.mayBeCutOff(bytes) {
      report.add(
        .notice, ArchiveFile.journal, "ends with \(bytes.count) bytes of an event that was being written")
    } else {
      position += 1
      fail("has no end: it was cut off or added to", &report)
    }
  }

  private func finish(_ report: inout VerificationReport) {
    let reached = head?.number ?? 0
    for number in marks.keys.sorted() {
      guard let mark = marks[number]?.first else { continue }
      report.add(
        .damage, ArchiveFile.journal,
        "has no event \(number) that can be read, which line \(mark.line) of the manifest sealed: events were changed or "
          + "removed. Fetch the journal from the node that recorded the incident")
    }
    guard reached > lastMark else { return }
    report.add(
      isSealed ? .damage : .notice, ArchiveFile.journal,
      isSealed
        ? "goes on behind event \(lastMark), up to which it was sealed: events were added"
        : "holds \(reached - lastMark) events behind the last seal: chained, not signed yet")
  }
}
