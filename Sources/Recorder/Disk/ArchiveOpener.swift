import Archive
import Cryptography
import Foundation
import Incidents
import Primitives

/// Makes an incident's folder, or opens it again to go on where it ended.
struct ArchiveOpener: Sendable {
  let disk: any ArchiveDisk
  let journal: any JournalSource
  let configuration: RecorderConfiguration

  func folder(of incident: IncidentID) -> String { "\(configuration.folder)/\(incident.value)" }

  /// Opens the archive of `incident`; what a crash left half written is cut off, and said.
  ///
  /// One that cannot be gone on with is moved aside, whole, and a new one is begun: the call is recorded in any case.
  func open(_ incident: IncidentID, at now: UTCTime) throws(DiskError) -> OpenArchive {
    let folder = folder(of: incident)
    guard try disk.read("\(folder)/\(ArchiveFile.manifest)") != nil else {
      return try make(incident, in: folder, at: now)
    }
    do throws(RecoveryError) {
      let recovery = try recover(folder)
      if !recovery.isEmpty { return try reopen(incident, in: folder, recovery, at: now) }
    } catch {
      let aside = "\(folder).aside-\(now.seconds)"
      try disk.move(folder, to: aside)
      let archive = try make(incident, in: folder, at: now)
      let note = "An archive that was here could not be gone on with and was moved to \(aside). \(error.text)"
      archive.manifest.add(.note(note), at: now)
      archive.alarm(nil, note)
      return archive
    }
    return try make(incident, in: folder, at: now)
  }

  /// Decides what a crash left to be done, and does it.
  private func recover(_ folder: String) throws(RecoveryError) -> Recovery {
    let url = URL(fileURLWithPath: folder)
    let reader: FolderReader
    do throws(ArchiveReadingError) { reader = try FolderReader(url) } catch { throw RecoveryError(error.text) }
    let recovery = try Recovery.plan(reader)
    do throws(ArchiveReadingError) {
      try FolderRepair.apply(recovery.steps, in: url)
      return recovery
    } catch {
      throw RecoveryError(error.text)
    }
  }

  private func make(_ incident: IncidentID, in folder: String, at now: UTCTime) throws(DiskError) -> OpenArchive {
    for name in ArchivePath.Folder.allCases { try disk.makeFolder("\(folder)/\(name.rawValue)") }
    var cipher: SegmentCipher?
    if let key = configuration.encryptionKey {
      var random = RandomSource.system
      let made = key.makeCipher(for: incident, random: &random)
      // The key is on the disk before anything that needs it.
      try write(made.envelope.bytes, to: "\(folder)/\(ArchiveFile.envelope)")
      cipher = made.cipher
    }
    let archive = try assemble(incident, in: folder, .init(), mark: .empty, cipher: cipher, at: now)
    archive.manifest.add(
      .archive(.init(incident: incident, agency: configuration.agency, isEncrypted: cipher != nil)), at: now)
    // The first line is on the disk before any file that it is about.
    _ = try archive.manifest.flush()
    try disk.synchronize(folder: folder)
    return archive
  }

  private func write(_ bytes: [UInt8], to path: String) throws(DiskError) {
    let file = try disk.open(path)
    if file.length > 0 { try file.truncate(to: 0) }
    try file.append(bytes)
    try file.synchronize()
    try disk.synchronize(folder: (path as NSString).deletingLastPathComponent)
  }

  private func reopen(
    _ incident: IncidentID, in folder: String, _ recovery: Recovery, at now: UTCTime
  ) throws(RecoveryError) -> OpenArchive {
    guard recovery.contents.header?.incident == incident else { throw RecoveryError("It is another incident's.") }
    do throws(DiskError) {
      let cipher = recovery.contents.header?.isEncrypted == true ? try openCipher(in: folder) : nil
      let archive = try assemble(
        incident, in: folder, recovery.contents, mark: recovery.journal, cipher: cipher, at: now)
      let notes = recovery.isSealed ? ["The recording goes on."] : recovery.notes
      for note in notes { archive.manifest.add(.note(note), at: now) }
      // An archive that was sealed is so no longer before anything is added to it.
      _ = try archive.manifest.flush()
      return archive
    } catch {
      throw RecoveryError(error.text)
    }
  }

  private func openCipher(in folder: String) throws(DiskError) -> SegmentCipher {
    guard let key = configuration.encryptionKey else {
      throw DiskError(.failed, "It is encrypted, and this node has no key for archives.")
    }
    guard let bytes = try disk.read("\(folder)/\(ArchiveFile.envelope)") else {
      throw DiskError(.failed, "It is encrypted, and its key was destroyed.")
    }
    do throws(EnvelopeError) {
      return try key.open(try EnvelopeDocument(parsing: bytes))
    } catch {
      throw DiskError(.failed, "\(ArchiveFile.envelope) \(error.text)")
    }
  }

  private func assemble(
    _ incident: IncidentID, in folder: String, _ contents: ArchiveContents, mark: ManifestEntry.JournalMark,
    cipher: SegmentCipher?, at now: UTCTime
  ) throws(DiskError) -> OpenArchive {
    let copy = try disk.open("\(folder)/\(ArchiveFile.journal)")
    // What lies behind the mark is copied again, out of the store.
    if copy.length > mark.length { try copy.truncate(to: mark.length) }
    guard copy.length == mark.length else {
      throw DiskError(.failed, "The copy of the journal is shorter than the last seal says.")
    }
    let keys = try disk.read("\(folder)/\(ArchiveFile.key)").flatMap { ArchivePublicKeys.parse($0) } ?? []
    let manifest = ManifestFile(file: try disk.open("\(folder)/\(ArchiveFile.manifest)"), head: contents.head)
    return OpenArchive(
      incident: incident, folder: folder, disk: disk,
      parts: .init(
        manifest: manifest, journal: JournalCopy(file: copy, source: journal, incident: incident, mark: mark),
        contents: contents, cipher: cipher, publicKeys: keys), at: now)
  }
}
