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
  package func relations(of facts: PrincipalFacts) -> Relations {
    var relations: Relations = []
    if let linked = facts.linkedIncident, linked == id || absorbed.contains(linked) { relations.insert(.linked) }
    let isAssigned = isAssigned(facts)
    if isAssigned { relations.insert(.assigned) }
    guard !facts.agency.isEmpty, facts.agency == agency else { return relations }
    relations.insert(.agency)
    if isExercise { relations.insert(.exercise) }
    if isAssigned || !wasStoodDown(facts) { relations.insert(.welcome) }
    return relations
  }

  private func isAssigned(_ facts: PrincipalFacts) -> Bool {
    let accounts = [facts.actorID, facts.desk].compactMap { $0 }
    return assignments.contains { accounts.contains($0.account) && $0.until == nil }
      || units.contains { $0.unit == facts.unit && $0.stoodDownAt == nil }
  }

  private func wasStoodDown(_ facts: PrincipalFacts) -> Bool {
    assignments.contains { $0.account == facts.actorID && $0.until != nil }
      || units.contains { $0.unit == facts.unit && $0.stoodDownAt != nil }
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
