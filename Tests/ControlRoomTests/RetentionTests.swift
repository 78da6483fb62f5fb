import Archive
import ControlRoom
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Testing

@Suite("Retention")
struct RetentionTests {
  @Test func nothingIsDeletedUnlessConfigured() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident()
    archive.wait(days: 36_500)
    let report = try await archive.keeping.retention.sweep()
    #expect(report.count == 0)
    #expect(archive.exists("\(id)/media/v-0001.mp4"))
    #expect(try archive.deletions(of: id).isEmpty)
  }

  @Test func whatIsOverIsJournalledNotedAndDeleted() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident(["media/v-0001.mp4", "media/a-0001.mp4", "stills/s-1.jpg"])
    try await archive.setPolicy([.media: 180])
    archive.wait(days: 179)
    #expect(try await archive.keeping.retention.sweep().count == 0)
    archive.wait(days: 1)
    let preview = try await archive.keeping.retention.preview(agency: "metro")
    #expect(archive.exists("\(id)/media/v-0001.mp4"), "a look deletes nothing")
    let report = try await archive.keeping.retention.sweep()
    #expect(report.items == preview.items)
    #expect(report.files == 2)
    #expect(!archive.exists("\(id)/media/v-0001.mp4") && !archive.exists("\(id)/media/a-0001.mp4"))
    #expect(archive.exists("\(id)/stills/s-1.jpg") && archive.exists("\(id)/manifest.jsonl"))

    let event = try #require(try archive.deletions(of: id).first)
    let record = try #require(archive.folders.deletions(of: .init(id)).first)
    #expect(event.payload["files"]?.integer == 2)
    #expect(event.payload["bytes"]?.integer == report.bytes)
    #expect(event.payload["sha256"]?.string == Hex.encode(DeletionRecord.hash(of: record.files)))
    #expect(record.number == event.number)
    #expect(record.files.map(\.path) == ["media/a-0001.mp4", "media/v-0001.mp4"])
    #expect(record.isSigned && record.incident == id)
    #expect(try await archive.keeping.retention.sweep().count == 0, "once")
  }

  @Test func aHoldBeatsEverythingUntilItIsLifted() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident()
    try await archive.setPolicy([.media: 1, .stills: 1, .late: 1])
    try await archive.hold(id)
    archive.wait(days: 10)
    let held = try await archive.keeping.retention.sweep()
    #expect(held.held == [id] && held.count == 0)
    #expect(archive.exists("\(id)/media/v-0001.mp4"))
    let refused = await refusal {
      try await archive.room.note(
        .retentionDeleted,
        [
          "class": "media", "files": 1, "bytes": 1, "sha256": .string(String(repeating: "0", count: 64)),
          "reason": "by hand",
        ], in: id)
    }
    #expect(refused?.code == .wrongState, "the journal itself does not take a deletion")
    try await archive.hold(id, false)
    #expect(try await archive.keeping.retention.sweep().count == 3)
  }

  @Test("who may hold", arguments: Role.allCases)
  func holders(_ role: Role) async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident()
    let refused = await refusal { try await archive.hold(id, by: person(role)) }
    #expect(
      (refused == nil) == [.supervisor, .custodian, .system].contains(role), "\(role): \(String(describing: refused))")
    let foreign = await refusal { try await archive.hold(id, by: person(.supervisor, agency: "rural")) }
    #expect(foreign?.code == .notFound)
  }

  @Test func onlyEndedIncidentsWhoseRecordingIsOver() async throws {
    let archive = try await ArchiveRoom()
    let open = try await archive.incident(ends: false)
    let running = try await archive.incident(seals: false)
    let reopened = try await archive.incident()
    try await archive.room.note(.stateChanged, ["state": "reopened"], in: reopened)
    try await archive.setPolicy([.media: 1])
    archive.wait(days: 100)
    #expect(try await archive.keeping.retention.sweep().count == 0)
    for id in [open, running, reopened] { #expect(archive.exists("\(id)/media/v-0001.mp4")) }
  }

  @Test func agenciesDecideForThemselves() async throws {
    let archive = try await ArchiveRoom()
    let (ours, theirs) = (try await archive.incident(), try await archive.incident(agency: "rural"))
    try await archive.setPolicy([.media: 1])
    archive.wait(days: 2)
    _ = try await archive.keeping.retention.sweep()
    #expect(!archive.exists("\(ours)/media/v-0001.mp4"))
    #expect(archive.exists("\(theirs)/media/v-0001.mp4"))
    let refused = await refusal {
      try await archive.keeping.retention.setPolicy(.keepAll, by: person(.supervisor))
    }
    #expect(refused?.code == .forbidden)
  }

  @Test func theKeyGoesWhenNothingIsLeftToRead() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident(["media/v-0001.mp4", "stills/s-1.jpg", "envelope.json"])
    try await archive.setPolicy([.media: 1])
    archive.wait(days: 2)
    _ = try await archive.keeping.retention.sweep()
    #expect(archive.exists("\(id)/envelope.json"), "stills can still be read with it")
    try await archive.setPolicy([.media: 1, .stills: 2])
    archive.wait(days: 1)
    let report = try await archive.keeping.retention.sweep()
    #expect(report.items.contains { $0.destroysKey })
    #expect(!archive.exists("\(id)/envelope.json") && !archive.exists("\(id)/stills/s-1.jpg"))
  }

  @Test func whatWasMovedAsideGoesWithTheRest() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident()
    for name in ["\(id).aside-1795880689", "\(id).other", "\(id).aside-", "\(id).aside-../x"] {
      try archive.write("damaged", to: "\(name)/media/v-0001.mp4")
    }
    try await archive.setPolicy([.media: 1])
    archive.wait(days: 2)
    #expect(try await archive.keeping.retention.sweep().files == 2)
    #expect(!archive.exists("\(id).aside-1795880689/media/v-0001.mp4"))
    #expect(archive.exists("\(id).other/media/v-0001.mp4"))
    #expect(try archive.deletions(of: id).count == 2)
  }

  @Test func manyFilesGoInParts() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident((0..<DeletionRecord.maximumFiles + 5).map { "stills/s-\($0).jpg" })
    try await archive.setPolicy([.stills: 1])
    archive.wait(days: 2)
    let report = try await archive.keeping.retention.sweep()
    #expect(report.files == DeletionRecord.maximumFiles + 5)
    #expect(try archive.deletions(of: id).count == 2)
    #expect(archive.folders.files(of: .init(id), .stills).isEmpty)
  }
}

@Suite("Retention: what interrupts it")
struct RetentionInterruptionTests {
  @Test func aDeletionThatCouldNotBeNotedIsFinishedLaterAndToldOnce() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident()
    try await archive.setPolicy([.media: 1])
    archive.wait(days: 2)
    // A folder stands where the list should: as if the disk had failed between journal and archive.
    try archive.write("", to: "\(id)/deletions.jsonl/x")
    let failed = try await archive.keeping.retention.sweep()
    #expect(failed.failures.map(\.incident) == [id] && failed.count == 0)
    #expect(archive.exists("\(id)/media/v-0001.mp4"), "nothing is deleted that is not noted")
    #expect(try archive.deletions(of: id).count == 1)
    try FileManager.default.removeItem(at: archive.root.appendingPathComponent("\(id)/deletions.jsonl"))
    archive.wait(days: 1)
    #expect(try await archive.keeping.retention.sweep().count == 1)
    #expect(try archive.deletions(of: id).count == 1, "told once")
    #expect(archive.folders.deletions(of: .init(id)).map(\.number) == [try archive.deletions(of: id)[0].number])
    #expect(!archive.exists("\(id)/media/v-0001.mp4"))
  }

  @Test func whatWasNotedAndNotDeletedIsDeletedLater() async throws {
    let storage = MemoryStorage()
    let archive = try await ArchiveRoom(storage: storage)
    let id = try await archive.incident(["media/v-0001.mp4", "media/v-0002.mp4"])
    try await archive.setPolicy([.media: 1])
    archive.wait(days: 2)
    let files = try archive.folders.files(of: .init(id), .media).map { file in
      DeletionRecord.File(path: file.path, hash: try #require(archive.folders.hash(of: file.path, in: id)))
    }
    try archive.folders.note(
      DeletionRecord(
        of: id, at: TestClock.start, .media, rule: "r", files, number: 5, signedBy: try ArchiveRoom.key), in: .init(id))
    try FileManager.default.removeItem(at: archive.root.appendingPathComponent("\(id)/media/v-0001.mp4"))
    _ = try await archive.keeping.retention.sweep()
    #expect(!archive.exists("\(id)/media/v-0002.mp4"))
    #expect(try archive.deletions(of: id).isEmpty, "the earlier run had told it")
  }

  @Test func aLineThatWasCutOffMakesRoom() async throws {
    let archive = try await ArchiveRoom()
    let id = try await archive.incident()
    let record = DeletionRecord(
      of: id, at: TestClock.start, .late, rule: "r", [], number: 1, signedBy: try ArchiveRoom.key)
    try archive.folders.note(record, in: .init(id))
    let file = archive.root.appendingPathComponent("\(id)/deletions.jsonl")
    try (Data(record.line) + Data(record.line.prefix(30))).write(to: file)
    try archive.folders.note(record, in: .init(id))
    #expect(try Data(contentsOf: file) == Data(record.line + record.line))
  }

  @Test func linksLeadNowhere() async throws {
    let archive = try await ArchiveRoom()
    let outside = archive.root.deletingLastPathComponent().appendingPathComponent("outside-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: outside) }
    try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: true)
    try Data("precious".utf8).write(to: outside.appendingPathComponent("v-0001.mp4"))
    let linkedFile = try await archive.incident(["stills/s.jpg"])
    let linkedFolder = try await archive.incident(["stills/s.jpg"])
    let link = { (path: String, target: URL) in
      try FileManager.default.createSymbolicLink(
        at: archive.root.appendingPathComponent(path), withDestinationURL: target)
    }
    try FileManager.default.createDirectory(
      at: archive.root.appendingPathComponent("\(linkedFile)/media"), withIntermediateDirectories: true)
    try link("\(linkedFile)/media/v-0001.mp4", outside.appendingPathComponent("v-0001.mp4"))
    try link("\(linkedFolder)/media", outside)
    try archive.write("odd name", to: "\(linkedFile)/media/.hidden")
    try await archive.setPolicy([.media: 1])
    archive.wait(days: 2)
    #expect(try await archive.keeping.retention.sweep().count == 0)
    #expect(FileManager.default.fileExists(atPath: outside.appendingPathComponent("v-0001.mp4").path))
    #expect(archive.folders.hash(of: "media/v-0001.mp4", in: .init(linkedFolder)) == nil)
    #expect(archive.folders.hash(of: "../\(linkedFile)/manifest.jsonl", in: .init(linkedFolder)) == nil)
  }
}
