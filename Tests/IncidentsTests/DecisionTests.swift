import Incidents
import JSON
import Primitives
import Testing

/// Each kind: what is taken, what is refused and why, and what is so already.
@Suite("Decisions")
struct DecisionTests {
  struct Wish: Sendable, CustomTestStringConvertible {
    let kind: EventKind
    let payload: JSONValue
    let isRefused: IncidentError.Code?

    init(_ kind: EventKind, _ payload: JSONValue, _ isRefused: IncidentError.Code? = nil) {
      self.kind = kind
      self.payload = payload
      self.isRefused = isRefused
    }

    var testDescription: String { "\(kind.rawValue) \(payload.canonical)" }
  }

  private static let zeros = String(repeating: "0", count: 64)

  /// At least one good payload for every kind, against the full story.
  static let good: [Wish] = [
    Wish(.stateChanged, ["state": "monitored", "reason": "crew there"]), Wish(.classified, ["priority": "P1"]),
    Wish(.classified, ["place": ["text": "by the lake"]]),
    Wish(.mergeSuggested, ["other": "x", "metres": 3, "seconds": 4]),
    Wish(.merged, ["into": "other"]), Wish(.absorbed, ["from": "other", "callers": [["caller": "c9"]]]),
    Wish(.assigned, ["account": "op-2", "role": "operator", "name": "Otto"]), Wish(.unassigned, ["account": "op-1"]),
    Wish(.unitAssigned, ["unit": "engine-1", "service": "fire"]),
    Wish(.unitStatus, ["unit": "medic-7", "status": "enroute"]),
    Wish(.unitLocation, ["unit": "medic-7", "lat": 1, "lon": 2, "eta": "2026-11-23T03:20:00Z"]),
    Wish(.unitStoodDown, ["unit": "medic-7", "reason": "not needed"]), Wish(.presence, ["people": []]),
    Wish(.speaking, ["on": true]), Wish(.typing, ["on": true, "to": "team"]), Wish(.callerAdded, ["caller": "c3"]),
    Wish(.callerStage, ["caller": "c1", "stage": "live"]),
    Wish(.callerStage, ["caller": "c1", "stage": "failed", "reason": "noData"]),
    Wish(.deviceState, ["caller": "c1", "battery": 0.5, "network": "wifi"]),
    Wish(.location, Story.location("c1", 1, 2)),
    Wish(.command, ["caller": "c1", "command": "torch", "argument": "true"]),
    Wish(.commandResult, ["caller": "c1", "command": 2, "status": "done"]),
    Wish(.linkCreated, ["link": "l2", "role": "caller", "expires": "2026-11-23T04:00:00Z", "phone": "+4930111"]),
    Wish(.linkSent, ["link": "l1", "by": "sms", "to": "+49…11"]),
    Wish(.linkDelivery, ["link": "l1", "state": "delivered"]),
    Wish(.linkRevoked, ["link": "l1"]), Wish(.chat, ["text": "hello", "to": "everyone", "language": "de"]),
    Wish(.chatDelivered, ["upTo": 3]), Wish(.chatRead, ["upTo": 3, "to": "team"]),
    Wish(.realTimeText, ["text": "h\u{8}"]),
    Wish(.note, ["text": "a note"]), Wish(.triage, ["fields": ["conscious": "no"]]),
    Wish(.fileAdded, Story.file("f3", visibility: "everyone")),
    Wish(.fileRejected, ["name": "x.exe", "reason": "infected"]),
    Wish(.snapshotTaken, ["file": "f1", "source": "s1"]),
    Wish(.source, ["source": "s1", "peer": "p", "kind": "video", "state": "live", "codec": "VP8"]),
    Wish(.watching, ["on": true, "account": "op-1", "role": "operator", "name": "Olga"]), Wish(.revealed, ["on": true]),
    Wish(
      .view,
      [
        "account": "op-1", "role": "operator", "name": "Olga", "source": "s1", "from": "all", "to": "layer", "layer": 1,
        "reason": "overload",
      ]),
    Wish(.recording, ["state": "alarm", "detail": "The disk is full."]),
    Wish(.recording, ["state": "late", "track": "v-1", "detail": "late/0123456789ab.webm"]),
    Wish(.replayOpened, ["replay": "r1", "account": "sup-1", "role": "supervisor", "reason": "complaint 12"]),
    Wish(.exportRequested, ["export": "x1", "account": "sup-1", "reason": "court", "approval": true]),
    Wish(.exportDecided, ["export": "x1", "account": "cus-1", "decision": "approved"]),
    Wish(.exportFinished, ["export": "x1", "state": "ready", "sha256": .string(zeros), "bytes": 12]),
    Wish(.retentionHold, ["held": true, "account": "cus-1", "reason": "court order"]),
    Wish(
      .retentionDeleted,
      ["class": "media", "files": 3, "bytes": 12, "sha256": .string(zeros), "reason": "180 days are over"]),
    Wish(.account, ["account": "a", "change": "added"]), Wish(.signIn, ["userName": "", "result": "refused"]),
    Wish(.settings, ["setting": "sms"]), Wish(.access, ["what": "replay", "reason": "complaint 12"]),
  ]

  static let bad: [Wish] = [
    Wish(.opened, ["agency": "m", "priority": "P1", "exercise": false, "origin": "demo"], .wrongState),
    Wish(.opened, ["agency": "m"], .badPayload), Wish(.stateChanged, ["state": "gone"], .badPayload),
    Wish(.stateChanged, ["state": "reopened"], .wrongState), Wish(.classified, ["priority": "P5"], .badPayload),
    Wish(.classified, ["place": ["lat": 91]], .badPayload), Wish(.merged, ["into": "26-000001"], .badPayload),
    Wish(.merged, ["into": "a b"], .badPayload),
    Wish(.assigned, ["account": "x", "role": "king", "name": "x"], .badPayload),
    Wish(.unitStatus, ["unit": "engine-9", "status": "enroute"], .unknownSubject),
    Wish(.unitStoodDown, ["unit": "engine-9"], .unknownSubject),
    Wish(.unitLocation, ["unit": "medic-7", "lat": 1], .badPayload),
    Wish(.callerStage, ["caller": "c9", "stage": "live"], .unknownSubject),
    Wish(.callerStage, ["caller": "c1", "stage": "failed"], .badPayload),
    Wish(.callerStage, ["caller": "c1", "stage": "declined"], .badPayload),
    Wish(.callerStage, ["caller": "c1", "stage": "paused"], .wrongState),
    Wish(.deviceState, ["caller": "c1", "battery": 2], .badPayload),
    Wish(.location, Story.location("c9", 1, 2), .unknownSubject),
    Wish(.location, Story.location("c1", 90.1, 0), .badPayload),
    Wish(.location, Story.location("c1", 0, -180.1), .badPayload),
    Wish(.location, ["caller": "c1", "lat": .number(.nan), "lon": 1, "source": "device"], .badPayload),
    Wish(.location, ["caller": "c1", "lat": .number(.infinity), "lon": 1, "source": "device"], .badPayload),
    Wish(.location, ["caller": "c1", "lat": "1", "lon": 1, "source": "device"], .badPayload),
    Wish(.command, ["caller": "c9", "command": "torch"], .unknownSubject),
    Wish(.command, ["caller": "c1", "command": "explode"], .badPayload),
    Wish(.commandResult, ["caller": "c1", "command": 999, "status": "done"], .unknownSubject),
    Wish(.linkSent, ["link": "l9", "by": "sms"], .unknownSubject), Wish(.linkRevoked, ["link": "l9"], .unknownSubject),
    Wish(.chat, ["text": ""], .badPayload), Wish(.chat, [:], .badPayload),
    Wish(.chat, ["text": "a\u{1b}[2J"], .badPayload),
    Wish(.chat, ["text": .string(String(repeating: "x", count: 4_001))], .badPayload),
    Wish(.chat, ["text": "hi", "sender": "boss"], .badPayload), Wish(.chatRead, ["upTo": 999], .unknownSubject),
    Wish(.chatRead, ["upTo": 0], .badPayload), Wish(.triage, ["fields": ["q": 1]], .badPayload),
    Wish(.snapshotTaken, ["file": "f9"], .unknownSubject), Wish(.fileAdded, ["file": "f9"], .badPayload),
    Wish(.presence, [], .badPayload), Wish(.note, "text", .badPayload),
  ]

  @Test("the list of good payloads leaves out no kind")
  func goodIsWhole() {
    #expect(Set(Self.good.map(\.kind)).union([.opened]) == Set(EventKind.allCases))
  }

  @Test("good payloads are taken and read back", arguments: good)
  func takes(wish: Wish) throws {
    var story = try Story.full()
    // Nothing is deleted before the end.
    if wish.kind == .retentionDeleted { try story.add(.stateChanged, ["state": "ended", "outcome": "handled"]) }
    #expect(try story.add(wish.kind, wish.payload) == 1)
    // What is written satisfies its own schema, for whoever validates a journal.
    try wish.kind.traits.payload.validate(try #require(story.events.last).payload)
  }

  @Test("bad payloads are refused with a reason", arguments: bad)
  func refuses(wish: Wish) throws {
    #expect(try Story.full().refusal(wish.kind, wish.payload) == wish.isRefused)
  }

  @Test("what only the server sends is refused to everybody else", arguments: EventKind.allCases)
  func serverOnly(kind: EventKind) throws {
    guard kind.traits.sender == .server else { return }
    #expect(try Story.full().refusal(kind, [:], isServer: false) == .serverOnly)
  }

  /// Twice the same: the second changes nothing and is no error.
  static let idempotent: [Wish] = [
    Wish(.stateChanged, ["state": "monitored"]), Wish(.mergeSuggested, ["other": "x", "metres": 3, "seconds": 4]),
    Wish(.absorbed, ["from": "other", "callers": []]),
    Wish(.assigned, ["account": "op-2", "role": "operator", "name": "O"]),
    Wish(.unassigned, ["account": "op-1"]), Wish(.unitAssigned, ["unit": "engine-1"]),
    Wish(.unitStatus, ["unit": "medic-7", "status": "enroute"]), Wish(.unitStoodDown, ["unit": "medic-7"]),
    Wish(.callerAdded, ["caller": "c3"]), Wish(.callerStage, ["caller": "c1", "stage": "live"]),
    Wish(.linkRevoked, ["link": "l1"]),
  ]

  @Test("the second time changes nothing", arguments: idempotent)
  func twice(wish: Wish) throws {
    var story = try Story.full()
    #expect(try story.add(wish.kind, wish.payload) == 1)
    #expect(try story.add(wish.kind, wish.payload) == 0)
  }

  // MARK: - Who speaks for whom

  @Test func callersSpeakForThemselves() throws {
    let story = try Story.full()
    let carl = Actor(id: "c1", role: .caller, name: "Carl")
    #expect(story.refusal(.location, Story.location("c1", 1, 1), by: carl, isServer: false) == nil)
    #expect(story.refusal(.location, Story.location("c2", 1, 1), by: carl, isServer: false) == .unknownSubject)
    #expect(
      story.refusal(.callerStage, ["caller": "c2", "stage": "live"], by: carl, isServer: false) == .unknownSubject)
    let aml = Story.location("c1", 1, 1, source: "aml")
    #expect(story.refusal(.location, aml, by: carl, isServer: false) == .badPayload, "a page is not the network")
    #expect(story.refusal(.location, aml, isServer: true) == nil)
    #expect(story.refusal(.location, Story.location("c1", 1, 1, source: "manual"), isServer: false) == nil)
    guard case .object(var marked) = Story.location("c1", 1, 1) else { return }
    marked["marks"] = ["stale"]
    #expect(story.refusal(.location, .object(marked), by: carl, isServer: false) == .badPayload)
  }

  @Test func aUnitThatWasStoodDownReportsNothing() throws {
    var story = try Story.full()
    try story.add(.unitStoodDown, ["unit": "medic-7"])
    #expect(story.refusal(.unitStatus, ["unit": "medic-7", "status": "onscene"]) == .wrongState)
    #expect(story.refusal(.unitLocation, ["unit": "medic-7", "lat": 1, "lon": 1]) == .wrongState)
  }

  @Test func aUnitUnderWayIsNotAssignedAnew() throws {
    var story = try Story.full()
    try story.add(.unitStatus, ["unit": "medic-7", "status": "enroute"])
    #expect(story.refusal(.unitStatus, ["unit": "medic-7", "status": "assigned"]) == .wrongState)
  }

  // MARK: - Bounds

  @Test("bounds are refused by name")
  func bounds() throws {
    var story = try Story()
    for number in 0..<Incident.maximumCallers { try story.add(.callerAdded, ["caller": .string("c\(number)")]) }
    #expect(story.refusal(.callerAdded, ["caller": "one-more"]) == .full)
    for number in 0..<Incident.maximumUnits { try story.add(.unitAssigned, ["unit": .string("u\(number)")]) }
    #expect(story.refusal(.unitAssigned, ["unit": "one-more"]) == .full)
    for number in 0..<Incident.maximumAssignments {
      try story.add(.assigned, ["account": .string("a\(number)"), "role": "operator", "name": "A"])
    }
    #expect(story.refusal(.assigned, ["account": "one-more", "role": "operator", "name": "A"]) == .full)
    for page in 0..<Incident.maximumTriageFields / 64 {
      let fields = (0..<64).map { ("q\(page)-\($0)", JSONValue.string("a")) }
      try story.add(.triage, ["fields": .object(Dictionary(fields, uniquingKeysWith: { $1 }))])
    }
    #expect(story.refusal(.triage, ["fields": ["one-more": "a"]]) == .full)
    #expect(story.refusal(.triage, ["fields": ["q0-0": "changed"]]) == nil, "what is there may change")
  }
}
