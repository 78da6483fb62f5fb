import ControlRoom
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Testing

/// Wishes: decided, numbered, stored, then acknowledged.
@Suite("Submission")
struct SubmissionTests {
  @Test func acceptedWishesAreNumbered() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    #expect(try await test.say("one", in: id) == .durable(number: 2, isRepeat: false))
    #expect(try await test.say("two", in: id) == .durable(number: 3, isRepeat: false))
    #expect(try test.storage.events(of: id, after: 1, limit: 9).map { $0.payload["text"] } == ["one", "two"])
    #expect(try JournalVerifier(storage: test.storage).verify().faults == [])
    test.room.stop()
  }

  @Test func incidentsAreNumberedWithinTheYear() async throws {
    let test = try await TestRoom()
    #expect(try await test.open().value == "26-000001")
    #expect(try await test.open().value == "26-000002")
    test.clock.advance(60 * 86_400)
    #expect(try await test.open().value == "27-000001")
    test.room.stop()
  }

  @Test func aRetryIsARepeatAndDoublesNothing() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    #expect(try await test.say("one", in: id, named: "k") == .durable(number: 2, isRepeat: false))
    #expect(try await test.say("one", in: id, named: "k") == .durable(number: 2, isRepeat: true))
    #expect(
      try await test.say("one", in: id, named: "k", by: person(.operator, "other"))
        == .durable(number: 3, isRepeat: false))
    #expect(try test.storage.head(of: id)?.number == 3)
    test.room.stop()
  }

  @Test func manyRetriesAtOnceAreOneEvent() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
      for _ in 0..<50 { group.addTask { try await test.say("one", in: id, named: "k") } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(receipts.filter { $0 == .durable(number: 2, isRepeat: false) }.count == 1)
    #expect(receipts.filter { $0 == .durable(number: 2, isRepeat: true) }.count == 49)
    test.room.stop()
  }

  @Test func anIDIsNotUsedForSomethingElse() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    try await test.say("one", in: id, named: "k")
    #expect(await refusal { try await test.say("two", in: id, named: "k") }?.code == .idReused)
    let note = Wish(.note, ["text": "one"], in: id, by: person(.operator), clientID: "k")
    #expect(await refusal { _ = try await test.room.submit(note) }?.code == .idReused)
    #expect(try test.storage.head(of: id)?.number == 2)
    test.room.stop()
  }

  @Test func whatIsSoAlreadyIsARepeat() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    try await test.note(.stateChanged, ["state": "active"], in: id)
    #expect(try await test.note(.stateChanged, ["state": "active"], in: id) == .durable(number: 2, isRepeat: true))
    test.room.stop()
  }

  // MARK: - Rights

  @Test func rightsAreHeldAgainstTheTable() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let other = try await test.open()
    func code(_ kind: EventKind, _ payload: JSONValue, _ who: Principal, in incident: IncidentID? = nil) async
      -> Refusal.Code?
    {
      await refusal { _ = try await test.room.submit(Wish(kind, payload, in: incident ?? id, by: who)) }?.code
    }
    let guest = person(.guest, "g", linked: id)
    #expect(await code(.chat, ["text": "hi"], guest) == nil)
    #expect(await code(.note, ["text": "hi"], guest) == .forbidden)
    #expect(await code(.chat, ["text": "hi"], guest, in: other) == .notFound, "it does not exist for them")
    #expect(await code(.chat, ["text": "hi"], person(.operator, agency: "rural")) == .notFound)
    #expect(await code(.chat, ["text": "hi"], person(.responder)) == .notFound)
    #expect(await code(.chat, ["text": "hi"], person(.auditor)) == .forbidden)
    #expect(await code(.opened, [:], person(.supervisor)) == .serverOnly)
    #expect(await code(.fileAdded, [:], person(.operator)) == .serverOnly)
    #expect(await code(.chat, [:], person(.operator)) == .badPayload)
    #expect(
      await code(.commandResult, ["caller": "c", "command": 1, "status": "done"], person(.caller, "c", linked: id))
        == .unknownSubject)
    #expect(await refusal { _ = try await test.room.open([], by: person(.responder)) }?.code == .forbidden)
    test.room.stop()
  }

  @Test func unknownIncidentsAndOthersLookTheSame() async throws {
    let test = try await TestRoom()
    let id = try await test.open(agency: "rural")
    let missing = try #require(IncidentID("26-999999"))
    let hidden = await refusal { try await test.say("hi", in: id) }
    let unknown = await refusal { try await test.say("hi", in: missing) }
    #expect(hidden == unknown && hidden?.code == .notFound)
    #expect(await refusal { try await test.say("hi", in: .audit, by: person(.supervisor)) } == unknown)
    #expect(await refusal { _ = try await test.room.incident(id, for: person(.operator)) } == unknown)
    test.room.stop()
  }

  @Test func respondersPutOnlyThemselvesOnAnIncident() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let rita = person(.responder, "rita", unit: "medic-7")
    func assign(_ account: String) async -> Refusal.Code? {
      let payload: JSONValue = ["account": .string(account), "role": "responder", "name": "x"]
      return await refusal { _ = try await test.room.submit(Wish(.assigned, payload, in: id, by: rita)) }?.code
    }
    #expect(await assign("somebody") == .notFound)
    #expect(await assign("rita") == nil)
    #expect(await assign("somebody") == .forbidden)
    try await test.note(.unassigned, ["account": "rita"], in: id)
    #expect(await assign("rita") == .notFound, "whoever was stood down does not come back by themselves")
    test.room.stop()
  }

  @Test func callersSpeakForThemselves() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    for caller in ["c1", "c2"] { try await test.note(.callerAdded, ["caller": .string(caller)], in: id) }
    let carl = person(.caller, "c1", linked: id)
    func locate(_ caller: String) async -> Refusal.Code? {
      let payload: JSONValue = ["caller": .string(caller), "lat": 1, "lon": 2, "source": "device"]
      return await refusal { _ = try await test.room.submit(Wish(.location, payload, in: id, by: carl)) }?.code
    }
    #expect(await locate("c1") == nil)
    #expect(await locate("c2") == .unknownSubject)
    test.room.stop()
  }

  // MARK: - Rates

  @Test func ratesAreHeldByPersonAndByDurability() async throws {
    var limits = ControlRoomLimits()
    limits.durableBurst = 3
    limits.durableRate = 2
    let test = try await TestRoom(limits: limits)
    let id = try await test.open()
    for number in 0..<3 { try await test.say("\(number)", in: id) }
    let refused = await refusal { try await test.say("too much", in: id) }
    #expect(refused?.code == .tooFast)
    #expect(refused?.retryAfter == .milliseconds(500))
    try await test.say("another's", in: id, by: person(.supervisor))
    _ = try await test.room.submit(Wish(.typing, ["on": true], in: id, by: person(.operator)))
    test.clock.advance(0.5)
    try await test.say("again", in: id)
    #expect(await refusal { try await test.say("too much", in: id) }?.code == .tooFast)
    test.clock.advance(1_000)
    for number in 0..<3 { try await test.say("\(number)", in: id) }
    #expect(await refusal { try await test.say("no more than the burst", in: id) }?.code == .tooFast)
    test.room.stop()
  }

  @Test func aRateOfNothingIsAnsweredToo() async throws {
    var limits = ControlRoomLimits()
    limits.durableBurst = 0
    limits.durableRate = 0
    let test = try await TestRoom(limits: limits)
    let id = try await test.open()
    #expect(await refusal { try await test.say("hi", in: id) }?.retryAfter == .seconds(3_600))
    test.room.stop()
  }
}
