import Archive
import Cryptography
import Foundation
import Primitives
import Storage

/// The folders of recordings on the disk, for what keeps and deletes them; calls block.
///
/// Names come from parsed identifiers and paths alone, links are never followed, and only regular files count: nothing
/// leads out of an archive.
package struct ArchiveFolders: Sendable {
  private let root: URL

  /// One archive: an incident's, or one of it that could not be gone on with and was moved aside.
  package struct Folder: Hashable, Sendable, CustomStringConvertible {
    package let incident: IncidentID
    /// Its name beside the others: the incident's, with `.aside-` and a time behind it where it was moved aside.
    package let name: String

    private static let asideMark = ".aside-"

    /// The folder that an incident is recorded into.
    package init(_ incident: IncidentID) {
      self.incident = incident
      name = incident.value
    }

    /// Nil for what is no archive's name.
    init?(name: String) {
      let parts = name.split(separator: Self.asideMark, omittingEmptySubsequences: false)
      guard parts.count <= 2, let incident = parts.first.flatMap({ IncidentID(String($0)) }),
        parts.dropFirst().allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isASCIILetterOrDigit) })
      else { return nil }
      self.incident = incident
      self.name = name
    }

    package var description: String { name }
  }

  /// A file in an archive.
  package struct File: Hashable, Sendable {
    /// As ``DeletionRecord/File/path`` has it.
    package let path: String
    package let bytes: Int
  }

  /// Bytes that are hashed in one piece.
  private static let pieceLength = 1 << 20
  /// Longest `deletions.jsonl` that is read.
  private static let maximumRecordsLength = 64 << 20

  /// - Parameter root: `DATA/archive`; it may be missing.
  package init(root: URL) {
    self.root = root
  }

  /// The root's own path, for questions about its disk.
  package var path: String { root.path }

  // MARK: - Looking

  /// All archives that have a folder.
  package func all() -> [Folder] {
    Self.names(in: root.path).compactMap { Folder(name: $0) }.filter { Self.isFolder(path(of: $0)) }
  }

  /// The files of a class, sorted by path.
  package func files(of folder: Folder, _ kind: RetentionClass) -> [File] {
    guard Self.isFolder(path(of: folder)) else { return [] }
    let place = path(of: folder) + "/\(kind.folder.rawValue)"
    return Self.names(in: place).sorted().compactMap { name in
      guard let path = ArchivePath(folder: kind.folder, name: name), let bytes = Self.length(of: "\(place)/\(name)")
      else { return nil }
      return File(path: path.description, bytes: bytes)
    }
  }

  /// The sealed key of an encrypted archive, if there is one.
  package func envelope(of folder: Folder) -> File? {
    guard Self.isFolder(path(of: folder)) else { return nil }
    return Self.length(of: path(of: folder) + "/\(ArchiveFile.envelope)").map {
      File(path: ArchiveFile.envelope, bytes: $0)
    }
  }

  /// Bytes of all files of an incident.
  package func size(of folder: Folder) -> Int {
    let place = path(of: folder)
    guard Self.isFolder(place) else { return 0 }
    let places = [place] + ArchivePath.Folder.allCases.map { "\(place)/\($0.rawValue)" }
    return places.reduce(0) { sum, place in
      Self.names(in: place).reduce(sum) { $0 + (Self.length(of: "\(place)/\($1)") ?? 0) }
    }
  }

  /// SHA-256 of a file's bytes; nil when it cannot be read.
  package func hash(of file: String, in folder: Folder) -> [UInt8]? {
    guard let path = path(of: file, in: folder) else { return nil }
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let digest = StreamingDigest()
    var piece = [UInt8](repeating: 0, count: Self.pieceLength)
    while true {
      let count = read(descriptor, &piece, piece.count)
      guard count >= 0 else { return nil }
      if count == 0 { return digest.finish() }
      digest.update(piece[..<count])
    }
  }

  // MARK: - Deleting

  /// What was deleted of an incident, or was about to be.
  package func deletions(of folder: Folder) -> [DeletionRecord] {
    let path = path(of: folder) + "/\(ArchiveFile.deletions)"
    guard let length = Self.length(of: path), length <= Self.maximumRecordsLength,
      let content = FileManager.default.contents(atPath: path)
    else { return [] }
    return DeletionRecord.read(Array(content))
  }

  /// Notes what is about to be deleted, and whose signature that is; durable when it returns.
  package func note(_ record: DeletionRecord, in folder: Folder) throws(StorageError) {
    let keys = path(of: folder) + "/\(ArchiveFile.key)"
    let key = Hex.encode(record.key) + "\n"
    if FileManager.default.contents(atPath: keys).map({ !String(decoding: $0, as: UTF8.self).contains(key) }) ?? false {
      try append(Array(key.utf8), to: keys)
    }
    try append(record.line, to: path(of: folder) + "/\(ArchiveFile.deletions)")
    Self.synchronize(path(of: folder))
  }

  /// Appends whole lines, durably.
  private func append(_ bytes: [UInt8], to path: String) throws(StorageError) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.failure("opened", path) }
    defer { close(descriptor) }
    // A line that a crash has cut off was never acted upon.
    let kept = try Self.wholeLines(of: descriptor, path)
    guard ftruncate(descriptor, off_t(kept)) == 0, lseek(descriptor, off_t(kept), SEEK_SET) >= 0 else {
      throw Self.failure("written", path)
    }
    try Self.append(bytes, to: descriptor, path)
    guard fsync(descriptor) == 0 else { throw Self.failure("written out", path) }
  }

  /// Deletes files that are as the record says; what is gone already is no error.
  package func delete(_ record: DeletionRecord, in folder: Folder) throws(StorageError) {
    for file in record.files {
      guard let path = path(of: file.path, in: folder), Self.length(of: path) != nil,
        hash(of: file.path, in: folder) == file.hash
      else { continue }
      guard unlink(path) == 0 || errno == ENOENT else { throw Self.failure("deleted", path) }
    }
    Self.synchronize(path(of: folder) + "/\(record.kind.folder.rawValue)")
    Self.synchronize(path(of: folder))
  }

  // MARK: - Names

  private func path(of folder: Folder) -> String { "\(root.path)/\(folder.name)" }

  /// The path of a file of an archive; nil for what is no such name, or lies behind a link.
  private func path(of file: String, in folder: Folder) -> String? {
    let place = path(of: folder)
    guard Self.isFolder(place) else { return nil }
    if file == ArchiveFile.envelope { return "\(place)/\(file)" }
    guard let path = ArchivePath(file), Self.isFolder("\(place)/\(path.folder.rawValue)") else { return nil }
    return "\(place)/\(path)"
  }

  /// Names in a folder; none when it is missing or a link.
  private static func names(in folder: String) -> [String] {
    guard isFolder(folder) else { return [] }
    return (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Bytes of a regular file; nil for anything else.
  private static func length(of path: String) -> Int? {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  /// Bytes up to the end of the last whole line.
  private static func wholeLines(of descriptor: Int32, _ path: String) throws(StorageError) -> Int {
    var end = Int(lseek(descriptor, 0, SEEK_END))
    guard end >= 0 else { throw failure("read", path) }
    var byte = UInt8(0)
    while end > 0 {
      guard pread(descriptor, &byte, 1, off_t(end - 1)) == 1 else { throw failure("read", path) }
      if byte == UInt8(ascii: "\n") { return end }
      end -= 1
    }
    return 0
  }

  private static func append(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(StorageError) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { pointer in
        write(descriptor, pointer.baseAddress?.advanced(by: offset), pointer.count - offset)
      }
      guard count > 0 else { throw failure("written", path) }
      offset += count
    }
  }

  /// Makes the names in a folder durable.
  private static func synchronize(_ folder: String) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  private static func failure(_ what: String, _ path: String) -> StorageError {
    let code: StorageError.Code = errno == ENOSPC ? .full : .unavailable
    return StorageError(code, "\(path) could not be \(what): error \(errno). Nothing was deleted.")
  }
}
