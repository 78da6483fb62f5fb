import ControlRoom
import Cryptography
import Foundation
import Primitives
import Recorder
import Storage

/// The recorder of a node, with what it signs with and whom it tells.
struct Recording {
  let recorder: Recorder
  let desk: RecordingDesk
  let bell: RecorderBell

  /// Archives lie in this folder within the node's data.
  static let folderName = "archive"

  init(_ options: NodeOptions, room: ControlRoom, storage: any Storage, data: URL) throws {
    let bell = RecorderBell()
    self.bell = bell
    var random = RandomSource.system
    let keyring = try ArchiveKeyring(data: data, now: RecorderClock.system.wall(), random: &random)
    recorder = Recorder(
      RecorderConfiguration(
        folder: data.appendingPathComponent(Self.folderName).path, agency: options.agency,
        encryptionKey: try options.archiveEncryptionKey(data: data)),
      keys: NodeSealingKeys(keyring: keyring), journal: StoredJournal(storage: storage)
    ) { bell.ring($0) }
    desk = RecordingDesk(room: room, recorder: recorder, bell: bell)
  }
}

extension Recording {
  /// What the recorder counts, for whoever asks.
  var statistics: @Sendable () -> RecorderStatistics {
    { [recorder] in recorder.statistics }
  }

  /// All keys that the node has sealed archives with, as they are when somebody asks; none while there are none.
  static func publicKeys(data: URL) -> @Sendable () -> [Ed25519PublicKey] {
    { (try? ArchiveKeyring(reading: data))?.entries.map(\.key) ?? [] }
  }
}

/// The node's keys as the recorder asks for them: read again when they were rotated.
private struct NodeSealingKeys: SealingKeys {
  let keyring: ArchiveKeyring

  func current() throws -> Ed25519PrivateKey {
    try keyring.refresh()
    return keyring.signingKey
  }
}
