import Archive
import ControlRoom
import Foundation
import Incidents
import JSON
import Primitives
import Testing

@Suite("Who gets an evidence package", .timeLimit(.minutes(5)))
struct ExportDeskTests {
  private let sven = person(.supervisor, "sven")
  private let clara = person(.custodian, "clara")

  @Test("without the need for approval a package is made at once, and each step is in the journal")
  func madeAtOnce() async throws {
    let scene = try await ExportScene()
    try scene.writeArchive()
    let export = try await scene.request()
    #expect(export.stateName == "approved")
    try await scene.whileMaking { _ = await scene.event(.exportFinished, of: export.id) }
    let ready = try await scene.desk.export(export.id, in: scene.incident)
    guard case .ready(nil, let package) = ready.state else {
      Issue.record("\(ready.words)")
      return
    }
    let (_, file) = try await scene.desk.package(of: export.id, in: scene.incident, for: sven)
    #expect(file.length == package.length)
    try await scene.desk.noteFetched(export.id, package, in: scene.incident, by: sven)
    #expect(try scene.told() == ["requested", "ready", "fetched"])
  }

  @Test("a custodian's export waits for a second person, always", arguments: [false, true])
  func secondPerson(requiresApproval: Bool) async throws {
    let scene = try await ExportScene(requiresApproval: requiresApproval)
    let export = try await scene.request(requiresApproval ? sven : clara)
    #expect(export.stateName == "requested")
    let own = await refusal {
      _ = try await scene.desk.decide(
        export.id, in: scene.incident, approve: true, reason: nil, by: requiresApproval ? sven : clara)
    }
    #expect(own?.code == .forbidden, "nobody approves their own")
    #expect(own?.text.contains("second person") == true)
    let approved = try await scene.desk.decide(
      export.id, in: scene.incident, approve: true, reason: "seen", by: requiresApproval ? clara : sven)
    #expect(approved.stateName == "approved")
    #expect(approved.approval?.reason == "seen")
    #expect(try scene.told() == ["requested", "approved"])
  }

  @Test("who may not, cannot: neither ask, nor decide, nor fetch")
  func rights() async throws {
    let scene = try await ExportScene(requiresApproval: true)
    let export = try await scene.request()
    for other in [person(.operator), person(.auditor), person(.admin), person(.supervisor, "far", agency: "other")] {
      #expect(await refusal { try await scene.request(other) } != nil)
      #expect(
        await refusal {
          _ = try await scene.desk.decide(export.id, in: scene.incident, approve: true, reason: nil, by: other)
        } != nil)
      #expect(await refusal { _ = try await scene.desk.package(of: export.id, in: scene.incident, for: other) } != nil)
    }
    #expect(try scene.told() == ["requested"])
  }

  @Test("of many answers at once exactly one is taken")
  func simultaneousAnswers() async throws {
    let scene = try await ExportScene(requiresApproval: true)
    let export = try await scene.request()
    let taken = await withTaskGroup(of: Bool.self) { group in
      for index in 0..<32 {
        group.addTask {
          await refusal {
            _ = try await scene.desk.decide(
              export.id, in: scene.incident, approve: index % 2 == 0, reason: nil,
              by: person(.supervisor, "other-\(index)"))
          } == nil
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(taken == 1)
    #expect(try scene.told().count == 2, "the wish and one answer")
  }

  @Test("only who asked can withdraw; what was being made stops and leaves nothing")
  func withdrawal() async throws {
    let scene = try await ExportScene(isGated: true)
    try scene.writeArchive()
    let export = try await scene.request()
    let sven = sven
    try await scene.whileMaking {
      await scene.media.waitForOrder()
      let other = await refusal {
        try await scene.desk.remove(export.id, in: scene.incident, by: person(.supervisor, "other"))
      }
      #expect(other?.code == .forbidden)
      #expect(try await scene.desk.export(export.id, in: scene.incident).stateName == "making")
      try await scene.desk.remove(export.id, in: scene.incident, by: sven)
      // The next one is made only when the first has ended.
      let next = try await scene.request()
      scene.media.open()
      scene.media.open()
      _ = await scene.event(.exportFinished, of: next.id)
      #expect(scene.folder.names(in: "exports") == ["\(next.id).zip"])
    }
    #expect(try await scene.desk.export(export.id, in: scene.incident).stateName == "withdrawn")
    #expect(try scene.told() == ["requested", "withdrawn", "requested", "ready"])
  }

  @Test("a deleted package is gone, and deleted once")
  func deletion() async throws {
    let scene = try await ExportScene()
    let export = try await scene.request()
    try await scene.whileMaking { _ = await scene.event(.exportFinished, of: export.id) }
    #expect(scene.folder.names(in: "exports") == ["\(export.id).zip"])
    try await scene.desk.remove(export.id, in: scene.incident, by: clara)
    #expect(scene.folder.names(in: "exports") == [])
    let again = await refusal { try await scene.desk.remove(export.id, in: scene.incident, by: self.clara) }
    #expect(again?.code == .wrongState)
    let fetch = await refusal { _ = try await scene.desk.package(of: export.id, in: scene.incident, for: self.sven) }
    #expect(fetch?.text.contains("was deleted by clara") == true)
    #expect(try scene.told() == ["requested", "ready", "deleted"])
  }

  @Test("what cannot be made failed, says why, and leaves nothing half")
  func failure() async throws {
    let scene = try await ExportScene()
    try scene.writeArchive()
    scene.media.fail(PackageError(.full, "The disk is full. Free some room, then ask for the export again."))
    let export = try await scene.request()
    let told = try await scene.whileMaking { await scene.event(.exportFinished, of: export.id) }
    #expect(told?["state"] == "failed")
    #expect(told?["detail"]?.string?.contains("disk is full") == true)
    #expect(scene.folder.names(in: "exports") == [])
  }

  @Test("the queue has an end, and so has the number of open wishes")
  func bounds() async throws {
    let scene = try await ExportScene()
    for _ in 0..<ExportDesk.maximumQueued { try await scene.request() }
    #expect(await refusal { try await scene.request() }?.code == .full)
    // Wishes that wait for a second person have a bound of their own; none of them can join the full queue.
    var last: EvidenceExport?
    for _ in 0..<ExportDesk.maximumRequested { last = try await scene.request(clara) }
    #expect(await refusal { try await scene.request(self.clara) }?.code == .full)
    let id = try #require(last?.id)
    let approval = await refusal {
      _ = try await scene.desk.decide(id, in: scene.incident, approve: true, reason: nil, by: self.sven)
    }
    #expect(approval?.code == .full)
    #expect(try await scene.desk.export(id, in: scene.incident).stateName == "requested", "and can be decided later")
  }

  @Test("a list shows the newest first, and only the incident's own")
  func listing() async throws {
    let scene = try await ExportScene(requiresApproval: true)
    let other = try await scene.room.open()
    let first = try await scene.request()
    scene.room.clock.advance(1)
    let second = try await scene.request()
    _ = try await scene.desk.request(other, reason: "another", redaction: nil, by: sven)
    #expect(try await scene.desk.exports(of: scene.incident).map(\.id) == [second.id, first.id])
    #expect(await refusal { _ = try await scene.desk.export(first.id, in: other) }?.code == .notFound)
  }

  // MARK: - Restarts

  @Test("waiting exports outlive the server; one that was being made is made anew, and leftovers go")
  func restart() async throws {
    let storage = MemoryStorage()
    let first = try await ExportScene(storage: storage)
    try first.writeArchive()
    let export = try await first.request()
    let waiting = try await first.request(clara)
    first.room.room.stop()
    try first.folder.write([1], to: "exports/\(export.id).zip.part")
    try first.folder.write([1], to: "exports/\(export.id).zip.work/films/0")
    try first.folder.write([1], to: "exports/e-0000000000000000.zip")

    let second = try await ExportScene(storage: storage, folder: first.folder, incident: first.incident)
    #expect(second.folder.names(in: "exports") == [], "no document names them")
    #expect(try await second.desk.export(waiting.id, in: second.incident).stateName == "requested")
    try await second.whileMaking { _ = await second.event(.exportFinished, of: export.id) }
    #expect(second.folder.names(in: "exports") == ["\(export.id).zip"])

    let third = try await ExportScene(storage: storage, folder: first.folder, incident: first.incident)
    #expect(third.folder.names(in: "exports") == ["\(export.id).zip"], "what is ready stays")
    #expect(try await third.desk.export(export.id, in: third.incident).stateName == "ready")
  }

  @Test("what the command line did while a server ran comes into the journal at the next start")
  func handlings() async throws {
    let storage = MemoryStorage()
    try storage.append(
      .init(changes: [
        .put(
          collection: ExportDesk.handlings, key: "e-1",
          ["what": "export e-1 from the command line", "incident": "26-000001", "reason": "court order"])
      ]))
    let scene = try await ExportScene(storage: storage)
    let events = try storage.events(of: .audit, after: 0, limit: 10)
    #expect(events.map(\.kind) == [EventKind.access.rawValue])
    #expect(events.first?.payload["reason"] == "court order")
    #expect(try storage.documents(ExportDesk.handlings, after: nil, limit: 10).isEmpty)
    try await scene.desk.start()
    #expect(try storage.events(of: .audit, after: 0, limit: 10).count == 1)
  }
}
