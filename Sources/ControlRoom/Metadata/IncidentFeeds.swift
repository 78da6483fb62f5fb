import Incidents
import JSON
import Primitives
import Synchronization

/// Lists of incidents that keep themselves up to date: of the agency, of a unit, or of an area.
final class IncidentFeeds: Sendable {
  private let feeds = Mutex<[ObjectIdentifier: IncidentFeed]>([:])

  init(limits: ControlRoomLimits) {}

  func add(_ feed: IncidentFeed) {
    feeds.withLock { $0[ObjectIdentifier(feed)] = feed }
  }

  func remove(_ feed: IncidentFeed) {
    feeds.withLock { $0[ObjectIdentifier(feed)] = nil }
  }

  /// Tells every feed that the incident belongs to how it stands, if `event` is one of those that can change that.
  ///
  /// Most events are talk and fixes; only lists of an area ask where an incident is.
  func publish(_ event: JournalEvent, _ incident: Incident) {
    guard let kind = EventKind(rawValue: event.kind), Self.changing.contains(kind) else { return }
    let concerned = feeds.withLock { feeds in feeds.values.filter { kind != .location || $0.scope.isPlace } }
    guard !concerned.isEmpty else { return }
    let standing = IncidentStanding(incident)
    for feed in concerned { feed.take(standing) }
  }

  /// Kinds that change the summary, the place, or who may know of an incident.
  static let changing: Set<EventKind> = [
    .opened, .stateChanged, .classified, .merged, .absorbed, .assigned, .unassigned, .unitAssigned, .unitStatus,
    .unitStoodDown, .callerAdded, .callerStage, .location,
  ]
}

/// How an incident stands, made out once for all feeds.
struct IncidentStanding {
  let incident: Incident
  let summary: JSONValue
  let point: (latitude: Double, longitude: Double, radius: Double)?
  /// The message that lists it.
  let text: String

  init(_ incident: Incident) {
    self.incident = incident
    summary = incident.summary
    point = incident.point
    text = ServerMetadata.listed(incident.id, summary)
  }
}

/// Which incidents a feed is about.
package enum FeedScope: Hashable, Sendable {
  /// All that its reader may know of.
  case agency
  /// Those that a unit is on.
  case unit(String)
  /// Those within so many metres of a point, degrees WGS 84.
  case area(latitude: Double, longitude: Double, radius: Double)

  /// Largest radius, metres.
  package static let maximumRadius = 500_000.0

  /// Whether it asks where incidents are.
  var isPlace: Bool {
    switch self {
    case .agency, .unit: false
    case .area: true
    }
  }

  func contains(_ standing: IncidentStanding) -> Bool {
    switch self {
    case .agency: return true
    case .unit(let unit): return standing.incident.units.contains { $0.unit == unit && $0.stoodDownAt == nil }
    case .area(let latitude, let longitude, let radius):
      guard let point = standing.point else { return false }
      return Geodesy.distance(latitude, longitude, point.latitude, point.longitude) <= radius
    }
  }
}

/// One reader's list.
final class IncidentFeed: Sendable {
  let scope: FeedScope
  let principal: Principal
  private let sink: any MetadataSink
  /// Told of incidents that come into the scope, once each.
  private let onEntry: @Sendable (IncidentID) -> Void
  private let listed = Mutex(Listed())

  private struct Listed {
    struct Row {
      /// Number of the last event that it tells of; what is older comes late and is passed over.
      let number: Int
      /// Nil once it no longer belongs here.
      let summary: JSONValue?
    }

    var rows: [IncidentID: Row] = [:]
    /// Until the first listing is over, what does not belong here is remembered, so that the listing cannot bring it back.
    var isListing = true
  }

  init(
    _ scope: FeedScope, principal: Principal, sink: any MetadataSink, onEntry: @escaping @Sendable (IncidentID) -> Void
  ) {
    self.scope = scope
    self.principal = principal
    self.sink = sink
    self.onEntry = onEntry
  }

  /// Sends the incident's summary if it belongs here and says something new, or that it no longer belongs.
  func take(_ standing: IncidentStanding) {
    let incident = standing.incident
    let isIn =
      scope.contains(standing)
      && PermissionTable.allows(.list, role: principal.role, relations: incident.relations(of: principal.facts))
    // With its type: a bare `nil` beside a JSONValue would be JSON's null.
    let summary: JSONValue? = isIn ? standing.summary : .none
    let isEntry = listed.withLock { listed in
      let before = listed.rows[incident.id]
      guard before.map({ $0.number <= incident.number }) ?? true else { return false }
      let isOver = !isIn || incident.state.isClosed
      let isRemembered = !isOver || listed.isListing
      listed.rows[incident.id] = isRemembered ? Listed.Row(number: incident.number, summary: summary) : nil
      guard before?.summary != summary else { return false }
      // Under the lock, so that two of them cannot overtake each other.
      sink.send(isIn ? standing.text : ServerMetadata.listed(incident.id, nil), taken: { _ in })
      return before?.summary == nil && !isOver
    }
    if isEntry { onEntry(incident.id) }
  }

  /// The incidents that were there already have been taken.
  func finishListing() {
    listed.withLock { listed in
      listed.isListing = false
      listed.rows = listed.rows.filter { $0.value.summary != nil && $0.value.summary?["endedAt"] == nil }
    }
  }
}
