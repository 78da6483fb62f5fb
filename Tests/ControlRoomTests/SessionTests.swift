import ControlRoom
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Testing

/// One client on one carrier.
@Suite("Metadata sessions")
struct SessionTests {
  @Test func everyMessageIsAnswered() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let sink = TestSink()
    let session = test.enter(person(.operator), sink)
    // Answers to durable messages come when they are durable: one is waited for before the next is sent.
    let texts = [
      envelope(["id": "a", "kind": "chat", "incident": .string(id.value), "payload": ["text": "hi"]]),
      envelope(["id": "a", "kind": "chat", "incident": .string(id.value), "payload": ["text": "hi"]]),
      envelope(["id": "b", "kind": "typing", "incident": .string(id.value), "payload": ["on": true]]),
      envelope(["id": "c", "kind": "note", "incident": .string(id.value), "payload": [:]]),
      "nonsense",
      envelope(["id": "d", "kind": "unsubscribe", "incident": .string(id.value)]),
    ]
    for (index, text) in texts.enumerated() {
      await session.receive(text)
      await sink.wait { messages, _ in messages.count > index }
    }
    #expect(
      sink.messages == [
        ["v": 1, "kind": "accepted", "incident": .string(id.value), "number": 2, "inReplyTo": "a"],
        ["v": 1, "kind": "accepted", "incident": .string(id.value), "number": 2, "inReplyTo": "a", "repeat": true],
        ["v": 1, "kind": "accepted", "incident": .string(id.value), "inReplyTo": "b"],
        sink.messages[3], sink.messages[4],
        ["v": 1, "kind": "unsubscribed", "incident": .string(id.value), "inReplyTo": "d"],
      ])
    #expect(sink.messages[3]["code"] == "badPayload" && sink.messages[3]["inReplyTo"] == "c")
    #expect(sink.messages[4]["code"] == "badEnvelope" && sink.messages[4]["inReplyTo"] == nil)
    #expect(test.room.counters.refused.first { $0.code == .badPayload }?.count == 1)
    #expect(test.room.counters.refused.first { $0.code == .badEnvelope }?.count == 1)
    #expect(test.room.counters.events == 2)
    await session.end()
    test.room.stop()
  }

  @Test func subscriptionsAreBounded() async throws {
    var limits = TestRoom.limits
    limits.maximumSubscriptions = 2
    let test = try await TestRoom(limits: limits)
    let sink = TestSink()
    let session = test.enter(person(.operator), sink)
    var ids: [IncidentID] = []
    for _ in 0..<3 { ids.append(try await test.open()) }
    for id in ids { await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value)])) }
    #expect(sink.messages(of: "error").map { $0["code"] } == ["full"])
    await session.receive(envelope(["kind": "subscribe", "incident": .string(ids[0].value)]))
    await session.receive(envelope(["kind": "unsubscribe", "incident": .string(ids[0].value)]))
    await session.receive(envelope(["kind": "subscribe", "incident": .string(ids[2].value)]))
    #expect(sink.messages(of: "error").count == 1, "the same again, and another after leaving one")
    await session.end()
    test.room.stop()
  }

  @Test func presenceTellsWhoIsThere() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let watcher = TestSink()
    let session = test.enter(person(.operator, "olga"), watcher)
    await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value)]))
    await watcher.wait(forEvent: 1)
    try await test.say("live", in: id)
    await watcher.wait(forEvent: 2)
    try await test.note(.assigned, ["account": "rita", "role": "responder", "name": "Rita"], in: id)
    let rita = test.enter(person(.responder, "rita"), TestSink())
    await rita.receive(envelope(["kind": "subscribe", "incident": .string(id.value)]))
    await watcher.wait { messages, _ in Self.people(messages) == ["olga", "rita"] }
    // Losing the right takes them off the list, and leaving afterwards does not count twice.
    try await test.note(.unassigned, ["account": "rita"], in: id)
    await watcher.wait { messages, _ in Self.people(messages) == ["olga"] }
    await rita.end()
    let second = test.enter(person(.operator, "olga"), TestSink())
    await second.receive(envelope(["kind": "subscribe", "incident": .string(id.value)]))
    await second.end()
    #expect(Self.people(watcher.messages) == ["olga"])
    await session.end()
    test.room.stop()
  }

  private static func people(_ messages: [JSONValue]) -> [String] {
    let last = messages.last { $0["event"]?["kind"] == "presence" }
    return last?["event"]?["payload"]?["people"]?.array?.compactMap { $0["id"]?.string } ?? []
  }

  // MARK: - Lists

  private static func listed(_ sink: TestSink) -> [String] {
    sink.messages(of: "listed").map { "\($0["incident"]?.string ?? "") \($0["summary"]?["state"]?.string ?? "-")" }
  }

  @Test func anAgencysListKeepsItselfUpToDate() async throws {
    let test = try await TestRoom()
    let first = try await test.open()
    _ = try await test.open(agency: "rural")
    let sink = TestSink()
    let session = test.enter(person(.operator), sink)
    await session.receive(envelope(["id": "l", "kind": "list"]))
    #expect(sink.messages.first == ["v": 1, "kind": "listing", "inReplyTo": "l"])
    let second = try await test.open()
    try await test.say("talk changes nothing", in: first)
    try await test.note(.stateChanged, ["state": "active"], in: first)
    try await test.note(.callerAdded, ["caller": "c"], in: first)
    let count = sink.messages.count
    for number in 0..<20 {
      try await test.note(
        .location, ["caller": "c", "lat": .number(52 + Double(number) / 1_000), "lon": 13, "source": "device"],
        in: first)
    }
    #expect(sink.messages.count == count, "fixes are no news for a list of the agency")
    try await test.note(.stateChanged, ["state": "ended", "outcome": "handled"], in: first)
    try await test.note(.note, ["text": "afterwards"], in: first)
    #expect(
      Self.listed(sink) == [
        "\(first) new", "\(second) new", "\(first) active", "\(first) active", "\(first) ended",
      ])
    await session.receive(envelope(["kind": "list", "scope": "none"]))
    _ = try await test.open()
    #expect(sink.messages.last?["kind"] == "listing")
    await session.end()
    test.room.stop()
  }

  @Test func adispatchersListHasWhatIsOnTheDesk() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let sink = TestSink()
    let session = test.enter(person(.dispatcher, "d", desk: "desk-1"), sink)
    await session.receive(envelope(["kind": "list"]))
    try await test.note(.assigned, ["account": "desk-1", "role": "dispatcher", "name": "Desk"], in: id)
    try await test.note(.unassigned, ["account": "desk-1"], in: id)
    #expect(Self.listed(sink) == ["\(id) new", "\(id) -"])
    await session.end()
    test.room.stop()
  }

  @Test func aUnitsListSubscribesToWhatTheUnitIsOn() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let sink = TestSink()
    let session = test.enter(person(.responder, "rita", unit: "medic-7"), sink)
    await session.receive(envelope(["kind": "list", "scope": ["unit": "engine-1"]]))
    #expect(sink.messages.map { $0["code"] } == ["forbidden"])
    await session.receive(envelope(["kind": "list", "scope": ["unit": "medic-7"]]))
    try await test.note(.unitAssigned, ["unit": "medic-7"], in: id)
    await sink.wait(forEvent: 2)
    #expect(sink.numbers == [1, 2])
    try await test.note(.unitStoodDown, ["unit": "medic-7"], in: id)
    await sink.wait(forKind: "unsubscribed")
    #expect(Self.listed(sink) == ["\(id) new", "\(id) -"])
    await session.end()
    test.room.stop()
  }

  @Test func anAreasListFollowsTheCaller() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    try await test.note(.callerAdded, ["caller": "c"], in: id)
    let sink = TestSink()
    let session = test.enter(person(.responder, "rita"), sink)
    let area: JSONValue = ["area": ["lat": 52.5, "lon": 13.4, "radius": 2_000]]
    await session.receive(envelope(["kind": "list", "scope": area]))
    #expect(Self.listed(sink) == [])
    try await test.note(.location, ["caller": "c", "lat": 52.51, "lon": 13.4, "source": "device"], in: id)
    // In the area: on the list, put on the incident, and subscribed.
    await sink.wait(forEvent: 4)
    #expect(sink.numbers == [1, 2, 3, 4])
    let incident = try await test.room.incident(id, for: person(.operator))
    #expect(incident.assignments.map(\.account) == ["rita"])
    test.clock.advance(60)
    try await test.note(.location, ["caller": "c", "lat": 52.6, "lon": 13.4, "source": "device"], in: id)
    #expect(Self.listed(sink).last == "\(id) -")
    await session.end()
    test.room.stop()
  }
}
