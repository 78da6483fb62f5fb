import Archive
import Cryptography
import Foundation
import Incidents
import JSON
import Primitives

// Putting a package's parts into its file.

extension PackageMaker {
  /// Writes the file: what people look at first comes first.
  func pack(
    _ snapshot: ArchiveSnapshot, _ incident: Incident, _ films: Films, _ listing: inout PackageListing,
    _ key: Ed25519PrivateKey
  ) throws(PackageError) {
    let package = try PackageFile(path: partial, time: listing.madeAt)
    let uploads = uploads(of: incident, &listing.notes)
    var meter = Meter(total: snapshot.length, report: progress)
    try package.add(PackagePath("VERIFY.txt"), Array(VerificationText(listing, key: key.publicKey).text.utf8))
    for name in ["journal.html", "journal.json"] { try addWork(name, PackagePath(name), to: package, &meter) }
    try addFilms(films, listing, to: package, &meter)
    for upload in uploads {
      guard let content = content(of: upload.sha256) else {
        throw PackageError(.damaged, "A file of the incident has changed while it was packed.")
      }
      try package.add(upload.path, content)
    }
    if !listing.isEncrypted {
      for file in snapshot.files where file.path.text.hasPrefix("stills/") {
        try package.add(file.path, file.file) { (count) throws(PackageError) in try meter.note(count) }
      }
    }
    for file in snapshot.files {
      guard let path = file.path.inside("archive") else { continue }
      try package.add(path, file.file) { (count) throws(PackageError) in try meter.note(count) }
    }
    try package.add(PackagePath("key.pem"), Array(PublicKeyText.pem(key.publicKey).utf8))
    listing.files = package.items
    try package.add(PackagePath("package.json"), listing.bytes)
    try package.add(PackagePath("package.json.sig"), listing.signature(by: key))
    try package.finish()
  }

  /// Adds a file out of the folder of work, and removes it there, since room may be scarce.
  @discardableResult
  private func addWork(
    _ name: String, _ path: PackagePath?, to package: PackageFile, _ meter: inout Meter
  ) throws(PackageError) -> PackageListing.Item {
    let full = name.hasPrefix("/") ? name : work + "/" + name
    guard let path, let folder = Folder(path: (full as NSString).deletingLastPathComponent),
      let file = ReadableFile((full as NSString).lastPathComponent, in: folder)
    else { throw PackageError(.unavailable, "A part of the package has gone from the disk while it was made.") }
    let item = try package.add(path, file) { (count) throws(PackageError) in try meter.note(count) }
    unlink(full)
    return item
  }

  private func addFilms(
    _ films: Films, _ listing: PackageListing, to package: PackageFile, _ meter: inout Meter
  ) throws(PackageError) {
    var items: [PackagePath: PackageListing.Item] = [:]
    var copies: [JSONValue] = []
    // Parents first: a copy names its parent's hash.
    for film in films.films where film.redacted == nil {
      items[film.path] = try addWork(film.file, film.path, to: package, &meter)
    }
    for film in films.films {
      guard let redacted = film.redacted else { continue }
      let item = try addWork(film.file, film.path, to: package, &meter)
      copies.append(
        .members([
          "path": .string(film.path.text), "sha256": .string(Hex.encode(item.hash)),
          "parent": .string(redacted.parent.text),
          "parentSHA256": items[redacted.parent].map { .string(Hex.encode($0.hash)) }, "hidden": redacted.order.json,
        ]))
    }
    guard !copies.isEmpty else { return }
    let record = JSONValue.members([
      "format": "sightline-redaction", "version": 1, "incident": .string(listing.incident.value),
      "export": .string(listing.export), "by": listing.requested.json, "approved": listing.approved?.json,
      "copies": .array(copies),
    ])
    try package.add(PackagePath("redacted/redaction.json"), record.canonicalBytes)
  }

  /// Photos, documents and clips of the incident that are still what was kept; one at a time is in memory.
  private func uploads(of incident: Incident, _ notes: inout [String]) -> [(path: PackagePath, sha256: String)] {
    var uploads: [(path: PackagePath, sha256: String)] = []
    for file in incident.files where sources.files != nil {
      guard let path = PackagePath("files/\(file.id).\(Self.endings[file.type] ?? "bin")"),
        content(of: file.sha256) != nil
      else {
        notes.append("The file \(file.id) is missing, or not what was kept.")
        continue
      }
      uploads.append((path, file.sha256))
    }
    return uploads
  }

  private func content(of hash: String) -> [UInt8]? {
    guard let content = sources.files?.content(of: hash), Hex.encode(Digest.sha256(content)) == hash else { return nil }
    return content
  }

  /// Names' endings by type; what people call their files stays in the journal.
  private static let endings = [
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/heic": "heic", "audio/mpeg": "mp3",
    "audio/ogg": "ogg", "audio/mp4": "m4a", "audio/wav": "wav", "video/mp4": "mp4", "video/webm": "webm",
    "video/quicktime": "mov", "application/pdf": "pdf", "text/plain": "txt",
  ]
}

/// Tells how much is packed, by the archive's bytes, which are most of it.
struct Meter {
  let total: Int
  let report: (PackageMaker.Progress) throws(PackageError) -> Void
  private var done = 0

  init(total: Int, report: @escaping (PackageMaker.Progress) throws(PackageError) -> Void) {
    self.total = total
    self.report = report
  }

  /// Share of the work that packing is.
  private static let (begin, end) = (0.80, 0.98)

  mutating func note(_ count: Int) throws(PackageError) {
    done += count
    // Films are packed before the archive and are about as long.
    let share = total == 0 ? 1 : min(1, Double(done) / Double(2 * total))
    try report(.init(.packing, Self.begin + (Self.end - Self.begin) * share))
  }
}
