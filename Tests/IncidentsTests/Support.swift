import Incidents
import JSON
import Primitives
import Testing

/// A story that is written event by event, as a journal would hold it.
struct Story {
  private(set) var events: [JournalEvent] = []
  private(set) var incident: Incident
  var now: UTCTime

  static let start = UTCTime(seconds: 1_795_403_482)
  static let operatorActor = Actor(id: "op-1", role: .operator, name: "Olga")

  init(
    _ id: String = "26-000001", agency: String = "metro", exercise: Bool = false, place: JSONValue? = nil,
    at start: UTCTime = start
  ) throws {
    now = start
    let drafts = try Incident.openingDrafts(
      agency: agency, priority: .p2, type: "fire", place: place, exercise: exercise, origin: "operator")
    let event = JournalEvent(
      incident: try #require(IncidentID(id)), number: 1, time: start, actor: Self.operatorActor,
      kind: drafts[0].kind.rawValue, payload: drafts[0].payload, clientID: nil, previousHash: JournalEvent.genesisHash)
    incident = try Incident(opening: event)
    events = [event]
  }

  /// Decides and takes in, or throws what is refused; returns how many events came of it.
  @discardableResult
  mutating func add(
    _ kind: EventKind, _ payload: JSONValue, by actor: Actor = operatorActor, isServer: Bool = true
  ) throws(IncidentError) -> Int {
    let drafts = try incident.decide(kind, payload: payload, by: actor, at: now, isServer: isServer)
    for draft in drafts { write(draft.kind.rawValue, draft.payload, by: actor) }
    return drafts.count
  }

  /// Takes in an event that nobody decided on.
  mutating func write(_ kind: String, _ payload: JSONValue, by actor: Actor = operatorActor) {
    let event = JournalEvent(
      incident: incident.id, number: incident.number + 1, time: now, actor: actor, kind: kind, payload: payload,
      clientID: nil, previousHash: incident.hash)
    incident.apply(event)
    events.append(event)
  }

  func refusal(
    _ kind: EventKind, _ payload: JSONValue, by actor: Actor = operatorActor, isServer: Bool = true
  ) -> IncidentError.Code? {
    do throws(IncidentError) {
      _ = try incident.decide(kind, payload: payload, by: actor, at: now, isServer: isServer)
      return nil
    } catch {
      return error.code
    }
  }

  /// An incident with a bit of everything.
  static func full() throws -> Story {
    var story = try Story(place: ["lat": 52.5, "lon": 13.4, "radius": 50, "text": "Main St 1"])
    try story.add(.callerAdded, ["caller": "c1", "name": "Carl", "phone": "+4930111"])
    try story.add(.callerAdded, ["caller": "c2", "name": "Cora", "phone": "+4930222"])
    try story.add(.stateChanged, ["state": "active"])
    try story.add(.assigned, ["account": "op-1", "role": "operator", "name": "Olga"])
    try story.add(.unitAssigned, ["unit": "medic-7", "name": "Medic 7", "service": "ems"])
    try story.add(.linkCreated, ["link": "l1", "role": "guest", "expires": "2026-11-23T04:00:00Z"])
    try story.add(.fileAdded, file("f1", visibility: nil))
    try story.add(.fileAdded, file("f2", visibility: "team"))
    try story.add(.triage, ["fields": ["breathing": "yes"]])
    try story.add(.location, location("c1", 52.5, 13.4))
    try story.add(.location, location("c2", 52.6, 13.5))
    return story
  }

  static func file(_ id: String, visibility: String?) -> JSONValue {
    .members([
      "file": .string(id), "name": "a.jpg", "type": "image/jpeg", "size": 10,
      "sha256": .string(String(repeating: "ab", count: 32)), "purpose": "photo",
      "visibility": visibility.map { .string($0) },
    ])
  }

  static func location(
    _ caller: String, _ latitude: Double, _ longitude: Double, source: String = "device", at time: UTCTime? = nil,
    accuracy: Double? = nil
  ) -> JSONValue {
    .members([
      "caller": .string(caller), "lat": .number(latitude), "lon": .number(longitude), "source": .string(source),
      "fixedAt": time.map { .string($0.description) }, "accuracy": accuracy.map { .number($0) },
    ])
  }
}

func facts(
  _ role: Role, _ id: String = "someone", agency: String = "metro", linked: String? = nil, unit: String? = nil,
  desk: String? = nil
) -> PrincipalFacts {
  PrincipalFacts(
    actorID: id, role: role, agency: agency, linkedIncident: linked.flatMap { IncidentID($0) }, unit: unit, desk: desk)
}
