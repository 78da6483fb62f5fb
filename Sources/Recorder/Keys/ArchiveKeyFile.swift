import Cryptography
import Foundation
import Glibc
import Primitives

/// Small files that only their owner may read, replaced as a whole.
enum ArchiveKeyFile {
  /// Longest file that is read, in bytes.
  private static let maximumLength = 1 << 20

  /// What identifies a version of a file.
  struct Stamp: Hashable {
    let inode: UInt64
    let seconds: Int
    let nanoseconds: Int
    let length: Int
  }

  static func stamp(of path: String) -> Stamp? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    return Stamp(
      inode: UInt64(status.st_ino), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
      length: Int(status.st_size))
  }

  /// The file's text; nil when there is none.
  ///
  /// - Parameter isSecret: Whether to refuse what others may read.
  static func read(_ path: String, isSecret: Bool) throws(ArchiveKeyError) -> String? {
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw ArchiveKeyError(path, "cannot be opened: \(systemErrorText(errno))")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw ArchiveKeyError(path, "is no file")
    }
    guard !isSecret || status.st_mode & 0o077 == 0 else {
      throw ArchiveKeyError(
        path, "can be read by others: use `chmod 600`, and `sightline archive-keys rotate` if they did")
    }
    var bytes = [UInt8](repeating: 0, count: Self.maximumLength)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    guard count >= 0, let text = String(validating: bytes.prefix(count), as: UTF8.self) else {
      throw ArchiveKeyError(path, "cannot be read")
    }
    return text
  }

  /// Writes the file as a whole, durably, over what was there.
  static func replace(_ path: String, with text: String) throws(ArchiveKeyError) {
    let temporary = path + ".new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw ArchiveKeyError(path, "cannot be written: \(systemErrorText(errno))") }
    let bytes = Array(text.utf8)
    let isWritten = write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
    let cause = errno
    close(descriptor)
    guard isWritten, rename(temporary, path) == 0 else {
      let text = systemErrorText(isWritten ? errno : cause)
      unlink(temporary)
      throw ArchiveKeyError(path, "cannot be written: \(text)")
    }
    let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }
}

/// Keys of archives cannot be used.
package struct ArchiveKeyError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What happened, and what to do.
  package let text: String

  init(_ path: String, _ text: String) {
    self.text =
      "The archive key file \(path) \(text). Nothing was changed. Restore it from a backup, or move it away: a new key is "
      + "then made, and what the old one sealed stays provable with its public key."
  }

  package var description: String { text }
}
