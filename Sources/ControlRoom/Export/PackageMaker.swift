import Archive
import Cryptography
import Foundation
import Incidents
import JSON
import Primitives
import Storage

/// The keys of a node, as a package needs them.
package struct PackageKeys: Sendable {
  /// Signs the package, and seals archives from now on.
  package let signing: Ed25519PrivateKey
  /// All that archives were ever sealed with.
  package let known: [Ed25519PublicKey]

  package init(signing: Ed25519PrivateKey, known: [Ed25519PublicKey]) {
    self.signing = signing
    self.known = known
  }
}

/// Where a package's parts come from.
package struct PackageSources: Sendable {
  package let storage: any Storage
  /// `DATA/archive`, which holds a folder for each incident.
  package let archives: String
  /// What was uploaded into incidents.
  package let files: FileStore?
  package let media: any PackageMedia
  /// The node's keys, read when they are needed.
  package let keys: @Sendable () throws(PackageError) -> PackageKeys

  package init(
    storage: any Storage, archives: String, files: FileStore?, media: any PackageMedia,
    keys: @escaping @Sendable () throws(PackageError) -> PackageKeys
  ) {
    self.storage = storage
    self.archives = archives
    self.files = files
    self.media = media
    self.keys = keys
  }
}

/// Makes one evidence package; blocks for as long as it takes, so that it gets a thread of its own.
///
/// The archive is only read. Everything is written beside `output` and takes its name at the end; whatever fails leaves
/// nothing behind.
package struct PackageMaker {
  package typealias Progress = EvidenceExport.Progress

  let listing: PackageListing
  let redaction: RedactionOrder?
  let sources: PackageSources
  let output: String
  let progress: (Progress) throws(PackageError) -> Void

  var work: String { output + Self.workSuffix }
  var partial: String { output + Self.partialSuffix }

  /// What unfinished packages are named by.
  static let partialSuffix = ".part"
  static let workSuffix = ".work"
  /// Shares of the work that are done when the films begin and end.
  private static let (filmsBegin, filmsEnd) = (0.02, 0.80)
  /// Room that has to be there besides what the archive's copies take.
  private static let spareBytes = 16 << 20

  /// - Parameters:
  ///   - export: What is wanted; approved, or in no need of it.
  ///   - output: The file that is to be there in the end, and must not be there now.
  ///   - progress: Told how far it has come; throws to call it off.
  package init(
    _ export: EvidenceExport, sources: PackageSources, output: String, madeAt: UTCTime,
    progress: @escaping (Progress) throws(PackageError) -> Void
  ) {
    listing = PackageListing(
      export: export.id, incident: export.incident, agency: export.agency, requested: export.requested,
      approved: export.approval, madeAt: madeAt)
    redaction = export.redaction
    self.sources = sources
    self.output = output
    self.progress = progress
  }

  /// Makes the package; durable when this returns.
  package func make() throws(PackageError) -> EvidenceExport.Package {
    defer {
      try? FileManager.default.removeItem(atPath: work)
      try? FileManager.default.removeItem(atPath: partial)
    }
    do {
      try FileManager.default.createDirectory(
        atPath: work, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw PackageError(.unavailable, "The folder for packages cannot be written to. Check the disk and its rights.")
    }
    guard !FileManager.default.fileExists(atPath: output) else {
      throw SystemText.failure(EEXIST, "The package \(output) cannot be made")
    }
    let keys = try sources.keys()
    let snapshot = try ArchiveSnapshot(folder: sources.archives + "/\(listing.incident)")
    try checkRoom(for: snapshot)
    try progress(Progress(.journal, 0))
    let journal = try JournalFiles(storage: sources.storage, incident: listing.incident, madeAt: listing.madeAt)
      .write(into: work) { () throws(PackageError) in try progress(Progress(.journal, 0.01)) }
    let films = try makeFilms(of: snapshot, journal)
    var listing = listing
    (listing.journalNumber, listing.journalHash) = (journal.incident.number, journal.incident.hash)
    listing.archive = snapshot.state
    listing.isEncrypted = snapshot.contents?.header?.isEncrypted ?? false
    listing.notes = snapshot.notes + journal.notes + films.notes
    note(snapshot.contents?.seals.map(\.seal.key) ?? [], keys, &listing)
    try pack(snapshot, journal.incident, films, &listing, keys.signing)
    return try publish(listing)
  }

  /// Names the keys that the archive is sealed with, as far as they are the node's own.
  private func note(_ seals: [[UInt8]], _ keys: PackageKeys, _ listing: inout PackageListing) {
    let known = [keys.signing.publicKey] + keys.known
    for bytes in Set(seals).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      if let key = known.first(where: { $0.bytes == bytes }) {
        listing.sealedBy.append(key)
      } else {
        listing.notes.append("The archive is sealed with a key that is none of this node's: \(Hex.encode(bytes)).")
      }
    }
  }

  /// Everything is copied at least twice: as it is, and into films.
  private func checkRoom(for snapshot: ArchiveSnapshot) throws(PackageError) {
    var status = statvfs()
    guard statvfs(work, &status) == 0 else { return }
    let free = Double(status.f_bavail) * Double(status.f_frsize)
    let needed = 2 * Double(snapshot.length) + Double(Self.spareBytes)
    guard free >= needed else {
      throw PackageError(
        .full,
        "The disk has \(Int(free) >> 20) MiB left; the package needs about \(Int(needed) >> 20). Free some room, then "
          + "ask for the export again.")
    }
  }

  private func makeFilms(of snapshot: ArchiveSnapshot, _ journal: JournalFiles.Found) throws(PackageError) -> Films {
    try progress(Progress(.films, Self.filmsBegin))
    guard let contents = snapshot.contents, !contents.tracks.isEmpty else {
      return Films(notes: snapshot.files.isEmpty ? ["There is no recording of this incident."] : [])
    }
    let folder = work + "/films"
    guard mkdir(folder, 0o700) == 0 else { throw SystemText.failure(errno, "A folder cannot be made") }
    let order = FilmOrder(
      incident: listing.incident, archive: snapshot, redaction: redaction, captions: journal.captions,
      places: journal.places, names: journal.names, folder: folder)
    return try sources.media.makeFilms(order) { (share) throws(PackageError) in
      try progress(Progress(.films, Self.filmsBegin + (Self.filmsEnd - Self.filmsBegin) * min(max(share, 0), 1)))
    }
  }

  /// Hashes the finished file and gives it its name.
  private func publish(_ listing: PackageListing) throws(PackageError) -> EvidenceExport.Package {
    guard let folder = Folder(path: (output as NSString).deletingLastPathComponent),
      let file = ReadableFile((partial as NSString).lastPathComponent, in: folder)
    else { throw PackageError(.unavailable, "The package has gone from the disk while it was made.") }
    let digest = StreamingDigest()
    try file.forEachPiece(upTo: file.length) { (piece) throws(PackageError) in
      digest.update(piece)
      try progress(Progress(.packing, 0.99))
    }
    // link, and not rename: a file that has come there meanwhile is not overwritten.
    guard link(partial, output) == 0 else { throw SystemText.failure(errno, "The package \(output) cannot be made") }
    unlink(partial)
    folder.synchronize()
    return EvidenceExport.Package(
      length: file.length, hash: digest.finish(), madeAt: listing.madeAt, notes: listing.notes)
  }
}
