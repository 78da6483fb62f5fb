import Primitives

/// What permissions and visibility ask about somebody.
package struct PrincipalFacts: Hashable, Sendable {
  package let actorID: String
  package let role: Role
  /// The agency whose account it is; empty for bearers of links.
  package let agency: String
  /// The incident that their link names.
  package let linkedIncident: IncidentID?
  /// The unit that they belong to.
  package let unit: String?
  /// The desk that they sit at.
  package let desk: String?

  package init(
    actorID: String, role: Role, agency: String, linkedIncident: IncidentID?, unit: String?, desk: String?
  ) {
    self.actorID = actorID
    self.role = role
    self.agency = agency
    self.linkedIncident = linkedIncident
    self.unit = unit
    self.desk = desk
  }
}

extension Incident {
  /// How somebody stands to this incident.
  package func relations(of facts: PrincipalFacts) -> Relations { ties.relations(of: facts) }

  /// Who is bound to it, and whose it is.
  package var ties: IncidentTies {
    IncidentTies(
      id: id, absorbed: absorbed, agency: agency, isExercise: isExercise,
      accounts: assignments.map { .init(name: $0.account, isActive: $0.until == nil) },
      units: units.map { .init(name: $0.unit, isActive: $0.stoodDownAt == nil) })
  }
}

extension EventKind {
  /// Kinds that a caller sees of themselves only.
  private static let personal: Set<EventKind> = [.command, .commandResult, .location, .callerStage, .callerAdded]

  /// Whether somebody gets to see an event; kinds of a newer program are for staff alone.
  package static func isVisible(_ event: JournalEvent, to facts: PrincipalFacts) -> Bool {
    let audience = Audience(facts.role)
    guard let kind = EventKind(rawValue: event.kind) else { return !audience.isDisjoint(with: .control) }
    guard !kind.audience(of: event.payload).isDisjoint(with: audience) else { return false }
    guard facts.role == .caller, personal.contains(kind) else { return true }
    return event.payload["caller"]?.string == facts.actorID
  }
}
