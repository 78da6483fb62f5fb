import Archive
import Foundation
import Primitives

/// Opens files of archives, and nothing else: names come out of checked types, links are not followed, and only plain
/// files are read.
struct ArchiveFolder: Sendable {
  /// The folder that holds one folder an incident.
  let root: String

  /// Why a file cannot be opened.
  enum Failure: Error, Hashable {
    case missing
    /// A link, a device, a folder: not what an archive holds.
    case foreign
    /// The system's error number.
    case system(Int32)
  }

  func manifest(of incident: IncidentID) throws(Failure) -> OpenArchiveFile {
    try open(["\(incident)"], ArchiveFile.manifest)
  }

  /// The whole of `envelope.json`, the archive's sealed key; nil when it is not there.
  func envelope(of incident: IncidentID) throws(Failure) -> [UInt8]? {
    do throws(Failure) {
      let file = try open(["\(incident)"], ArchiveFile.envelope)
      return try file.read(from: 0, count: min(file.length, ArchiveFile.maximumSmallFile))
    } catch .missing {
      return nil
    } catch {
      throw error
    }
  }

  func file(_ path: ArchivePath, of incident: IncidentID) throws(Failure) -> OpenArchiveFile {
    try open(["\(incident)", path.folder.rawValue], path.name)
  }

  /// Goes down folder by folder, so that no part of the way can be a link.
  private func open(_ folders: [String], _ name: String) throws(Failure) -> OpenArchiveFile {
    var folder = Foundation.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw Self.failure(errno) }
    for part in folders {
      let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      let error = errno
      close(folder)
      guard next >= 0 else { throw Self.failure(error) }
      folder = next
    }
    // Without O_NONBLOCK a pipe in the folder would hold the thread for ever.
    let descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    let error = errno
    close(folder)
    guard descriptor >= 0 else { throw Self.failure(error) }
    return try OpenArchiveFile(owning: descriptor)
  }

  private static func failure(_ error: Int32) -> Failure {
    switch error {
    case ENOENT: .missing
    case ELOOP, ENOTDIR, ENXIO: .foreign
    default: .system(error)
    }
  }
}

/// An open plain file; closed with its last holder.
final class OpenArchiveFile: Sendable {
  private let descriptor: Int32
  /// Tells this file from another one that took its name.
  let identity: Identity

  struct Identity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
  }

  init(owning descriptor: Int32) throws(ArchiveFolder.Failure) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = errno
      close(descriptor)
      throw .system(error)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .foreign
    }
    self.descriptor = descriptor
    identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  deinit {
    close(descriptor)
  }

  /// Bytes now.
  var length: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Up to `count` bytes from `offset`; fewer only at the end of the file.
  func read(from offset: Int, count: Int) throws(ArchiveFolder.Failure) -> [UInt8] {
    var failure: Int32?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(offset + filled))
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        guard got > 0 else { return }
        filled += got
      }
    }
    if let failure { throw .system(failure) }
    return bytes
  }
}
