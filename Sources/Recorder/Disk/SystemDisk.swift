import Foundation
import Glibc

/// The file system of this machine.
package struct SystemDisk: ArchiveDisk {
  package init() {}

  package func makeFolder(_ path: String) throws(DiskError) {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw DiskError(.failed, "The folder \(path) cannot be made: \(error.localizedDescription)")
    }
    try synchronize(folder: (path as NSString).deletingLastPathComponent)
  }

  package func names(in path: String) throws(DiskError) -> [String] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      throw DiskError(.failed, "The folder \(path) cannot be read: \(error.localizedDescription)")
    }
  }

  package func read(_ path: String) throws(DiskError) -> [UInt8]? {
    let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw DiskError(errno: errno, "read \(path)")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw DiskError(.failed, "\(path) is no plain file.")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset, off_t(offset))
      }
      guard count > 0 else { throw DiskError(errno: errno, "read \(path)") }
      offset += count
    }
    return bytes
  }

  package func open(_ path: String) throws(DiskError) -> any AppendableFile { try SystemFile(path) }

  package func move(_ path: String, to target: String) throws(DiskError) {
    do {
      try FileManager.default.moveItem(atPath: path, toPath: target)
    } catch {
      throw DiskError(.failed, "\(path) cannot be moved to \(target): \(error.localizedDescription)")
    }
    try synchronize(folder: (path as NSString).deletingLastPathComponent)
  }

  package func remove(_ path: String) throws(DiskError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw DiskError(errno: errno, "remove \(path)") }
  }

  package func synchronize(folder path: String) throws(DiskError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DiskError(errno: errno, "open the folder \(path)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw DiskError(errno: errno, "write out the folder \(path)") }
  }
}

/// An open descriptor; closed with the object.
private final class SystemFile: AppendableFile {
  private let descriptor: Int32
  private let path: String
  private(set) var length: Int

  init(_ path: String) throws(DiskError) {
    self.path = path
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw DiskError(errno: errno, "open \(path)") }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw DiskError(.failed, "\(path) is no plain file.")
    }
    self.descriptor = descriptor
    length = Int(status.st_size)
  }

  deinit {
    close(descriptor)
  }

  func append(_ bytes: [UInt8]) throws(DiskError) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset, off_t(length + offset))
      }
      guard count > 0 else {
        let failure = DiskError(errno: errno, "write to \(path)")
        // Half of it is nothing: the next attempt begins where this one did.
        ftruncate(descriptor, off_t(length))
        throw failure
      }
      offset += count
    }
    length += bytes.count
  }

  func truncate(to length: Int) throws(DiskError) {
    guard ftruncate(descriptor, off_t(length)) == 0 else { throw DiskError(errno: errno, "cut off \(path)") }
    self.length = length
  }

  func synchronize() throws(DiskError) {
    guard fdatasync(descriptor) == 0 else { throw DiskError(errno: errno, "write out \(path)") }
  }
}

extension DiskError {
  init(errno number: Int32, _ what: String) {
    self.init(
      number == ENOSPC || number == EDQUOT ? .full : .failed, "Could not \(what): \(String(cString: strerror(number)))."
    )
  }
}
