import ControlRoom
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Synchronization
import Testing

@Suite("Room for recordings")
struct RetentionSpaceTests {
  @Test(
    "quotas",
    arguments: [
      ("1", ArchiveSpace.Quota.bytes(1)), ("500G", .bytes(500 << 30)), ("2T", .bytes(2 << 40)), ("80%", .percent(80)),
      ("", nil), ("0", nil), ("-1", nil), ("101%", nil), ("0%", nil), ("80 %", nil), ("1.5G", nil), ("G", nil),
      ("99999999999T", nil), ("1P", nil),
    ])
  func quotas(_ text: String, _ expected: ArchiveSpace.Quota?) {
    #expect(ArchiveSpace.Quota(text) == expected)
  }

  /// Alarms in the audit journal.
  private func alarms(_ archive: ArchiveRoom) throws -> [String] {
    try archive.room.storage.events(of: .audit, after: 0, limit: 100)
      .filter { $0.kind == EventKind.recording.rawValue }.compactMap { $0.payload["state"]?.string }
  }

  private func space(
    _ archive: ArchiveRoom, _ quota: ArchiveSpace.Quota?, _ disk: @escaping @Sendable () -> (free: Int, capacity: Int)
  ) -> ArchiveSpace {
    ArchiveSpace(
      room: archive.room.room, catalog: archive.keeping.catalog, folders: archive.folders, quota: quota
    ) { _ in disk() }
  }

  @Test func measuresWhatIsThereAndWhatGrows() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident([], ends: false)
    try archive.write(String(repeating: "x", count: 1_000), to: "\(id)/media/v-0001.mp4")
    let space = space(archive, .percent(50)) { (free: 900_000, capacity: 1_000_000) }
    await space.measure()
    let before = space.reading
    #expect(before.archive >= 1_000 && before.archive < 1_100)
    #expect(before.quota == 500_000 && before.diskFree == 900_000)
    try archive.write(String(repeating: "x", count: 3_000), to: "\(id)/media/v-0001.mp4")
    await space.measure()
    #expect(space.reading.archive == before.archive + 2_000)
  }

  @Test func restingArchivesAreNotMeasuredAgainUnlessAllAre() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident(["media/v.mp4"])
    await archive.keeping.catalog.settle()
    archive.wait(days: 3)
    let space = space(archive, nil) { (free: 1, capacity: 1) }
    await space.measure()
    let before = space.reading.archive
    try archive.write("grown where nothing grows", to: "\(id)/media/w.mp4")
    await space.measure()
    #expect(space.reading.archive == before)
    await space.measure(all: true)
    #expect(space.reading.archive > before)
    try FileManager.default.removeItem(at: archive.root.appendingPathComponent(id.value))
    await space.measure()
    #expect(space.reading.archive == 0)
  }

  @Test func alarmsComeEarlyOnceALevelAndEndWithRoom() async throws {
    let archive = try await ArchiveRoom()
    let free = Mutex(50)
    let space = space(archive, nil) { (free: free.withLock { $0 }, capacity: 100) }
    for (now, expected) in [
      (50, []), (20, ["alarm"]), (19, ["alarm"]), (9, ["alarm", "alarm"]), (22, ["alarm", "alarm"]),
      (3, ["alarm", "alarm", "alarm"]), (40, ["alarm", "alarm", "alarm", "recovered"]),
      (20, ["alarm", "alarm", "alarm", "recovered", "alarm"]),
    ] {
      free.withLock { $0 = now }
      await space.measure()
      #expect(try alarms(archive) == expected, "\(now) free")
    }
  }

  @Test func aQuotaBelowTheDiskAlarmsFirst() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident([])
    try archive.write(String(repeating: "x", count: 900), to: "\(id)/media/v.mp4")
    let space = space(archive, .bytes(1_000)) { (free: 99, capacity: 100) }
    await space.measure()
    #expect(try alarms(archive) == ["alarm"])
  }

  @Test func theSystemsDiskIsFoundAboveAMissingFolder() {
    let (free, capacity) = ArchiveSpace.systemDisk("/tmp/not/there/at/all")
    #expect(capacity > 0 && free >= 0 && free <= capacity)
  }
}
