import Archive
import Foundation

/// A file that is open for reading; it is closed when nobody holds it any more.
///
/// Reading names its place, so that threads may share it.
package final class ReadableFile: Sendable {
  private let descriptor: Int32
  /// Bytes that the file had when it was opened.
  package let length: Int

  /// Bytes read in one step.
  package static let pieceLength = 1 << 20

  /// Opens `name` in the open folder `folder`: a regular file, and no link to one.
  ///
  /// Nil for anything else.
  init?(_ name: String, in folder: Folder) {
    // Not blocking: a FIFO in the folder must hold nobody up.
    let descriptor = openat(folder.descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    length = Int(status.st_size)
  }

  deinit {
    close(descriptor)
  }

  /// At most `count` bytes from `offset`; fewer only where the file ends.
  package func read(at offset: Int, count: Int) throws(PackageError) -> [UInt8] {
    guard offset >= 0, count >= 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = bytes.withUnsafeMutableBytes { buffer in
        pread(descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(offset + filled))
      }
      if read < 0, errno == EINTR { continue }
      guard read >= 0 else {
        throw PackageError(.unavailable, "A file cannot be read: \(SystemText.of(errno)). Check the disk.")
      }
      if read == 0 { break }
      filled += read
    }
    if filled < count { bytes.removeLast(count - filled) }
    return bytes
  }

  /// Hands out the first `length` bytes in pieces.
  func forEachPiece(
    upTo length: Int, _ body: (UnsafeRawBufferPointer) throws(PackageError) -> Void
  ) throws(PackageError) {
    var offset = 0
    while offset < length {
      let piece = try read(at: offset, count: min(Self.pieceLength, length - offset))
      guard !piece.isEmpty else {
        throw PackageError(.damaged, "A file has become shorter while it was read.")
      }
      offset += piece.count
      var failure: PackageError?
      piece.withUnsafeBytes { bytes in
        do throws(PackageError) { try body(bytes) } catch { failure = error }
      }
      if let failure { throw failure }
    }
  }
}

/// A folder that is open; names in it are looked up without following links.
package final class Folder: Sendable {
  fileprivate let descriptor: Int32

  /// Nil when there is no such folder, or it is a link.
  package init?(path: String) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    self.descriptor = descriptor
  }

  /// A folder inside another.
  init?(_ name: String, in folder: Folder) {
    let descriptor = openat(folder.descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// The names in it, in order, but for `.` and `..`.
  func names() throws(PackageError) -> [String] {
    let copy = dup(descriptor)
    guard copy >= 0, let stream = fdopendir(copy) else {
      throw PackageError(.unavailable, "A folder of the archive cannot be read: \(SystemText.of(errno)).")
    }
    defer { closedir(stream) }
    rewinddir(stream)
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      guard name != ".", name != ".." else { continue }
      guard names.count < ZipWriter.maximumEntries else {
        throw PackageError(.tooLarge, "A folder of the archive has more than \(ZipWriter.maximumEntries) files.")
      }
      names.append(name)
    }
    return names.sorted()
  }

  /// Makes new names in it durable.
  func synchronize() { fsync(descriptor) }
}

/// A file that is being written; it is closed when nobody holds it any more.
final class WritableFile {
  private let descriptor: Int32
  private let path: String

  /// Makes the file, which must not be there.
  init(path: String) throws(PackageError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemText.failure(errno, "The file \(path) cannot be made") }
  }

  deinit {
    close(descriptor)
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(PackageError) {
    var written = 0
    while written < bytes.count {
      let count = pwrite(
        descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written, off_t(offset + written))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemText.failure(errno, "The package cannot be written") }
      written += count
    }
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(PackageError) {
    var failure: PackageError?
    bytes.withUnsafeBytes { buffer in
      do throws(PackageError) { try write(buffer, at: offset) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  func synchronize() throws(PackageError) {
    guard fsync(descriptor) == 0 else { throw SystemText.failure(errno, "The package cannot be written out") }
  }
}

/// What the system's errors mean to people.
enum SystemText {
  static func of(_ code: Int32) -> String { String(cString: strerror(code)) }

  static func failure(_ code: Int32, _ what: String) -> PackageError {
    switch code {
    case ENOSPC, EDQUOT:
      PackageError(.full, "The disk is full. Free some room, then ask for the export again.")
    case EEXIST: PackageError(.unavailable, "\(what): it is there already, and is not overwritten.")
    default: PackageError(.unavailable, "\(what): \(of(code)).")
    }
  }
}
