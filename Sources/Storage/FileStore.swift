import Cryptography
import Foundation
import Glibc
import Primitives

/// Uploaded files, each under the SHA-256 of its content: written once, never changed.
package final class FileStore: Sendable {
  private let folder: URL

  /// Makes the folder; what unfinished uploads left behind is removed.
  package init(folder: URL) throws(StorageError) {
    self.folder = folder
    do {
      let temporary = folder.appendingPathComponent("incoming")
      try? FileManager.default.removeItem(at: temporary)
      try FileManager.default.createDirectory(
        at: temporary, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw StorageError(.unavailable, "The folder for files \(folder.path) cannot be written to.")
    }
  }

  /// Reads a folder that a server may be using; nothing is made or removed.
  package init(reading folder: URL) {
    self.folder = folder
  }

  /// Keeps `content`, durably.
  ///
  /// `inspect` looks at the file before it is kept, and may refuse it.
  ///
  /// - Returns: The SHA-256 of the content, hexadecimal.
  package func keep(
    _ content: [UInt8], inspect: (_ path: String) throws(StorageError) -> Void = { _ in }
  ) throws(StorageError) -> String {
    let hash = Hex.encode(Digest.sha256(content))
    let target = path(of: hash)
    if FileManager.default.fileExists(atPath: target.path) { return hash }
    let temporary = folder.appendingPathComponent("incoming/\(UUID().uuidString)")
    try Self.write(content, to: temporary.path)
    defer { try? FileManager.default.removeItem(at: temporary) }
    try inspect(temporary.path)
    do {
      try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw StorageError(.unavailable, "The folder for files cannot be written to.")
    }
    guard rename(temporary.path, target.path) == 0 else {
      throw StorageError(.unavailable, "The file could not be kept: error \(errno).")
    }
    Self.synchronize(target.deletingLastPathComponent().path)
    Self.synchronize(folder.path)
    return hash
  }

  /// The content of a kept file; nil when there is none.
  package func content(of hash: String) -> [UInt8]? {
    guard hash.utf8.count == 64, Hex.decode(hash) != nil else { return nil }
    return (try? Data(contentsOf: path(of: hash))).map { Array($0) }
  }

  private func path(of hash: String) -> URL {
    folder.appendingPathComponent("\(hash.prefix(2))/\(hash)")
  }

  private static func write(_ content: [UInt8], to path: String) throws(StorageError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StorageError(.unavailable, "The file could not be made: error \(errno).") }
    defer { close(descriptor) }
    var offset = 0
    while offset < content.count {
      let written = content.withUnsafeBytes { bytes in
        Glibc.write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
      }
      guard written > 0 else {
        throw StorageError(errno == ENOSPC ? .full : .unavailable, "The file could not be written: error \(errno).")
      }
      offset += written
    }
    guard fsync(descriptor) == 0 else {
      throw StorageError(.unavailable, "The file could not be written out: error \(errno).")
    }
  }

  /// Makes a new name in a folder durable.
  private static func synchronize(_ folder: String) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
