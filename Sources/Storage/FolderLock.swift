import Foundation
import Glibc

/// Holds a data folder for one server; the kernel lets go of it when the process ends, however it ends.
final class FolderLock: Sendable {
  private let descriptor: Int32

  init(folder: URL) throws(StorageError) {
    let file = folder.appendingPathComponent("server.lock").path
    let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StorageError(
        .unavailable, "The data folder \(folder.path) cannot be written to. Check its owner and rights.")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      Glibc.close(descriptor)
      throw StorageError(
        .locked, "Another server uses the data folder \(folder.path). Stop it, or give another --data.")
    }
    self.descriptor = descriptor
  }

  func release() {
    flock(descriptor, LOCK_UN)
  }

  deinit {
    Glibc.close(descriptor)
  }
}
