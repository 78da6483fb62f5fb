import ControlRoom
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Testing

/// Nothing is acknowledged or shown before it is durable, and a restart goes on from the journal.
@Suite("Durability")
struct DurabilityTests {
  final class Folder {
    let url = FileManager.default.temporaryDirectory.appending(path: "sightline-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: url) }
  }

  @Test func aRestartGoesOn() async throws {
    let folder = Folder()
    let id: IncidentID
    do {
      let storage = try SQLiteStorage(folder: folder.url)
      let test = try await TestRoom(storage: storage)
      id = try await test.open()
      for number in 0..<10 { try await test.say("\(number)", in: id, named: "k\(number)") }
      let closed = try await test.open()
      try await test.note(.stateChanged, ["state": "ended", "outcome": "hoax"], in: closed)
      test.room.stop()
      storage.close()
    }
    let storage = try SQLiteStorage(folder: folder.url)
    let test = try await TestRoom(storage: storage)
    #expect(test.room.openIncidents(for: person(.operator)).map(\.id) == [id])
    #expect(try await test.say("4", in: id, named: "k4") == .durable(number: 6, isRepeat: true))
    #expect(
      await refusal {
        _ = try await test.room.submit(Wish(.note, ["text": "4"], in: id, by: person(.operator), clientID: "k4"))
      }?
      .code == .idReused)
    #expect(try await test.say("new", in: id) == .durable(number: 12, isRepeat: false))
    #expect(try await test.open().value == "26-000003", "numbers go on")
    let closed = try await test.room.incident(try #require(IncidentID("26-000002")), for: person(.operator))
    #expect(closed.outcome == .hoax, "what is closed is read when it is asked for")
    #expect(try JournalVerifier(storage: storage).verify().faults == [])
    test.room.stop()
    storage.close()
  }

  @Test func nothingIsShownBeforeItIsDurable() async throws {
    let storage = MemoryStorage()
    let test = try await TestRoom(storage: storage)
    let id = try await test.open()
    let sink = TestSink()
    let session = test.enter(person(.operator), sink)
    await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value)]))
    await sink.wait(forEvent: 1)
    storage.hold()
    async let state = test.note(.stateChanged, ["state": "active"], in: id)
    await storage.waitForWrite()
    // Accepted, not durable: readers, lists, snapshots and pages do not know of it.
    #expect(try await test.room.incident(id, for: person(.operator)).number == 1)
    #expect(test.room.openIncidents(for: person(.operator)).map(\.state) == [.new])
    #expect(try await test.room.events(of: id, after: 0, limit: 9, for: person(.operator)).events.count == 1)
    let late = TestSink()
    let lateSession = test.enter(person(.supervisor), late)
    await lateSession.receive(envelope(["kind": "list"]))
    await lateSession.receive(envelope(["kind": "subscribe", "incident": .string(id.value)]))
    #expect(late.messages(of: "listed").map { $0["summary"]?["state"] } == ["new"])
    #expect(late.messages(of: "subscribed").map { $0["snapshot"]?["number"] } == [1])
    #expect(sink.numbers == [1])
    storage.release()
    #expect(try await state.isDurable)
    for sink in [sink, late] { await sink.wait(forEvent: 2) }
    #expect(late.numbers == [1, 2])
    #expect(late.messages(of: "listed").map { $0["summary"]?["state"] } == ["new", "active"])
    for session in [session, lateSession] { await session.end() }
    test.room.stop()
  }

  @Test func afterAFailureNothingIsAcknowledged() async throws {
    let storage = MemoryStorage()
    let test = try await TestRoom(storage: storage)
    let id = try await test.open()
    let sink = TestSink()
    let session = test.enter(person(.operator), sink)
    await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value)]))
    try await test.say("good", in: id, named: "k")
    await sink.wait(forEvent: 2)
    storage.fail()
    #expect(await refusal { try await test.say("lost", in: id) }?.code == .unavailable)
    storage.recover()
    #expect(await refusal { try await test.say("after", in: id) }?.code == .unavailable)
    #expect(await refusal { try await test.say("good", in: id, named: "k") }?.code == .unavailable)
    #expect(await refusal { _ = try await test.open() }?.code == .unavailable)
    #expect(
      await refusal { try await test.room.audit.record(.settings, ["setting": "x"], by: .system) }?.code == .unavailable
    )
    #expect(sink.numbers == [1, 2])
    #expect(test.room.counters.failures == 1)
    #expect(try storage.head(of: id)?.number == 2)
    await session.end()
    test.room.stop()
    let next = try await TestRoom(storage: storage)
    #expect(try await next.say("after", in: id) == .durable(number: 3, isRepeat: false))
    next.room.stop()
  }

  @Test func afterStoppingWishesAreRefusedAndNotForgotten() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    try await test.say("one", in: id, named: "k")
    test.room.stop()
    #expect(await refusal { try await test.say("two", in: id) } != nil)
    #expect(await refusal { try await test.say("one", in: id, named: "k") } != nil)
    #expect(await refusal { try await test.room.audit.record(.settings, ["setting": "x"], by: .system) } != nil)
  }

  @Test func theAuditJournalIsAChainAndChangesDocumentsWithIt() async throws {
    let storage = MemoryStorage()
    let test = try await TestRoom(storage: storage)
    let ada = Actor(id: "ada", role: .admin, name: "Ada")
    try await test.room.audit.record(
      .account, ["account": "bob", "change": "added"], by: ada, changes: [.put(collection: "things", key: "bob", 1)])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<50 {
        group.addTask { try await test.room.audit.record(.settings, ["setting": .string("s\(number)")], by: ada) }
      }
      try await group.waitForAll()
    }
    let events = try await test.room.audit.events(after: 0, limit: 99)
    #expect(events.map(\.number) == Array(1...51))
    #expect(events.first?.actor == ada)
    #expect(try storage.document("things", "bob") == 1)
    #expect(try JournalVerifier(storage: storage).verify().faults == [])
    test.room.stop()
    let next = try await TestRoom(storage: storage)
    try await next.room.audit.record(.settings, ["setting": "more"], by: ada)
    #expect(try storage.head(of: .audit)?.number == 52)
    next.room.stop()
  }

  @Test(
    "what strangers type cannot stop the audit journal", arguments: ["a\u{0}b", String(repeating: "x", count: 500)])
  func auditRefusesBadPayloads(userName: String) async throws {
    let test = try await TestRoom()
    let code = await refusal {
      try await test.room.audit.record(.signIn, ["userName": .string(userName), "result": "refused"], by: .system)
    }?.code
    #expect(code == .badPayload)
    test.room.stop()
  }

  // MARK: - Opening

  @Test func namedIncidentsAreOpenedOnce() async throws {
    let storage = MemoryStorage()
    let test = try await TestRoom(storage: storage)
    let id = try #require(IncidentID("from-a-link"))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<20 { group.addTask { try await test.room.ensure(id, origin: "link") } }
      try await group.waitForAll()
    }
    #expect(try storage.head(of: id)?.number == 1)
    #expect(await refusal { try await test.room.ensure(.audit, origin: "link") }?.code == .notFound)
    test.room.stop()
  }

  @Test func aNumberThatALinkGaveAwayIsNotGivenAgain() async throws {
    let storage = MemoryStorage()
    let test = try await TestRoom(storage: storage)
    let taken = try #require(IncidentID("26-000001"))
    try await test.room.ensure(taken, origin: "link")
    try await test.note(.stateChanged, ["state": "ended", "outcome": "handled"], in: taken)
    test.room.stop()
    // After a restart the closed one is not in memory.
    let next = try await TestRoom(storage: storage)
    #expect(try await next.open().value == "26-000002")
    next.room.stop()
  }

  @Test func closedIncidentsMakeRoomAndAreFoundAgain() async throws {
    var limits = TestRoom.limits
    limits.maximumIncidents = 8
    let test = try await TestRoom(limits: limits)
    var ids: [IncidentID] = []
    for _ in 0..<40 {
      let id = try await test.open()
      ids.append(id)
      try await test.note(.stateChanged, ["state": "cancelled"], in: id)
    }
    #expect(test.room.desk.incidentsInMemory <= 10)
    for id in ids { #expect(try await test.room.incident(id, for: person(.operator)).state == .cancelled) }
    try await test.note(.stateChanged, ["state": "reopened"], in: ids[0])
    #expect(test.room.openIncidents(for: person(.operator)).map(\.id) == [ids[0]])
    test.room.stop()
  }
}

extension Receipt {
  fileprivate var isDurable: Bool {
    switch self {
    case .durable(_, let isRepeat): !isRepeat
    case .ephemeral: false
    }
  }
}
