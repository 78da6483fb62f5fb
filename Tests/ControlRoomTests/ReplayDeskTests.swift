import Archive
import ControlRoom
import Foundation
import Incidents
import JSON
import Primitives
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ReplayDeskTests {
  private let folders = RecordedFolders()

  private func desk(_ test: TestRoom, _ limits: ReplayLimits = .init()) -> ReplayDesk {
    ReplayDesk(room: test.room, library: ArchiveLibrary(archives: folders.url), limits: limits)
  }

  private func opened(_ test: TestRoom, _ id: IncidentID) async throws -> [JSONValue] {
    try await test.room.events(of: id, after: 0, limit: 1_000, for: person(.supervisor)).events
      .filter { $0.kind == EventKind.replayOpened.rawValue }.map(\.payload)
  }

  private func end(_ id: IncidentID, _ test: TestRoom) async throws {
    try await test.note(.stateChanged, ["state": "ended", "outcome": "handled"], in: id)
  }

  @Test(arguments: [("", false), ("  a ", false), ("abc", true), (String(repeating: "x", count: 501), false)])
  func aReasonIsNeeded(reason: String, isEnough: Bool) async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let refused = await refusal { _ = try await desk(test).open(id, because: reason, by: person(.supervisor)) }
    #expect(refused?.code == (isEnough ? nil : .badPayload))
    #expect(try await opened(test, id).count == (isEnough ? 1 : 0))
  }

  @Test(arguments: [
    (Role.supervisor, nil), (.custodian, nil), (.operator, Refusal.Code.forbidden), (.auditor, .forbidden),
    (.responder, .notFound), (.admin, .notFound), (.trainer, .notFound),
  ])
  func replayIsForThoseWhoseRoleAllowsIt(role: Role, code: Refusal.Code?) async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    #expect(await refusal { _ = try await desk(test).open(id, because: "test", by: person(role)) }?.code == code)
  }

  @Test func operatorsReplayTheirOwnCalls() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let olga = person(.operator, "olga")
    try await test.note(.assigned, ["account": "olga", "role": "operator", "name": "Olga"], in: id)
    let desk = desk(test)
    let look = try await desk.open(id, because: "my own call", by: olga)
    _ = try await desk.look(look.id, in: id, by: olga)
    try await test.note(.unassigned, ["account": "olga"], in: id)
    #expect(await refusal { _ = try await desk.look(look.id, in: id, by: olga) }?.code == .forbidden)
  }

  @Test func nothingIsShownBeforeTheJournalHasIt() async throws {
    let storage = MemoryStorage()
    let test = try await TestRoom(storage: storage)
    let id = try await test.open()
    storage.fail()
    let desk = desk(test)
    #expect(
      await refusal { _ = try await desk.open(id, because: "test", by: person(.supervisor)) }?.code == .unavailable)
    #expect(await refusal { _ = try await desk.lookBack(id, by: person(.supervisor)) }?.code == .unavailable)
  }

  @Test func aLookIsItsOwners() async throws {
    let test = try await TestRoom()
    let (id, other) = (try await test.open(), try await test.open())
    let desk = desk(test)
    let look = try await desk.open(id, because: "test", by: person(.supervisor))
    #expect(try await desk.look(look.id, in: id, by: person(.supervisor)).look == look)
    for (incident, who) in [
      (id, person(.custodian)), (other, person(.supervisor)), (id, person(.supervisor, "second")),
    ] {
      #expect(await refusal { _ = try await desk.look(look.id, in: incident, by: who) }?.code == .notFound)
    }
  }

  @Test(arguments: [(3_599.0, 1, true), (3_600, 1, false), (3_000, 14, true), (3_000, 15, false)])
  func aLookEndsAfterRestAndAfterTwelveHours(pause: Double, times: Int, isThere: Bool) async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let desk = desk(test)
    let look = try await desk.open(id, because: "test", by: person(.supervisor))
    var last: Refusal?
    for _ in 0..<times {
      test.clock.advance(pause)
      last = await refusal { _ = try await desk.look(look.id, in: id, by: person(.supervisor)) }
    }
    #expect((last == nil) == isThere)
  }

  @Test func looksAreBounded() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    var limits = ReplayLimits()
    limits.maximumLooks = 2
    let desk = desk(test, limits)
    var looks: [String] = []
    for _ in 0..<3 {
      test.clock.advance(1)
      looks.append(try await desk.open(id, because: "test", by: person(.supervisor)).id)
    }
    #expect(await refusal { _ = try await desk.look(looks[0], in: id, by: person(.supervisor)) }?.code == .notFound)
    #expect(await refusal { _ = try await desk.look(looks[2], in: id, by: person(.supervisor)) } == nil)
  }

  @Test func lookingBackNeedsTheRightToWatchAndIsKeptOnce() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let responder = person(.responder, "rita", unit: "ems-1")
    #expect(await refusal { _ = try await self.desk(test).lookBack(id, by: responder) }?.code == .notFound)
    try await test.note(.unitAssigned, ["unit": "ems-1"], in: id)
    let desk = self.desk(test)
    let look = try await desk.lookBack(id, by: responder)
    #expect(try await desk.lookBack(id, by: responder).id == look.id)
    // A restart forgets looks, and the journal remembers them.
    #expect(try await self.desk(test).lookBack(id, by: responder).id == look.id)
    #expect(try await opened(test, id).map { $0["live"] } == [true])
    #expect(await refusal { _ = try await desk.lookBack(id, by: person(.auditor)) }?.code == .forbidden)
    try await test.note(.unitStoodDown, ["unit": "ems-1"], in: id)
    #expect(await refusal { _ = try await desk.look(look.id, in: id, by: responder) }?.code == .notFound)
  }

  @Test func lookingBackEndsWithTheIncident() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let desk = desk(test)
    let look = try await desk.lookBack(id, by: person(.operator))
    try await end(id, test)
    for body in [
      { _ = try await desk.look(look.id, in: id, by: person(.operator)) },
      { _ = try await desk.lookBack(id, by: person(.operator)) },
    ] as [() async throws -> Void] {
      #expect(await refusal(body)?.code == .wrongState)
    }
    let replay = try await desk.open(id, because: "afterwards", by: person(.supervisor))
    #expect(
      try await desk.playlist(of: replay, test.room.incident(id, for: person(.supervisor)), after: 0)["live"] == false)
    #expect(try await opened(test, id).map { $0["live"] } == [true, false])
  }

  @Test func theTimelineHoldsWhatOneMaySee() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let desk = desk(test)
    _ = try await test.say("to all", in: id)
    let (guest, staff) = (person(.guest, linked: id), person(.operator))
    #expect(await refusal { _ = try await desk.lookBack(id, by: guest) }?.code == .forbidden)
    let look = try await desk.lookBack(id, by: staff)
    _ = try await test.note(.note, ["text": "to the team"], in: id)
    let texts = { (who: Principal) in
      try await desk.timeline(of: look, for: who).cues.filter { [.chat, .note].contains($0.kind) }.map(\.text)
    }
    #expect(try await texts(guest) == ["to all"])
    #expect(try await texts(staff) == ["to all", "to the team"])
    _ = try await test.say("later", in: id)
    #expect(try await texts(staff) == ["to all", "to the team", "later"])
    #expect(try await texts(guest) == ["to all", "later"])
  }

  @Test func nothingRecordedIsAnAnswer() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let desk = desk(test)
    let look = try await desk.open(id, because: "test", by: person(.supervisor))
    let incident = try await test.room.incident(id, for: person(.supervisor))
    #expect(try await desk.playlist(of: look, incident, after: 0)["state"] == "none")
    #expect(try await desk.seal(of: look, incident)["state"] == "none")
    #expect(await refusal { _ = try await desk.hls(of: look) }?.code == .notFound)
  }
}
