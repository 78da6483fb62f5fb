import Incidents
import MediaServer
import Primitives

// What somebody may send and see, derived from the permission table and the incident as it stands.

extension Incident {
  /// The directions of media that are open to `principal` now; none in a closed incident.
  package func mediaPermissions(of principal: Principal) -> MediaPermissions {
    guard !state.isClosed else { return [] }
    let relations = relations(of: principal.facts)
    var permissions: MediaPermissions = []
    if PermissionTable.allows(.publish, role: principal.role, relations: relations) { permissions.insert(.publish) }
    if PermissionTable.allows(.watch, role: principal.role, relations: relations) { permissions.insert(.subscribe) }
    return permissions.intersection(principal.directions)
  }
}

extension Priority {
  /// As the media plane counts: 1 is the most urgent.
  package var rank: Int {
    switch self {
    case .p1: 1
    case .p2: 2
    case .p3: 3
    case .p4: 4
    }
  }
}

extension ControlRoom {
  /// How urgent the media of an incident in memory is, 1 (most) to 4; the least urgent for one that is not there.
  package func mediaPriority(of incident: IncidentID) -> Int { (desk.current(incident)?.priority ?? .p4).rank }

  /// Where `principal` would meet the others of `incident`, and what they may send and see there.
  ///
  /// A merged incident's media is that of the incident that goes on.
  package func mediaRights(
    of principal: Principal, in incident: IncidentID
  ) async throws(Refusal) -> (incident: IncidentID, permissions: MediaPermissions) {
    _ = try await loaded(incident)
    let destination = desk.destination(of: incident)
    let present = try await loaded(destination)
    let permissions = present.mediaPermissions(of: principal)
    guard permissions.isEmpty else { return (destination, permissions) }
    let relations = present.relations(of: principal.facts)
    guard PermissionTable.allows(.follow, role: principal.role, relations: relations) else { throw .unknownIncident }
    guard !present.state.isClosed else {
      throw Refusal(.wrongState, "The incident is \(present.state.rawValue): there is no live picture any more.")
    }
    throw .forbidden
  }

  /// As ``mediaRights(of:in:)`` for sessions that run, out of what is in memory; none when it is not there.
  package func presentMediaRights(of principal: Principal, in incident: IncidentID) -> MediaPermissions {
    guard desk.destination(of: incident) == incident else { return [] }
    return desk.current(incident)?.mediaPermissions(of: principal) ?? []
  }

  /// Notes that somebody's peer began or ceased to receive media; others are told, and the journal keeps it.
  package func noteWatching(_ actor: Actor, in incident: IncidentID, isWatching: Bool) async {
    guard presence.noteWatching(actor, in: incident, isWatching ? 1 : -1) else { return }
    _ = try? await submit(
      Wish(
        .watching,
        [
          "on": .bool(isWatching), "account": .string(actor.id), "role": .string(actor.role.rawValue),
          "name": .string(actor.name),
        ], in: incident, by: .system, isServer: true))
  }
}
