import Incidents
import JSON
import Primitives

func fuzzJSON(_ bytes: UnsafeRawBufferPointer) {
  guard let value = try? JSONValue(parsing: Array(bytes)) else { return }
  let text = value.canonicalBytes
  let again = try? JSONValue(parsing: text)
  require(again == value, "a canonical text does not read back")
  require(again?.canonicalBytes == text, "a canonical text is not its own")
}

/// An input is an event as it is exported, or `{"kind": …, "payload": …}`; either is held against an incident that has a
/// bit of everything, by the server and by a caller.
func fuzzEvents(_ bytes: UnsafeRawBufferPointer) {
  guard let value = try? JSONValue(parsing: Array(bytes)) else { return }
  if let event = JournalEvent(json: value) {
    require(JournalEvent(json: event.json) == event, "an event does not read back")
    if var incident = try? Incident(opening: event) { applyAnything(&incident, event.payload) }
  }
  guard let incident = exampleIncident, let payload = value["payload"] else { return }
  let kinds = value["kind"]?.string.flatMap(EventKind.init).map { [$0] } ?? EventKind.allCases
  for kind in kinds {
    for (actor, isServer) in [(Actor.system, true), (Actor(id: "c1", role: .caller, name: "Carl"), false)] {
      decide(kind, payload, incident, actor, isServer)
    }
  }
  var changed = incident
  applyAnything(&changed, payload)
}

/// What is decided satisfies its schema, can be taken in, and reads back out of a journal.
private func decide(_ kind: EventKind, _ payload: JSONValue, _ incident: Incident, _ actor: Actor, _ isServer: Bool) {
  let now = UTCTime(seconds: 1_795_403_500)
  guard let drafts = try? incident.decide(kind, payload: payload, by: actor, at: now, isServer: isServer) else {
    return
  }
  var after = incident
  for draft in drafts {
    require((try? draft.kind.traits.payload.validate(draft.payload)) != nil, "\(kind) made a payload that is none")
    let event = JournalEvent(
      incident: incident.id, number: after.number + 1, time: now, actor: actor, kind: draft.kind.rawValue,
      payload: draft.payload, clientID: nil, previousHash: after.hash)
    after.apply(event)
    let read = (try? JSONValue(parsing: event.json.canonical)).flatMap(JournalEvent.init(json:))
    require(read == event, "\(kind) does not read back")
    _ = EventKind.isVisible(
      event,
      to: PrincipalFacts(
        actorID: "c1", role: .caller, agency: "", linkedIncident: incident.id, unit: nil, desk: nil))
  }
  look(after)
}

/// Folding refuses nothing, whatever a journal holds.
private func applyAnything(_ incident: inout Incident, _ payload: JSONValue) {
  for kind in EventKind.allCases {
    incident.apply(
      JournalEvent(
        incident: incident.id, number: incident.number + 1, time: incident.changedAt, actor: .system,
        kind: kind.rawValue, payload: payload, clientID: nil, previousHash: incident.hash))
  }
  look(incident)
}

private func look(_ incident: Incident) {
  for audience in [Audience.caller, .guest, .responder, .staff] {
    let text = incident.snapshot(for: audience, viewer: "c1").canonical
    require((try? JSONValue(parsing: text)) != nil, "a snapshot that is no JSON")
  }
  _ = incident.summary.canonical
  _ = incident.suggestions(among: [incident])
}

private let exampleIncident: Incident? = {
  guard let id = IncidentID("26-000001") else { return nil }
  let now = UTCTime(seconds: 1_795_403_482)
  func event(_ number: Int, _ kind: EventKind, _ payload: JSONValue, _ hash: [UInt8]) -> JournalEvent {
    JournalEvent(
      incident: id, number: number, time: now, actor: .system, kind: kind.rawValue, payload: payload, clientID: nil,
      previousHash: hash)
  }
  let opening: JSONValue = ["agency": "metro", "priority": "P2", "exercise": false, "origin": "operator"]
  guard var incident = try? Incident(opening: event(1, .opened, opening, JournalEvent.genesisHash)) else { return nil }
  let story: [(EventKind, JSONValue)] = [
    (.callerAdded, ["caller": "c1", "phone": "+4930111"]),
    (.location, ["caller": "c1", "lat": 52.5, "lon": 13.4, "source": "device"]),
    (.assigned, ["account": "op-1", "role": "operator", "name": "Olga"]), (.unitAssigned, ["unit": "medic-7"]),
    (.linkCreated, ["link": "l1", "role": "guest", "expires": "2026-11-23T04:00:00Z"]),
    (
      .fileAdded,
      [
        "file": "f1", "name": "a.jpg", "type": "image/jpeg", "size": 10, "purpose": "photo",
        "sha256": .string(String(repeating: "ab", count: 32)),
      ]
    ),
  ]
  for (kind, payload) in story { incident.apply(event(incident.number + 1, kind, payload, incident.hash)) }
  return incident
}()
