import ControlRoom
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Testing

@Suite("Merging incidents")
struct MergeTests {
  private static func merge(
    _ test: TestRoom, _ from: IncidentID, _ into: String, by who: Principal = person(.operator),
    named name: String? = nil
  ) async -> Refusal.Code? {
    let wish = Wish(.merged, ["into": .string(into)], in: from, by: who, clientID: name)
    return await refusal { _ = try await test.room.submit(wish) }?.code
  }

  @Test func whatIsMergedAppearsInTheTarget() async throws {
    let test = try await TestRoom()
    let (from, into) = (try await test.open(), try await test.open())
    try await test.note(.callerAdded, ["caller": "c1", "name": "Carl"], in: from)
    #expect(await Self.merge(test, from, into.value) == nil)
    let target = try await test.room.incident(into, for: person(.operator))
    #expect(target.absorbed == [from])
    #expect(target.caller("c1")?.cameWith == from)
    let source = try await test.room.incident(from, for: person(.operator))
    #expect(source.state == .merged && source.mergedInto == into)
    let caller = person(.caller, "c1", linked: from)
    _ = try await test.room.submit(Wish(.chat, ["text": "still here"], in: into, by: caller))
    #expect(test.room.openIncidents(for: person(.operator)).map(\.id) == [into])
    test.room.stop()
  }

  @Test func aRetriedMergeIsARepeat() async throws {
    let test = try await TestRoom()
    let (from, into) = (try await test.open(), try await test.open())
    try await test.note(.callerAdded, ["caller": "c1"], in: from)
    #expect(await Self.merge(test, from, into.value, named: "m") == nil)
    // What may still happen to a closed one changes what it tells of itself.
    try await test.note(.callerStage, ["caller": "c1", "stage": "ended"], in: from)
    #expect(await Self.merge(test, from, into.value, named: "m") == nil)
    #expect(try test.storage.head(of: into)?.number == 2)
    test.room.stop()
  }

  @Test func targetsHaveToBeThereOpenAndOfTheSameKind() async throws {
    let test = try await TestRoom()
    let from = try await test.open()
    let (rural, exercise, closed) = (
      try await test.open(agency: "rural"), try await test.open(exercise: true), try await test.open()
    )
    try await test.note(.stateChanged, ["state": "cancelled"], in: closed)
    #expect(await Self.merge(test, from, "26-404404") == .notFound)
    #expect(await Self.merge(test, from, rural.value) == .notFound, "another agency's does not exist for them")
    #expect(await Self.merge(test, from, exercise.value) == .wrongState)
    #expect(await Self.merge(test, from, closed.value) == .wrongState)
    #expect(await Self.merge(test, from, from.value) == .badPayload)
    #expect(await Self.merge(test, from, closed.value, by: person(.guest, "g", linked: from)) == .forbidden)
    #expect(try test.storage.head(of: from)?.number == 1, "nothing came of any")
    test.room.stop()
  }

  @Test func mergesMakeNoCircle() async throws {
    let test = try await TestRoom()
    let (one, two) = (try await test.open(), try await test.open())
    async let first = Self.merge(test, one, two.value)
    async let second = Self.merge(test, two, one.value)
    let codes = await [first, second]
    #expect(codes.filter { $0 == nil }.count == 1)
    #expect(codes.filter { $0 == .wrongState }.count == 1)
    test.room.stop()
  }

  @Test func aMergeCutInHalfIsFinishedAtTheNextStart() async throws {
    let storage = MemoryStorage()
    let test = try await TestRoom(storage: storage)
    let (from, into) = (try await test.open(), try await test.open())
    try await test.note(.callerAdded, ["caller": "c1"], in: from)
    test.room.stop()
    // The first half alone, as a stop between the two leaves it.
    let past = try storage.events(of: from, after: 0, limit: 9)
    var incident = try Incident(opening: past[0])
    for event in past.dropFirst() { incident.apply(event) }
    let half = JournalEvent(
      incident: from, number: incident.number + 1, time: TestClock.start, actor: .system,
      kind: EventKind.merged.rawValue,
      payload: ["into": .string(into.value)], clientID: nil, previousHash: incident.hash)
    incident.apply(half)
    try storage.append(
      .init(events: [half], changes: [.put(collection: "incidents", key: from.value, incident.summary)]))

    let next = try await TestRoom(storage: storage)
    let target = try await next.room.incident(into, for: person(.operator))
    #expect(target.absorbed == [from])
    #expect(target.caller("c1") != nil)
    next.room.stop()
    let third = try await TestRoom(storage: storage)
    #expect(try storage.head(of: into)?.number == target.number, "and only once")
    third.room.stop()
  }
}
