import Archive
import Incidents
import Primitives

/// Makes an incident's folder, or opens it again to go on where it ended.
struct ArchiveOpener {
  let disk: any ArchiveDisk
  let journal: any JournalSource
  let configuration: RecorderConfiguration

  /// Opens the archive of `incident`.
  ///
  /// One that cannot be gone on with is moved aside, whole, and a new one is begun: the call is recorded in any case.
  func open(_ incident: IncidentID, at now: UTCTime) throws(DiskError) -> OpenArchive {
    let folder = "\(configuration.folder)/\(incident.value)"
    guard let bytes = try disk.read("\(folder)/manifest.jsonl") else {
      return try make(incident, in: folder, at: now)
    }
    do throws(ManifestError) {
      let contents = try ArchiveContents(reading: bytes)
      guard contents.header?.incident == incident else { throw ManifestError("it is another incident's") }
      return try reopen(incident, in: folder, contents, at: now)
    } catch {
      let aside = "\(folder).aside-\(now.seconds)"
      try disk.move(folder, to: aside)
      let note = "An archive that was here before cannot be gone on with (\(error)); it was moved to another folder."
      let archive = try make(incident, in: folder, at: now)
      archive.add(.note(note), at: now)
      return archive
    }
  }

  private func make(
    _ incident: IncidentID, in folder: String, at now: UTCTime
  ) throws(DiskError) -> OpenArchive {
    for name in ArchivePath.Folder.allCases { try disk.makeFolder("\(folder)/\(name.rawValue)") }
    let archive = try assemble(incident, in: folder, ArchiveContents(), mark: .empty, at: now)
    archive.add(
      .archive(.init(incident: incident, agency: configuration.agency, isEncrypted: false)), at: now)
    return archive
  }

  private func reopen(
    _ incident: IncidentID, in folder: String, _ contents: ArchiveContents, at now: UTCTime
  ) throws(ManifestError) -> OpenArchive {
    do throws(DiskError) {
      let mark = contents.seals.last?.seal.journal ?? .empty
      return try assemble(incident, in: folder, contents, mark: mark, at: now)
    } catch {
      throw ManifestError(error.text)
    }
  }

  private func assemble(
    _ incident: IncidentID, in folder: String, _ contents: ArchiveContents, mark: ManifestEntry.JournalMark,
    at now: UTCTime
  ) throws(DiskError) -> OpenArchive {
    let copy = try disk.open("\(folder)/journal.jsonl")
    // What lies behind the last seal's mark is copied again, out of the store.
    if copy.length > mark.length { try copy.truncate(to: mark.length) }
    guard copy.length == mark.length else {
      throw DiskError(.failed, "The copy of the journal is shorter than the last seal says.")
    }
    return OpenArchive(
      incident: incident, folder: folder, disk: disk, manifest: try disk.open("\(folder)/manifest.jsonl"),
      journal: JournalCopy(file: copy, source: journal, incident: incident, mark: mark), contents: contents, at: now)
  }
}

extension ArchiveContents {
  /// Reads a whole manifest.
  ///
  /// Throws what is wrong with the first line that is.
  package init(reading bytes: [UInt8]) throws(ManifestError) {
    self.init()
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
      try append(Array(line))
    }
    guard bytes.last == UInt8(ascii: "\n") else { throw ManifestError("the last line is cut off") }
  }
}
