import Incidents
import JSON
import Primitives
import Testing

/// Who gets to see what.
@Suite("Audiences")
struct AudienceTests {
  @Test("every kind has a row, and its payload is an object's schema", arguments: EventKind.allCases)
  func everyKindHasTraits(kind: EventKind) {
    let traits = kind.traits
    #expect(traits.payload.document["type"] == "object")
    #expect(traits.payload.document["additionalProperties"] == false)
    #expect(traits.note.hasSuffix("."))
    if traits.durability == .ephemeral { #expect(traits.audience.contains(.responder)) }
  }

  /// What callers may learn of at all; DOMAIN: "own incident", "who is watching, that it is recorded".
  static let forCallers: Set<EventKind> = [
    .stateChanged, .merged, .presence, .speaking, .typing, .callerAdded, .callerStage, .location, .command, .chat,
    .chatDelivered, .chatRead, .realTimeText, .fileAdded, .watching,
  ]
  /// DOMAIN: "minimal".
  static let forGuests: Set<EventKind> = [
    .stateChanged, .merged, .presence, .speaking, .typing, .chat, .chatDelivered, .chatRead, .realTimeText, .fileAdded,
    .watching,
  ]
  static let forControl: Set<EventKind> = [
    .mergeSuggested, .replayOpened, .exportRequested, .exportDecided, .exportFinished, .retentionHold,
    .retentionDeleted,
  ]
  static let forNobody: Set<EventKind> = [.account, .signIn, .settings, .access]

  @Test("each kind reaches those it is for", arguments: EventKind.allCases)
  func audience(kind: EventKind) {
    let audience = kind.audience(of: [:])
    #expect(audience.contains(.caller) == Self.forCallers.contains(kind))
    #expect(audience.contains(.guest) == Self.forGuests.contains(kind))
    #expect(audience.contains(.responder) == !(Self.forControl.union(Self.forNobody)).contains(kind))
    #expect(audience.contains(.staff) == !Self.forNobody.contains(kind))
    #expect(audience.contains(.oversight) == !Self.forNobody.contains(kind))
  }

  @Test(
    "what is for the team stays in the team",
    arguments: [EventKind.chat, .typing, .realTimeText, .chatDelivered, .chatRead, .fileAdded])
  func teamChannel(kind: EventKind) {
    #expect(kind.audience(of: ["to": "team"]) == .team)
    #expect(kind.audience(of: ["visibility": "team"]) == .team)
    #expect(kind.audience(of: ["to": "everyone"]).contains(.caller))
  }

  @Test("guests read the notes that are for them, and no others")
  func notesForGuests() {
    #expect(EventKind.note.audience(of: ["text": "x"]) == .team)
    #expect(EventKind.note.audience(of: ["text": "x", "guests": false]) == .team)
    #expect(EventKind.note.audience(of: ["text": "x", "guests": true]) == [.team, .guest])
  }

  private static func sees(_ facts: PrincipalFacts, _ kind: String, _ payload: JSONValue) throws -> Bool {
    let event = JournalEvent(
      incident: try #require(IncidentID("one")), number: 1, time: Story.start, actor: Story.operatorActor, kind: kind,
      payload: payload, clientID: nil, previousHash: JournalEvent.genesisHash)
    return EventKind.isVisible(event, to: facts)
  }

  @Test(
    "a caller sees of callers only themselves",
    arguments: [EventKind.location, .callerStage, .callerAdded, .command])
  func callersSeeThemselves(kind: EventKind) throws {
    let caller = facts(.caller, "c1", agency: "", linked: "one")
    #expect(try Self.sees(caller, kind.rawValue, ["caller": "c1"]))
    #expect(try !Self.sees(caller, kind.rawValue, ["caller": "c2"]))
    #expect(try !Self.sees(caller, kind.rawValue, [:]))
    #expect(try Self.sees(facts(.operator), kind.rawValue, ["caller": "c2"]))
    #expect(try !Self.sees(facts(.guest, linked: "one"), kind.rawValue, ["caller": "guest"]))
  }

  @Test("kinds of a newer program are for staff and oversight", arguments: Role.allCases)
  func unknownKinds(role: Role) throws {
    let expected: Set<Role> = [.operator, .dispatcher, .supervisor, .trainer, .system, .custodian, .auditor]
    #expect(try Self.sees(facts(role), "future.kind", [:]) == expected.contains(role))
  }

  @Test("roles without an audience see nothing", arguments: EventKind.allCases)
  func adminsSeeNothing(kind: EventKind) throws {
    #expect(try !Self.sees(facts(.admin), kind.rawValue, [:]))
    #expect(try !Self.sees(facts(.integration), kind.rawValue, [:]))
  }

  // MARK: - Snapshots

  @Test func aCallersSnapshotHasOnlyThemselves() throws {
    let snapshot = try Story.full().incident.snapshot(for: .caller, viewer: "c1")
    #expect(snapshot["callers"]?.array?.map { $0["id"] } == ["c1"])
    #expect(snapshot["callers"]?.array?.first?["location"]?["lat"] == 52.5)
    #expect(snapshot["files"]?.array?.map { $0["file"] } == ["f1"])
    let text = snapshot.canonical
    for secret in ["c2", "Cora", "+4930", "13.5", "breathing", "Main St", "medic-7", "P2", "fire", "op-1", "f2"] {
      #expect(!text.contains(secret), "\(secret) in \(text)")
    }
  }

  @Test func aGuestsSnapshotIsMinimal() throws {
    let snapshot = try Story.full().incident.snapshot(for: .guest, viewer: "g")
    #expect(
      Set(snapshot.object?.keys ?? [:].keys) == ["id", "state", "exercise", "openedAt", "number", "callers", "files"])
    #expect(snapshot["callers"] == [])
  }

  @Test("whoever belongs to no audience gets no callers either")
  func nobodysSnapshot() throws {
    #expect(try Story.full().incident.snapshot(for: [], viewer: "c1")["callers"] == [])
  }

  @Test func theTeamsSnapshotHasTheRest() throws {
    var story = try Story.full()
    story.write(EventKind.mergeSuggested.rawValue, ["other": "two", "metres": 1, "seconds": 2])
    let responder = story.incident.snapshot(for: .responder, viewer: "r")
    #expect(responder["callers"]?.array?.count == 2)
    #expect(responder["callers"]?.array?.first?["phone"] == "+4930111")
    #expect(responder["callers"]?.array?.first?["track"]?.array?.count == 1)
    #expect(responder["units"]?.array?.first?["unit"] == "medic-7")
    #expect(responder["triage"] == ["breathing": "yes"])
    #expect(responder["suggestions"] == nil)
    #expect(responder["number"] == .integer(story.incident.number))
    let staff = story.incident.snapshot(for: .staff, viewer: "o")
    #expect(staff["suggestions"]?.array?.count == 1)
  }
}
