import Archive
import ControlRoom
import Cryptography
import Foundation
import Incidents
import Primitives
import Recorder
import Storage
import Testing

@Suite struct LateMediaTests {
  @Test func anUploadIsInTheArchiveAndInTheJournal() async throws {
    try await withScene { scene in
      let kept = try await scene.keep()
      #expect("\(kept.path)" == "late/upload-1.webm" && !kept.isRepeat)
      let file = try #require(try await scene.contents().file(kept.path))
      #expect(file.purpose == .late && file.mimeType == "video/webm" && file.hash == kept.hash)
      #expect(file.hash == Digest.sha256(try Scene.clip()))
      #expect(file.start == scene.now + (.zero - Scene.age))
      #expect(file.note?.hasPrefix(LateMediaDesk.note) == true && file.note?.contains(scene.caller.actor.id) == true)
      let events = try scene.room.storage.events(of: scene.incident, after: 0, limit: 100)
      let told = try #require(events.last { $0.kind == EventKind.recording.rawValue })
      #expect(told.payload["state"] == "late" && told.payload["detail"]?.string?.contains("late/upload-1.webm") == true)
    }
  }

  @Test func theSameUploadDoesNothingAgain() async throws {
    try await withScene { scene in
      let first = try await scene.keep()
      let second = try await scene.desk.keep(
        scene.draft(), length: nil, in: scene.incident, by: scene.caller
      ) {
        Issue.record("the body is not read again")
        return []
      }
      #expect(second.isRepeat && second.hash == first.hash)
      #expect(try await scene.contents().files.count == 1)
    }
  }

  struct Bad: Sendable, CustomTestStringConvertible {
    var what: String
    var code = Refusal.Code.badPayload
    var bytes: [UInt8]?
    var length: Int?
    var change: @Sendable (inout LateMediaDesk.Draft) -> Void = { _ in }
    var testDescription: String { what }
  }

  static let bad: [Bad] = [
    Bad(what: "no media", bytes: Array("<!doctype html><script>alert(1)</script>".utf8)),
    Bad(what: "nothing", bytes: []),
    Bad(what: "only a beginning", bytes: [0x1a, 0x45, 0xdf, 0xa3]),
    Bad(what: "a gigabyte announced", code: .tooLarge, length: 1 << 30),
    Bad(what: "another container") { $0.mimeType = "video/mp4" },
    Bad(what: "sound said, pictures sent") { $0.mimeType = "audio/webm" },
    Bad(what: "another type") { $0.mimeType = "text/html" },
    Bad(what: "a short name") { $0.upload = "abc" },
    Bad(what: "a way out") { $0.upload = "../../../../etc/x" },
    Bad(what: "capital letters") { $0.upload = "UPLOAD-NAME" },
    Bad(what: "too old") { $0.age = LateMediaDesk.maximumAge + .seconds(1) },
    Bad(what: "too long") { $0.duration = LateMediaDesk.maximumDuration + .seconds(1) },
    Bad(what: "from the future") { $0.duration = $0.age + .seconds(10) },
    Bad(what: "longer than its age") {
      $0.age = .zero
      $0.duration = .zero
    },
    Bad(what: "before the incident") { $0.age = .seconds(600) },
  ]

  @Test(arguments: bad)
  func whatIsWrongIsRefusedAndNotKept(bad: Bad) async throws {
    try await withScene { scene in
      var draft = scene.draft()
      bad.change(&draft)
      let refused = await refusal {
        _ = try await scene.desk.keep(draft, length: bad.length, in: scene.incident, by: scene.caller) { [draft] in
          _ = draft
          return try bad.bytes ?? Scene.clip()
        }
      }
      #expect(refused?.code == bad.code, "\(bad.what): \(refused?.text ?? "taken")")
      let manifest = try await scene.library.manifest(of: scene.incident)
      #expect(manifest == nil)
    }
  }

  @Test func strangersAddNothing() async throws {
    try await withScene { scene in
      let stranger = person(.caller, "c9", linked: IncidentID("another"))
      let guest = person(.guest, "g1", linked: scene.incident)
      #expect(await refusal { _ = try await scene.keep(by: stranger) }?.code == .notFound)
      #expect(await refusal { _ = try await scene.keep(by: guest) }?.code == .forbidden)
    }
  }

  @Test func twentyUploadsAnHourAreEnough() async throws {
    try await withScene { scene in
      for number in 0..<LateMediaDesk.maximumUploads {
        let refused = await refusal { _ = try await scene.keep(named: "broken-\(number)", Array("x".utf8)) }
        #expect(refused?.code == .badPayload)
      }
      let refused = await refusal { _ = try await scene.keep() }
      #expect(refused?.code == .tooFast && refused?.retryAfter == LateMediaDesk.uploadWindow)
      scene.room.clock.advance(LateMediaDesk.uploadWindow.seconds + 1)
      _ = try await scene.keep()
    }
  }
}

/// An incident with a caller, and a recorder that writes into a folder of its own.
private struct Scene: Sendable {
  let room: TestRoom
  let folder = RecordedFolders()
  let recorder: Recorder
  let library: ArchiveLibrary
  let desk: LateMediaDesk
  let incident: IncidentID
  let caller: Principal

  static let age = TimeInterval64.seconds(60)

  init() async throws {
    room = try await TestRoom()
    incident = try await room.open()
    caller = person(.caller, "c1", linked: incident)
    room.clock.advance(120)
    let keys = try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 8, count: Ed25519PrivateKey.seedLength)))
    recorder = Recorder(
      RecorderConfiguration(folder: folder.url.path, agency: "metro"), keys: OneKey(key: keys),
      journal: StoredJournal(storage: room.storage)
    ) { _ in }
    recorder.start()
    library = ArchiveLibrary(archives: folder.url)
    desk = LateMediaDesk(room: room.room, recorder: recorder, library: library)
  }

  var now: UTCTime { room.clock.clock.wall() }

  static func clip() throws -> [UInt8] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return Array(try Data(contentsOf: root.appendingPathComponent("fixtures/media/street.webm")))
  }

  func draft(named name: String = "upload-1") -> LateMediaDesk.Draft {
    .init(upload: name, kind: .video, source: "s1", mimeType: "video/webm", age: Self.age, duration: .seconds(5))
  }

  func keep(
    named name: String = "upload-1", _ bytes: [UInt8]? = nil, by principal: Principal? = nil
  ) async throws -> LateMediaDesk.Kept {
    let content = try bytes ?? Self.clip()
    return try await desk.keep(
      draft(named: name), length: content.count, in: incident, by: principal ?? caller
    ) { content }
  }

  func contents() async throws -> ArchiveContents {
    try #require(try await library.manifest(of: incident)).contents
  }
}

private struct OneKey: SealingKeys {
  let key: Ed25519PrivateKey

  func current() -> Ed25519PrivateKey { key }
}

private func withScene(_ body: (Scene) async throws -> Void) async throws {
  let scene = try await Scene()
  do {
    try await body(scene)
  } catch {
    await BlockingWork.run { scene.recorder.stop() }
    throw error
  }
  await BlockingWork.run { scene.recorder.stop() }
}
