import Cryptography
import Primitives

/// Checks that an archive is as it was recorded.
///
/// Reads each byte once, a chunk at a time; memory grows with the lines of the manifest alone. Format.md says what is
/// whole. The manifest is read before the files, so that an archive that is being recorded can be checked: what grew
/// meanwhile is what no line names yet.
package enum Verifier {
  /// Checks the archive in `reader`.
  ///
  /// Throws only when the folder cannot be read; everything else is a finding.
  ///
  /// - Parameters:
  ///   - keys: Public keys of the node, all that it had; none to take the archive's own word (`key.pub`).
  ///   - progress: Told after each file.
  package static func verify(
    _ reader: any ArchiveReading, keys: [Ed25519PublicKey] = [],
    progress: @escaping (VerificationProgress) -> Void = { _ in }
  ) throws(ArchiveReadingError) -> VerificationReport {
    var (manifest, report, trusted, keyFile) = try checkManifest(reader, keys)
    if try reader.read(ArchiveFile.key, from: 0, count: ArchiveFile.maximumSmallFile) != keyFile {
      // The node's key was rotated meanwhile: a seal may be of a key that was not there at first.
      (manifest, report, trusted, keyFile) = try checkManifest(reader, keys)
    }
    var journal = JournalCheck(
      incident: report.header?.incident, marks: manifest.marks, isSealed: manifest.isSealed)
    try journal.run(reader, &report)
    try judgeEnvelope(reader, &report)
    var deletions = DeletionsCheck(incident: report.header?.incident, keys: trusted)
    try deletions.run(reader, &report)
    var files = FilesCheck(manifest: manifest, deleted: deletions.deleted, progress: progress)
    try files.run(reader, &report)
    if manifest.isMissing { try judgeMissingManifest(reader, &report) }
    count(manifest, &report)
    return report
  }

  private static func checkManifest(
    _ reader: any ArchiveReading, _ keys: [Ed25519PublicKey]
  ) throws(ArchiveReadingError) -> (ManifestCheck, VerificationReport, TrustedKeys, keyFile: [UInt8]?) {
    var report = VerificationReport()
    report.keySource = keys.isEmpty ? .archive : .given
    let keyFile = try reader.read(ArchiveFile.key, from: 0, count: ArchiveFile.maximumSmallFile)
    let ownKeys = keyFile.flatMap { ArchivePublicKeys.parseExactly($0) }
    let trusted = TrustedKeys(given: keys, inArchive: ownKeys)
    var manifest = ManifestCheck(keys: trusted)
    try manifest.run(reader, &report)
    judgeKeyFile(exists: keyFile != nil, isReadable: ownKeys != nil, &report)
    return (manifest, report, trusted, keyFile)
  }

  private static func count(_ manifest: ManifestCheck, _ report: inout VerificationReport) {
    report.counts.tracks = manifest.contents.tracks.count
    for (path, ranges) in manifest.ranges {
      switch path.folder {
      case .media:
        report.counts.segments += 1
        report.counts.fragments += ranges.count { $0.start != nil }
      case .stills, .late: report.counts.files += 1
      }
    }
  }

  private static func judgeKeyFile(exists: Bool, isReadable: Bool, _ report: inout VerificationReport) {
    guard !isReadable, exists || report.counts.seals > 0 else { return }
    let text = exists ? "is no public key as an archive holds it: 64 hexadecimal digits a line" : "is missing"
    let advice = report.keySource == .given ? "the keys given were used" : "seals cannot be checked without --key"
    report.add(.damage, ArchiveFile.key, "\(text); \(advice)")
  }

  private static func judgeMissingManifest(
    _ reader: any ArchiveReading, _ report: inout VerificationReport
  ) throws(ArchiveReadingError) {
    let hasContent = try reader.items().contains { item in
      if case .file = item.kind { item.name != ArchiveFile.key && item.name != ArchiveFile.envelope } else { false }
    }
    report.add(
      hasContent ? .damage : .notice, ArchiveFile.manifest,
      hasContent ? "is missing: nothing here can be proven without it" : "is not there: nothing was recorded")
  }

  private static func judgeEnvelope(
    _ reader: any ArchiveReading, _ report: inout VerificationReport
  ) throws(ArchiveReadingError) {
    guard let header = report.header else { return }
    let bytes = try reader.read(ArchiveFile.envelope, from: 0, count: ArchiveFile.maximumSmallFile)
    switch (header.isEncrypted, bytes) {
    case (false, nil): return
    case (false, .some):
      report.add(.damage, ArchiveFile.envelope, "does not belong here: the archive is not encrypted")
    case (true, nil):
      report.isErased = true
      report.add(
        .notice, ArchiveFile.envelope,
        "is not there: the incident's key was destroyed, and with it all media. What was recorded, and when, stays proven"
      )
    case (true, .some(let bytes)):
      do throws(EnvelopeError) {
        let document = try EnvelopeDocument(parsing: bytes)
        guard document.incident != header.incident else { return }
        report.add(.damage, ArchiveFile.envelope, "is that of \(document.incident), another incident")
      } catch {
        report.add(.damage, ArchiveFile.envelope, error.text)
      }
    }
  }
}
