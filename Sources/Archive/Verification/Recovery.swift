import Incidents
import Primitives

/// What has to be done to an archive that was not sealed, before a recording goes on in it or it is sealed.
///
/// A server that died leaves a line, a fragment, an event and perhaps a file half written. They are cut away: no line
/// vouches for them. Whatever a line names is left as it is, damaged or not.
package struct Recovery: Sendable {
  package enum Step: Hashable, Sendable {
    /// Cut the file to so many bytes.
    case truncate(name: String, length: Int)
    case remove(name: String)
  }

  /// To be done and made durable before the next line is written.
  package let steps: [Step]
  /// To be written as notes, in order: what was cut, and what could not be mended.
  package let notes: [String]
  /// What the next line follows.
  package let head: ManifestHead
  package let contents: ArchiveContents
  /// How far the journal's copy reaches once the steps are done; copying goes on behind it.
  package let journal: ManifestEntry.JournalMark

  /// Whether the last line is a final seal.
  ///
  /// Nothing is to be done then; a recording that goes on writes a note first.
  package var isSealed: Bool { contents.isSealed }
  /// Whether there is no line yet: the archive begins anew.
  package var isEmpty: Bool { head.number == 0 }

  /// Looks at an archive and decides.
  ///
  /// Throws, and nothing is to be changed, when lines in the midst of the manifest are damaged.
  package static func plan(_ reader: any ArchiveReading) throws(RecoveryError) -> Recovery {
    do {
      var planner = RecoveryPlanner()
      return try planner.plan(reader)
    } catch let error as ArchiveReadingError {
      throw RecoveryError(error.text)
    } catch let error as RecoveryError {
      throw error
    } catch {
      throw RecoveryError("The archive cannot be read.")
    }
  }

  fileprivate init(_ planner: RecoveryPlanner) {
    steps = planner.steps
    notes = planner.notes
    head = planner.contents.head
    contents = planner.contents
    journal = planner.journal
  }
}

/// An archive cannot be carried on; it is left as it is.
package struct RecoveryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Why, and what to do.
  package let text: String

  package init(_ text: String) {
    self.text = String(text.prefix(500))
  }

  package var description: String { text }
}

private struct RecoveryPlanner {
  var steps: [Recovery.Step] = []
  var notes: [String] = []
  var contents = ArchiveContents()
  var journal = ManifestEntry.JournalMark.empty
  /// Bytes of the manifest's whole lines.
  private var manifestLength = 0
  private var manifestTail = 0

  mutating func plan(_ reader: any ArchiveReading) throws -> Recovery {
    try readManifest(reader)
    let sealed = contents.isSealed
    if manifestTail > 0 {
      steps.append(.truncate(name: ArchiveFile.manifest, length: manifestLength))
      if !sealed { notes.append("Recovered: \(manifestTail) bytes of a line that was not finished were cut off.") }
    }
    try readJournal(reader)
    // A sealed archive holds nothing that was being written: what is there too much is for `verify` to name.
    if !sealed { try mendFiles(reader) }
    return Recovery(self)
  }

  // MARK: - Manifest

  private mutating func readManifest(_ reader: any ArchiveReading) throws {
    var lines = ArchiveLineReader(ArchiveFile.manifest, of: reader, limit: ManifestLine.maximumLength)
    var firstFault: String?
    while let piece = try lines.next() {
      switch piece {
      case .line(let bytes):
        if let fault = firstFault {
          // Behind what was torn there is no line: this is damage, not a crash.
          guard (try? ManifestLine(parsing: bytes)) == nil else { throw Self.damaged(fault) }
          continue
        }
        do throws(ManifestError) {
          try contents.append(bytes)
          manifestLength = lines.offset
        } catch {
          // A whole line that does not fit was never being written.
          guard (try? ManifestLine(parsing: bytes)) == nil else { throw Self.damaged(error.text) }
          firstFault = error.text
        }
      case .tooLong: firstFault = firstFault ?? "a line is longer than 64 KiB"
      case .rest: break
      }
    }
    manifestTail = lines.offset + lines.restLength - manifestLength
    guard manifestTail <= Self.maximumTornBytes else { throw Self.damaged(firstFault ?? "its end is no line") }
  }

  /// Lines that may have been on their way to the disk.
  private static let maximumTornBytes = 256 << 10

  private static func damaged(_ fault: String) -> RecoveryError {
    RecoveryError(
      "The manifest is damaged (\(fault)): nothing was changed. Run `sightline verify` on the folder, and move it away or "
        + "restore it.")
  }

  // MARK: - Journal

  /// Keeps whole events that chain, as far as they go.
  private mutating func readJournal(_ reader: any ArchiveReading) throws {
    let sealed = contents.seals.last?.seal.journal ?? .empty
    var lines = ArchiveLineReader(ArchiveFile.journal, of: reader, limit: ArchiveFile.maximumJournalLine)
    reading: while let piece = try lines.next() {
      guard case .line(let bytes) = piece, let event = JournalCheck.event(bytes), event.number == journal.number + 1,
        event.previousHash == journal.hash, event.incident == contents.header?.incident
      else { break reading }
      journal = ManifestEntry.JournalMark(number: event.number, hash: event.hash, length: lines.offset)
      if contents.isSealed, event.number == sealed.number { break reading }
    }
    let rest = try length(of: ArchiveFile.journal, reader) - journal.length
    if journal.number < sealed.number {
      // Seals vouch for more: cutting would destroy what is left of it.
      notes.append(
        "The copy of the journal was sealed up to event \(sealed.number) and can be read up to \(journal.number): it is damaged."
      )
      journal = sealed
    } else if rest > 0, !contents.isSealed {
      steps.append(.truncate(name: ArchiveFile.journal, length: journal.length))
      notes.append("Recovered: \(rest) bytes behind event \(journal.number) of the journal's copy were cut off.")
    }
  }

  private func length(of name: String, _ reader: any ArchiveReading) throws -> Int {
    for item in try reader.items() where item.name == name {
      if case .file(let length) = item.kind { return length }
    }
    return 0
  }

  // MARK: - Files

  private mutating func mendFiles(_ reader: any ArchiveReading) throws {
    if contents.header == nil, try reader.items().contains(where: { ArchivePath($0.name) != nil }) {
      // The first line is on the disk before any file: without it, files are all that is left of a recording.
      throw RecoveryError(
        "There are recorded files, but the manifest has no line: nothing was changed. Move the folder away, or restore its "
          + "manifest.jsonl.")
    }
    for item in try reader.items().sorted(by: { $0.name < $1.name }) {
      guard let path = ArchivePath(item.name) else { continue }
      guard case .file(let length) = item.kind else {
        notes.append("\(path) is no file: it was left as it is.")
        continue
      }
      if let segment = contents.segment(path) {
        mend(path, length, segment.length)
      } else if let file = contents.file(path) {
        mend(path, length, file.length)
      } else {
        steps.append(.remove(name: item.name))
        notes.append("Recovered: \(path), \(length) bytes that no line names, was removed.")
      }
    }
    try noteMissing(reader)
  }

  private mutating func mend(_ path: ArchivePath, _ length: Int, _ expected: Int) {
    if length > expected {
      steps.append(.truncate(name: path.description, length: expected))
      notes.append("Recovered: \(length - expected) bytes at the end of \(path) that no line names were cut off.")
    } else if length < expected {
      notes.append("\(path) is damaged: \(length) of \(expected) bytes are there.")
    }
  }

  private mutating func noteMissing(_ reader: any ArchiveReading) throws {
    var present = Set(try reader.items().map(\.name))
    var lines = ArchiveLineReader(ArchiveFile.deletions, of: reader, limit: DeletionRecord.maximumLineLength)
    while let piece = try lines.next() {
      guard case .line(let bytes) = piece, let record = DeletionRecord(line: bytes) else { continue }
      present.formUnion(record.files.map(\.path))
    }
    let named = contents.tracks.flatMap { $0.segments.map(\.entry.path) } + contents.files.map(\.path)
    for path in named.sorted() where !present.contains(path.description) { notes.append("\(path) is missing.") }
  }
}
