import Archive
import Foundation
import Glibc

/// An archive's folder on a disk.
///
/// Nothing in it leads elsewhere: symbolic links are not followed, and regular files alone are opened. For one thread.
package final class FolderReader: ArchiveReading {
  private let path: String
  private let root: Int32
  /// The file that was read last stays open.
  private var opened: (name: String, descriptor: Int32)?

  /// Opens the folder; the path to it may hold links.
  package init(_ folder: URL) throws(ArchiveReadingError) {
    path = folder.path
    root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard root >= 0 else {
      let missing = errno == ENOENT || errno == ENOTDIR
      throw ArchiveReadingError(
        missing ? .noFolder : .unreadable, "The folder \(path) cannot be opened: \(systemErrorText(errno)).")
    }
  }

  deinit {
    if let opened { close(opened.descriptor) }
    if root >= 0 { close(root) }
  }

  package func items() throws(ArchiveReadingError) -> [ArchiveItem] {
    var items = try entries(of: root, prefix: "")
    for folder in ArchivePath.Folder.allCases where items.contains(where: { $0.name == folder.rawValue }) {
      let descriptor = openat(root, folder.rawValue, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      items += try entries(of: descriptor, prefix: folder.rawValue + "/")
      guard items.count <= ArchiveFile.maximumItems else {
        throw ArchiveReadingError(.tooMuch, "\(path) holds more than \(ArchiveFile.maximumItems) files.")
      }
    }
    return items
  }

  package func read(_ name: String, from offset: Int, count: Int) throws(ArchiveReadingError) -> [UInt8]? {
    guard let descriptor = try descriptor(of: name) else { return nil }
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let result = pread(descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, offset + filled)
        if result < 0, errno == EINTR { continue }
        if result < 0 { failure = errno }
        guard result > 0 else { return }
        filled += result
      }
    }
    guard failure == 0 else {
      throw ArchiveReadingError(.unreadable, "\(name) in \(path): \(systemErrorText(failure)).")
    }
    return bytes
  }

  // MARK: - Opening

  private func descriptor(of name: String) throws(ArchiveReadingError) -> Int32? {
    if let opened, opened.name == name { return opened.descriptor }
    guard let descriptor = try openFile(name) else { return nil }
    if let opened { close(opened.descriptor) }
    opened = (name, descriptor)
    return descriptor
  }

  private func openFile(_ name: String) throws(ArchiveReadingError) -> Int32? {
    var folder = root
    defer { if folder != root, folder >= 0 { close(folder) } }
    var plain = name
    if let path = ArchivePath(name) {
      folder = openat(root, path.folder.rawValue, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      plain = path.name
    }
    guard folder >= 0, !plain.contains("/") else { return nil }
    // Not blocking, since opening a pipe would.
    let descriptor = openat(folder, plain, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ELOOP { return nil }
      throw ArchiveReadingError(.unreadable, "\(name) in \(path): \(systemErrorText(errno)).")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  private func entries(of folder: Int32, prefix: String) throws(ArchiveReadingError) -> [ArchiveItem] {
    // A stream owns its descriptor, and begins where the descriptor stands.
    let descriptor = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0, let stream = fdopendir(descriptor) else {
      throw ArchiveReadingError(.unreadable, "\(prefix) in \(path) cannot be listed: \(systemErrorText(errno)).")
    }
    defer { closedir(stream) }
    var items: [ArchiveItem] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name != ".", name != ".." else { continue }
      guard items.count < ArchiveFile.maximumItems else {
        throw ArchiveReadingError(.tooMuch, "\(path) holds more than \(ArchiveFile.maximumItems) files.")
      }
      var status = stat()
      // A file that was removed since is none; a name that is no text stays listed as something strange.
      let kind: ArchiveItem.Kind =
        fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? Self.kind(status) : .other
      items.append(ArchiveItem(name: prefix + name, kind: kind))
    }
    return items
  }

  private static func kind(_ status: stat) -> ArchiveItem.Kind {
    switch status.st_mode & S_IFMT {
    case S_IFREG: .file(length: Int(status.st_size))
    case S_IFDIR: .folder
    case S_IFLNK: .symbolicLink
    default: .other
    }
  }
}

/// What the system calls an error.
func systemErrorText(_ code: Int32) -> String { String(cString: strerror(code)) }
