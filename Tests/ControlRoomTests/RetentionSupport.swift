import Archive
import ControlRoom
import Cryptography
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Testing

/// A room with archives on a real disk, in a folder that goes with it.
final class ArchiveRoom: Sendable {
  let room: TestRoom
  let keeping: ArchiveKeeping
  let root: URL

  static var key: Ed25519PrivateKey {
    get throws { try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 3, count: 32))) }
  }

  init(
    storage: any Storage = MemoryStorage(), quota: ArchiveSpace.Quota? = nil,
    root: URL = FileManager.default.temporaryDirectory.appendingPathComponent("sightline-keep-\(UUID().uuidString)")
  ) async throws {
    self.root = root
    room = try await TestRoom(storage: storage)
    keeping = ArchiveKeeping(room: room.room, archive: root, quota: quota) { try Self.key }
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    await keeping.catalog.catchUp()
  }

  deinit {
    try? FileManager.default.removeItem(at: root)
  }

  var folders: ArchiveFolders { ArchiveFolders(root: root) }

  /// An incident with an archive, ended unless said otherwise.
  func incident(
    _ files: [String] = ["media/v-0001.mp4", "stills/s-1.jpg", "late/l-1.webm"], agency: String = "metro",
    ends: Bool = true, seals: Bool = true
  ) async throws -> IncidentID {
    let id = try await room.open(agency: agency)
    try await room.note(.recording, ["state": "started"], in: id)
    for file in ["manifest.jsonl"] + files { try write("content of \(file)", to: "\(id)/\(file)") }
    if ends { try await room.note(.stateChanged, ["state": "ended", "outcome": "handled"], in: id) }
    if seals { try await room.note(.recording, ["state": "sealed"], in: id) }
    return id
  }

  func write(_ text: String, to path: String) throws {
    let file = root.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path) }

  func setPolicy(_ days: [RetentionClass: Int], agency: String = "metro") async throws {
    try await keeping.retention.setPolicy(RetentionPolicy(days: days), by: person(.admin, agency: agency))
  }

  func hold(_ id: IncidentID, _ isHeld: Bool = true, by principal: Principal = person(.supervisor)) async throws {
    try await keeping.retention.hold(isHeld, id, reason: "court order", by: principal)
  }

  /// Lets days go by.
  func wait(days: Double) { room.clock.advance(days * 86_400) }

  /// What the journal says was deleted.
  func deletions(of id: IncidentID) throws -> [JournalEvent] {
    try room.storage.events(of: id, after: 0, limit: 10_000).filter { $0.kind == EventKind.retentionDeleted.rawValue }
  }
}
