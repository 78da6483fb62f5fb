import Archive
import Foundation
import Glibc

/// Does what a ``Recovery`` decided, durably.
package enum FolderRepair {
  /// Cuts and removes in `folder`, in order; stops at the first step that fails.
  package static func apply(_ steps: [Recovery.Step], in folder: URL) throws(ArchiveReadingError) {
    let root = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard root >= 0 else {
      throw ArchiveReadingError(.noFolder, "The folder \(folder.path) cannot be opened: \(systemErrorText(errno)).")
    }
    defer { close(root) }
    for step in steps {
      switch step {
      case .truncate(let name, let length):
        try change(name, in: root) { folder, plain in truncateFile(plain, length, folder) }
      case .remove(let name):
        try change(name, in: root) { folder, plain in unlinkat(folder, plain, 0) == 0 && fsync(folder) == 0 }
      }
    }
  }

  private static func change(
    _ name: String, in root: Int32, _ body: (_ folder: Int32, _ name: String) -> Bool
  ) throws(ArchiveReadingError) {
    let path = ArchivePath(name)
    let folder = openat(root, path?.folder.rawValue ?? ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    defer { if folder >= 0 { close(folder) } }
    let plain = path?.name ?? name
    guard folder >= 0, !plain.contains("/"), body(folder, plain) else {
      throw ArchiveReadingError(.unreadable, "\(name) could not be recovered: \(systemErrorText(errno)).")
    }
  }

  private static func truncateFile(_ name: String, _ length: Int, _ folder: Int32) -> Bool {
    let descriptor = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return ftruncate(descriptor, length) == 0 && fsync(descriptor) == 0
  }
}
