import ControlRoom
import Cryptography
import Foundation
import Recorder
import Storage

/// The recorder of a node, with what it signs with and whom it tells.
struct Recording {
  let recorder: Recorder
  let desk: RecordingDesk
  let bell: RecorderBell

  init(room: ControlRoom, storage: any Storage, agency: String, data: URL) throws {
    let bell = RecorderBell()
    self.bell = bell
    recorder = Recorder(
      RecorderConfiguration(folder: data.appendingPathComponent("archive").path, agency: agency),
      keys: try NodeSealingKey(data: data), journal: StoredJournal(storage: storage)
    ) { bell.ring($0) }
    desk = RecordingDesk(room: room, recorder: recorder, bell: bell)
  }
}

/// The key that this node signs archives with.
private struct NodeSealingKey: SealingKeys {
  private let key: Ed25519PrivateKey

  init(data: URL) throws {
    let seed = try KeyFile.load("archive-key", from: data)
    guard let key = Ed25519PrivateKey(seed: seed) else { throw KeyFileError(path: data.path) }
    self.key = key
  }

  func current() throws -> Ed25519PrivateKey { key }
}
