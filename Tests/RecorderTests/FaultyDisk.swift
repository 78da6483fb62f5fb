import Foundation
import Recorder
import Synchronization

/// A real disk that can be filled up or held still.
final class FaultyDisk: ArchiveDisk {
  struct State {
    /// What a path must contain for there to be no room; nil while there is room for all.
    var isFullFor: String?
    /// Whether whatever waits for the disk goes on waiting.
    var isStalled = false
    var synchronized = 0
    var waiters: [DispatchSemaphore] = []
  }

  let state = Mutex(State())
  private let refused = DispatchSemaphore(value: 0)
  private let disk = SystemDisk()

  func fill(for part: String) { state.withLock { $0.isFullFor = part } }
  /// Returns when something found no room.
  func waitForRefusal() { refused.wait() }
  func empty() { state.withLock { $0.isFullFor = nil } }
  func stall() { state.withLock { $0.isStalled = true } }

  func goOn() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      state.isStalled = false
      return state.waiters
    }
    for waiter in waiters { waiter.signal() }
  }

  func waitWhileStalled() {
    let waiter = state.withLock { state -> DispatchSemaphore? in
      state.synchronized += 1
      guard state.isStalled else { return nil }
      let waiter = DispatchSemaphore(value: 0)
      state.waiters.append(waiter)
      return waiter
    }
    waiter?.wait()
  }

  func checkRoom(for path: String) throws(DiskError) {
    guard let part = state.withLock({ $0.isFullFor }), path.contains(part) else { return }
    refused.signal()
    throw DiskError(.full, "Could not write: No space left on device.")
  }

  func makeFolder(_ path: String) throws(DiskError) { try disk.makeFolder(path) }
  func names(in path: String) throws(DiskError) -> [String] { try disk.names(in: path) }
  func read(_ path: String) throws(DiskError) -> [UInt8]? { try disk.read(path) }
  func move(_ path: String, to target: String) throws(DiskError) { try disk.move(path, to: target) }
  func remove(_ path: String) throws(DiskError) { try disk.remove(path) }
  func synchronize(folder path: String) throws(DiskError) { try disk.synchronize(folder: path) }

  func open(_ path: String) throws(DiskError) -> any AppendableFile {
    FaultyFile(file: try disk.open(path), path: path, disk: self)
  }
}

private final class FaultyFile: AppendableFile {
  private let file: any AppendableFile
  private let path: String
  private let disk: FaultyDisk

  init(file: any AppendableFile, path: String, disk: FaultyDisk) {
    self.file = file
    self.path = path
    self.disk = disk
  }

  var length: Int { file.length }

  func append(_ bytes: [UInt8]) throws(DiskError) {
    try disk.checkRoom(for: path)
    try file.append(bytes)
  }

  func truncate(to length: Int) throws(DiskError) { try file.truncate(to: length) }

  func synchronize() throws(DiskError) {
    disk.waitWhileStalled()
    try file.synchronize()
  }
}
