import Incidents
import JSON
import Primitives

/// One incident in the catalogue: what a list of results shows, and what searches ask about.
package struct CatalogEntry: Hashable, Sendable {
  /// Where its recording stands.
  package enum Recording: String, Hashable, Sendable, CaseIterable {
    /// Nothing was recorded.
    case none
    case running
    /// Ended and sealed.
    case sealed
  }

  package let ties: IncidentTies
  /// Number of the last event that was taken in.
  package var number: Int
  package var state: IncidentState
  package var priority: Priority
  package var type: String?
  package var place: Place?
  /// Where it was, as well as is known.
  package var latitude: Double?
  package var longitude: Double?
  package var openedAt: UTCTime
  package var endedAt: UTCTime?
  package var outcome: Outcome?
  package var callers: Int
  /// Staff and units that were on it.
  package var staff: Int
  package var recording: Recording
  package var isHeld: Bool

  package var id: IncidentID { ties.id }
  package var agency: String { ties.agency }
  package var isExercise: Bool { ties.isExercise }
}

extension CatalogEntry {
  /// The incident after `event`, whose latest state may already be that of a later one.
  package init(_ incident: Incident, after event: JournalEvent, previous: CatalogEntry?) {
    ties = incident.ties
    number = event.number
    state = incident.state
    priority = incident.priority
    type = incident.type
    place = incident.place
    openedAt = incident.openedAt
    endedAt = incident.endedAt
    outcome = incident.outcome
    callers = incident.callers.count
    staff = incident.assignments.count + incident.units.count
    isHeld = incident.isHeld
    recording = previous?.recording ?? .none
    (latitude, longitude) = (previous?.latitude, previous?.longitude)
    if previous == nil || Self.moving.contains(event.kind), let point = incident.point {
      (latitude, longitude) = (point.latitude, point.longitude)
    }
    guard event.kind == EventKind.recording.rawValue else { return }
    switch event.payload["state"]?.string {
    case "started": recording = .running
    case "sealed": recording = .sealed
    default: break
    }
  }

  /// Kinds after which it may be somewhere else.
  private static let moving: Set<String> = Set(
    [EventKind.opened, .classified, .location, .absorbed].map(\.rawValue))
}

// MARK: - JSON

extension CatalogEntry {
  /// As the store keeps it.
  package var json: JSONValue {
    .members([
      "id": .string(id.value), "agency": .string(agency), "exercise": .bool(isExercise), "number": .integer(number),
      "state": .string(state.rawValue), "priority": .string(priority.rawValue), "type": type.map { .string($0) },
      "place": place?.json, "lat": latitude.map { .number($0) }, "lon": longitude.map { .number($0) },
      "openedAt": .integer(openedAt.microseconds), "endedAt": endedAt.map { .integer($0.microseconds) },
      "outcome": outcome.map { .string($0.rawValue) }, "callers": .integer(callers), "staff": .integer(staff),
      "recording": .string(recording.rawValue), "held": isHeld ? true : nil,
      "accounts": Self.json(ties.accounts), "units": Self.json(ties.units),
      "absorbed": ties.absorbed.isEmpty ? nil : .array(ties.absorbed.map { .string($0.value) }),
    ])
  }

  /// Reads what ``json`` wrote; nil when something is missing.
  package init?(json: JSONValue) {
    guard let id = json["id"]?.string.flatMap({ IncidentID($0) }), let agency = json["agency"]?.string,
      let number = json["number"]?.integer, let state = json["state"]?.string.flatMap(IncidentState.init),
      let priority = json["priority"]?.string.flatMap(Priority.init), let openedAt = json["openedAt"]?.integer,
      let recording = json["recording"]?.string.flatMap(Recording.init)
    else { return nil }
    ties = IncidentTies(
      id: id, absorbed: (json["absorbed"]?.array ?? []).compactMap { $0.string.flatMap { IncidentID($0) } },
      agency: agency, isExercise: json["exercise"]?.bool ?? false, accounts: Self.ties(json["accounts"]),
      units: Self.ties(json["units"]))
    self.number = number
    self.state = state
    self.priority = priority
    type = json["type"]?.string
    place = json["place"].map { Place(json: $0) }
    latitude = json["lat"]?.double
    longitude = json["lon"]?.double
    self.openedAt = UTCTime(microseconds: Int64(openedAt))
    endedAt = json["endedAt"]?.integer.map { UTCTime(microseconds: Int64($0)) }
    outcome = json["outcome"]?.string.flatMap(Outcome.init)
    callers = json["callers"]?.integer ?? 0
    staff = json["staff"]?.integer ?? 0
    self.recording = recording
    isHeld = json["held"]?.bool ?? false
  }

  /// Names that are on it, with a `-` in front of those that no longer are.
  private static func json(_ ties: [IncidentTies.Tie]) -> JSONValue? {
    ties.isEmpty ? nil : .array(ties.map { .string($0.isActive ? "+\($0.name)" : "-\($0.name)") })
  }

  private static func ties(_ json: JSONValue?) -> [IncidentTies.Tie] {
    (json?.array ?? []).compactMap(\.string).filter { !$0.isEmpty }.map {
      IncidentTies.Tie(name: String($0.dropFirst()), isActive: $0.hasPrefix("+"))
    }
  }
}
