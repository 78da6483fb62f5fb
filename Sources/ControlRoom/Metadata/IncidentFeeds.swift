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

  /// Tells every feed that the incident belongs to how it stands.
  func publish(_ incident: Incident) {
    for feed in feeds.withLock({ Array($0.values) }) { feed.take(incident) }
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

  func contains(_ incident: Incident) -> Bool {
    switch self {
    case .agency: return true
    case .unit(let unit): return incident.units.contains { $0.unit == unit && $0.stoodDownAt == nil }
    case .area(let latitude, let longitude, let radius):
      guard let point = incident.point else { return false }
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
  private let listed = Mutex<[IncidentID: JSONValue]>([:])

  init(
    _ scope: FeedScope, principal: Principal, sink: any MetadataSink, onEntry: @escaping @Sendable (IncidentID) -> Void
  ) {
    self.scope = scope
    self.principal = principal
    self.sink = sink
    self.onEntry = onEntry
  }

  /// Sends the incident's summary if it belongs here and says something new, or that it no longer belongs.
  func take(_ incident: Incident) {
    let isIn =
      scope.contains(incident)
      && PermissionTable.allows(.list, role: principal.role, relations: incident.relations(of: principal.facts))
    let summary = isIn ? incident.summary : nil
    let (isNew, text) = listed.withLock { listed -> (Bool, String?) in
      let before = listed[incident.id]
      guard before != summary else { return (false, nil) }
      listed[incident.id] = incident.state.isClosed ? nil : summary
      return (before == nil, ServerMetadata.listed(incident.id, summary))
    }
    if let text { sink.send(text, taken: { _ in }) }
    if isNew, isIn, !incident.state.isClosed { onEntry(incident.id) }
  }
}
