import Incidents
import JSON
import Primitives
import Storage

// Merges concern two journals: what ends in one goes on in the other.

extension IncidentDesk {
  /// Holds a merge against the incident that is to go on.
  ///
  /// It has to be there for whoever asks, open, of the same agency, and as real as the other. Since only an open one is
  /// merged into, chains of merges have no circle.
  func authorizeMerge(of incident: Incident, into target: Incident?, _ wish: Wish) throws(Refusal) {
    guard let target else { throw .unknownIncident }
    if !wish.isServer {
      let relations = target.relations(of: wish.principal.facts)
      guard PermissionTable.allows(.follow, role: wish.principal.role, relations: relations) else {
        throw .unknownIncident
      }
      guard PermissionTable.allows(.merge, role: wish.principal.role, relations: relations) else { throw .forbidden }
    }
    guard !target.state.isClosed else {
      throw Refusal(.wrongState, "Incident \(target.id) is \(target.state.rawValue). Merge into one that is open.")
    }
    guard target.agency == incident.agency, target.isExercise == incident.isExercise else {
      throw Refusal(.wrongState, "Incidents of two agencies, or an exercise and a real one, cannot become one.")
    }
  }

  /// Tells open incidents what was merged into them, where the server was stopped between the two halves.
  func finishMerges(_ merges: [(from: IncidentID, into: IncidentID)]) async throws(Refusal) {
    for merge in merges {
      guard let target = current(merge.into), !target.state.isClosed, !target.absorbed.contains(merge.from),
        target.absorbed.count < Incident.maximumAbsorbed
      else { continue }
      // One that cannot be read must not keep the others from being worked on.
      guard (try? await load(merge.from)) != nil, let from = current(merge.from) else { continue }
      _ = try await submit(Wish(.absorbed, from.absorption(), in: merge.into, by: .system, isServer: true))
    }
  }
}
