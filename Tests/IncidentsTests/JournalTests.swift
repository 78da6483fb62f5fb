import Cryptography
import Incidents
import JSON
import Primitives
import Testing

/// The journal's events and what they make of an incident.
@Suite("Journal")
struct JournalTests {
  @Test("the hash is SHA-256 over the canonical text, written out here by hand")
  func hash() throws {
    let previous = [UInt8](repeating: 0xab, count: 32)
    let event = JournalEvent(
      incident: try #require(IncidentID("26-000001")), number: 7, time: UTCTime(microseconds: 1_795_403_482_123_456),
      actor: Actor(id: "op-1", role: .operator, name: "Ölga"), kind: "chat", payload: ["text": "a\n€", "n": 1.5],
      clientID: "k-1", previousHash: previous)
    let text =
      #"{"actor":{"id":"op-1","name":"Ölga","role":"operator"},"clientID":"k-1","incident":"26-000001","kind":"chat","#
      + #""number":7,"payload":{"n":1.5,"text":"a\n€"},"previousHash":""# + String(repeating: "ab", count: 32)
      + #"","time":"2026-11-23T03:11:22.123456Z"}"#
    #expect(event.hash == Digest.sha256(Array(text.utf8)))
    #expect(event.json.canonical.hasPrefix(#"{"actor":"#))
    #expect(event.json["hash"] == .string(Hex.encode(Digest.sha256(Array(text.utf8)))))

    let unnamed = JournalEvent(
      incident: event.incident, number: 7, time: event.time, actor: event.actor, kind: "chat", payload: event.payload,
      clientID: nil, previousHash: previous)
    #expect(unnamed.hash == Digest.sha256(Array(text.replacing(#""clientID":"k-1","#, with: "").utf8)))
  }

  /// Made by Python's `json.dumps(…, sort_keys=True, separators=(",", ":"))` and `hashlib.sha256`.
  @Test("an event that another program wrote is read, and its hash agrees")
  func readsAForeignEvent() throws {
    let text =
      #"{"actor":{"id":"op-1","name":"Olga","role":"operator"},"#
      + #""hash":"e8bd0cc03e7bb220f7d94474ba25603e165858716a15f8d5ee7313abb2be982e","incident":"26-000001","#
      + #""kind":"incident.opened","number":1,"payload":{"agency":"metro","exercise":false,"origin":"operator","#
      + #""priority":"P2"},"previousHash":""# + String(repeating: "00", count: 32)
      + #"","time":"2026-11-23T03:11:22.123456Z"}"#
    let event = try #require(JournalEvent(json: JSONValue(parsing: text)))
    #expect(try Incident(opening: event).agency == "metro")
    #expect(event.json.canonical == text)
  }

  @Test func readsBack() throws {
    for event in try Story.full().events {
      #expect(JournalEvent(json: try JSONValue(parsing: event.json.canonical)) == event)
    }
  }

  static let changes: [(String, JSONValue)] = [
    ("incident", "26-000002"), ("number", 8), ("time", "2026-11-23T03:11:22.000001Z"),
    ("actor", ["id": "op-2", "role": "operator", "name": "Olga"]), ("kind", "note"), ("payload", ["text": "b"]),
    ("clientID", "k"), ("previousHash", .string(String(repeating: "00", count: 31) + "01")),
    ("hash", .string(String(repeating: "0", count: 64))), ("hash", nil), ("number", "1"), ("actor", nil),
    ("payload", nil), ("previousHash", "zz"), ("time", "now"),
  ]

  @Test("any change is noticed", arguments: changes)
  func noticesChanges(member: String, value: JSONValue) throws {
    let event = try Story().events[0]
    var members = try #require(event.json.object)
    #expect(JournalEvent(json: .object(members)) == event)
    members[member] = value
    #expect(JournalEvent(json: .object(members)) == nil)
    members[member] = nil
    if member != "clientID" { #expect(JournalEvent(json: .object(members)) == nil) }
  }

  // MARK: - Folding

  @Test func foldingAnewGivesTheSame() throws {
    var story = try Story.full()
    try story.add(.unitStatus, ["unit": "medic-7", "status": "onscene"])
    try story.add(.absorbed, ["from": "two", "callers": [["caller": "x", "stage": "live"]]])
    try story.add(.linkRevoked, ["link": "l1"])
    try story.add(.stateChanged, ["state": "ended", "outcome": "handled"])
    var again = try Incident(opening: story.events[0])
    for event in story.events.dropFirst() { again.apply(event) }
    #expect(again == story.incident)
    #expect(again.number == story.events.count)
    #expect(again.hash == story.events.last?.hash)
  }

  @Test("whatever is in the journal is taken in", arguments: EventKind.allCases.map(\.rawValue) + ["future.kind", ""])
  func appliesAnything(kind: String) throws {
    let payloads: [JSONValue] = [
      nil, [], "text", [:], ["caller": 1, "unit": nil, "state": "unheard-of", "into": "a b", "lat": "x"],
      [
        "caller": "c1", "stage": "unheard-of", "callers": [1, "x", [:], ["caller": 3]], "from": "ok",
        "also": [1, "a b"],
      ],
      ["fields": ["a": 1, "b": nil], "unit": "medic-7", "status": "flying", "link": "l1", "role": "x", "file": "f"],
    ]
    for payload in payloads {
      var story = try Story.full()
      let before = story.incident
      story.write(kind, payload)
      #expect(story.incident.number == before.number + 1)
      #expect(story.incident.hash == story.events.last?.hash)
      if EventKind(rawValue: kind) == nil { #expect(story.incident.summary == before.summary) }
      _ = story.incident.snapshot(for: .staff, viewer: "x")
    }
  }

  @Test func aJournalBeginsWithItsOpening() throws {
    let story = try Story.full()
    #expect(throws: IncidentError.self) { try Incident(opening: story.events[1]) }
    let opening = story.events[0]
    let late = JournalEvent(
      incident: opening.incident, number: 2, time: opening.time, actor: opening.actor, kind: opening.kind,
      payload: opening.payload, clientID: nil, previousHash: opening.hash)
    #expect(throws: IncidentError.self) { try Incident(opening: late) }
  }

  @Test func stagesAreStampedAndBounded() throws {
    var story = try Story()
    try story.add(.callerAdded, ["caller": "c"])
    for round in 0..<500 {
      story.now = Story.start + .seconds(Double(round))
      try story.add(.callerStage, ["caller": "c", "stage": .string(round % 2 == 0 ? "live" : "paused")])
    }
    let stages = try #require(story.incident.caller("c")).stages
    #expect(stages.count <= 128)
    #expect(stages.first?.stage == .requested, "the first stages tell how long it took")
    #expect(stages.last?.at == story.now)
  }

  @Test func actorsAreCutToTheirLength() {
    let actor = Actor(id: String(repeating: "i", count: 99), role: .guest, name: String(repeating: "n", count: 99))
    #expect(actor.id.count == 64 && actor.name.count == 64)
    #expect(Actor(json: actor.json) == actor)
    #expect(Actor(json: ["id": "a", "name": "b", "role": "king"]) == nil)
  }
}
