import Foundation
import GRDB
import Incidents
import JSON
import Primitives
import Storage
import Testing

@Suite("SQLite store")
struct SQLiteStorageTests {
  @Test func conforms() throws {
    var folders: [TemporaryFolder] = []
    try StorageConformance.check {
      let folder = try TemporaryFolder()
      folders.append(folder)
      return try SQLiteStorage(folder: folder.url)
    }
    #expect(folders.count > 5)
  }

  private static func filled(_ folder: TemporaryFolder, journals: [String] = ["26-000001"]) throws {
    let store = try SQLiteStorage(folder: folder.url)
    defer { store.close() }
    for name in journals {
      var chain = Chain(try #require(IncidentID(name)))
      try store.append(
        .init(events: (0..<5).map { chain.next(["text": .string("message \($0)")], named: "k\($0)") }))
    }
    try store.append(.init(changes: [.put(collection: "c", key: "a", 1)]))
  }

  /// What somebody does to the file with another program.
  private static func tamper(_ folder: TemporaryFolder, _ sql: String) throws {
    let queue = try DatabaseQueue(path: folder.url.appending(path: "sightline.sqlite").path)
    try queue.write { try $0.execute(sql: sql) }
    try queue.close()
  }

  @Test func reopeningKeepsEverything() throws {
    let folder = try TemporaryFolder()
    try Self.filled(folder)
    let store = try SQLiteStorage(folder: folder.url)
    defer { store.close() }
    let id = try #require(StorageConformance.journal)
    let events = try store.events(of: id, after: 0, limit: 10)
    #expect(events.map { $0.payload["text"] } == (0..<5).map { .string("message \($0)") })
    #expect(try store.head(of: id)?.hash == events.last?.hash)
    #expect(try store.document("c", "a") == 1)
  }

  @Test func filesAreTheOwnersAlone() throws {
    let folder = try TemporaryFolder()
    try Self.filled(folder)
    let attributes = try FileManager.default.attributesOfItem(
      atPath: folder.url.appending(path: "sightline.sqlite").path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test func aSecondServerIsKeptOutAndToolsAreNot() throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStorage(folder: folder.url)
    let error = storageError { _ = try SQLiteStorage(folder: folder.url) }
    #expect(error?.code == .locked)
    #expect(error?.text.contains("Stop it, or give another --data") == true)
    let tool = try SQLiteStorage(folder: folder.url, mode: .tool)
    try tool.append(.init(changes: [.put(collection: "c", key: "a", 1)]))
    #expect(try store.document("c", "a") == 1)
    tool.close()
    store.close()
    try SQLiteStorage(folder: folder.url).close()
  }

  @Test("a folder that cannot be made is refused with words")
  func unusableFolder() {
    let error = storageError { _ = try SQLiteStorage(folder: URL(filePath: "/dev/null/data")) }
    #expect(error?.code == .unavailable)
    #expect(error?.text.isEmpty == false)
  }

  @Test func aFileThatIsNoDatabaseIsRefused() throws {
    let folder = try TemporaryFolder()
    try Data(repeating: 0x41, count: 8_192).write(to: folder.url.appending(path: "sightline.sqlite"))
    #expect(storageError { _ = try SQLiteStorage(folder: folder.url) }?.code == .corrupt)
  }

  @Test func afterClosingNothingIsPretended() throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStorage(folder: folder.url)
    store.close()
    #expect(storageError { try store.checkHealth() } != nil)
    #expect(storageError { try store.append(.init(changes: [.put(collection: "c", key: "a", 1)])) } != nil)
  }

  @Test(
    "the journal is append-only in the file itself",
    arguments: [
      "UPDATE events SET payload = '{}' WHERE number = 2", "DELETE FROM events WHERE number = 5",
      "UPDATE events SET number = 9 WHERE number = 5", "DELETE FROM events",
    ])
  func appendOnly(sql: String) throws {
    let folder = try TemporaryFolder()
    try Self.filled(folder)
    #expect { try Self.tamper(folder, sql) } throws: { "\($0)".contains("append-only") }
    let store = try SQLiteStorage(folder: folder.url)
    defer { store.close() }
    #expect(try JournalVerifier(storage: store).verify().faults == [])
  }

  /// Each with the number of events that are still good.
  static let damages: [(String, Int)] = [
    ("UPDATE events SET payload = replace(payload, 'message 2', 'massage 2')", 0),
    ("UPDATE events SET time = time + 1 WHERE number = 3", 0),
    ("UPDATE events SET actor = replace(actor, 'operator', 'supervisor') WHERE number = 1", 0),
    ("UPDATE events SET kind = 'note' WHERE number = 1", 0), ("UPDATE events SET client_id = 'x' WHERE number = 1", 0),
    ("UPDATE events SET client_id = NULL WHERE number = 1", 0),
    ("UPDATE events SET hash = zeroblob(32) WHERE number = 4", 0), ("DELETE FROM events WHERE number = 2", 0),
    ("DELETE FROM events WHERE number = 5", 4), ("DELETE FROM events WHERE number = 1", 0), ("DELETE FROM events", 0),
    ("UPDATE heads SET number = 4", 5), ("UPDATE heads SET hash = zeroblob(32)", 5),
    ("UPDATE events SET payload = '{' WHERE number = 2", 0),
    ("UPDATE events SET payload = x'ff00ff' WHERE number = 2", 0),
    ("UPDATE events SET actor = '{}' WHERE number = 2", 0), ("UPDATE events SET time = 'noon' WHERE number = 2", 0),
  ]

  @Test("whatever is changed behind the triggers is found, and stops nothing", arguments: damages)
  func damage(sql: String, soundEvents: Int) throws {
    let folder = try TemporaryFolder()
    try Self.filled(folder, journals: ["26-000001", "untouched"])
    // Only the first journal is damaged.
    let scoped = sql.contains("WHERE") ? sql + " AND incident = '26-000001'" : sql + " WHERE incident = '26-000001'"
    try Self.tamper(folder, "DROP TRIGGER events_stay; DROP TRIGGER events_remain; \(scoped)")
    let store = try SQLiteStorage(folder: folder.url)
    defer { store.close() }
    let report = try JournalVerifier(storage: store).verify()
    #expect(report.journals == 2)
    #expect(report.faults.count == 1)
    #expect(report.faults.first?.contains("26-000001") == true || report.faults.first?.contains("stored") == true)
    #expect(report.events == 5 + soundEvents)
  }

  @Test func verifyingTellsHowFarItIs() throws {
    let folder = try TemporaryFolder()
    try Self.filled(folder, journals: ["a", "b", "c"])
    let store = try SQLiteStorage(folder: folder.url)
    defer { store.close() }
    var told: [Int] = []
    let report = try JournalVerifier(storage: store).verify { told.append($0) }
    #expect(told == [1, 2, 3])
    #expect(report.events == 15 && report.faults == [])
  }
}
