import ControlRoom
import Incidents
import MediaServer
import Primitives

/// Keeps media to what the permission table says now: whoever loses a right loses the picture at once.
struct MediaFollower: Sendable {
  let room: ControlRoom
  let sessions: SessionDirectory
  let signaller: Signaller

  /// Kinds after which somebody may have lost a right; the rest of the events cost nothing here.
  private static let telling: Set<String> = Set(
    [
      EventKind.stateChanged, .merged, .assigned, .unassigned, .unitAssigned, .unitStatus, .unitStoodDown, .linkRevoked,
    ].map(\.rawValue))

  /// Begins to follow.
  func start() {
    room.observe { event, _ in
      if Self.telling.contains(event.kind) { Task { await review(event.incident) } }
    }
    room.observeDisconnections { owner, refusal in
      Task { await end(sessions.all { owner.owns($0.principal) }, refusal.text) }
    }
  }

  /// Ends the sessions of an incident that may not go on as they are.
  private func review(_ incident: IncidentID) async {
    let lost = sessions.all { session in
      session.incident == incident
        && !room.presentMediaRights(of: session.principal, in: incident).isSuperset(of: session.permissions)
    }
    await end(lost, reason(for: incident))
  }

  private func end(_ sessions: [SignallingSession], _ reason: String) async {
    for session in sessions { await signaller.disconnect(session.peer, reason: reason) }
  }

  private func reason(for incident: IncidentID) -> String {
    let destination = room.destination(of: incident)
    return destination == incident
      ? "you no longer belong to this incident, or it is over" : "merged into \(destination)"
  }
}
