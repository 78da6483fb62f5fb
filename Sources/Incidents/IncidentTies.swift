import Primitives

/// What permissions ask about an incident: whose it is and who is bound to it.
///
/// Small enough to be kept for incidents that are not in memory.
package struct IncidentTies: Hashable, Sendable {
  /// An account or desk that was put on the incident, or a unit that was sent.
  package struct Tie: Hashable, Sendable {
    package let name: String
    /// False once it was taken off again.
    package let isActive: Bool

    package init(name: String, isActive: Bool) {
      self.name = name
      self.isActive = isActive
    }
  }

  package let id: IncidentID
  /// What became part of it.
  package let absorbed: [IncidentID]
  package let agency: String
  package let isExercise: Bool
  package let accounts: [Tie]
  package let units: [Tie]

  package init(
    id: IncidentID, absorbed: [IncidentID], agency: String, isExercise: Bool, accounts: [Tie], units: [Tie]
  ) {
    self.id = id
    self.absorbed = absorbed
    self.agency = agency
    self.isExercise = isExercise
    self.accounts = accounts
    self.units = units
  }

  /// How somebody stands to the incident.
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
    let names = [facts.actorID, facts.desk].compactMap { $0 }
    return accounts.contains { names.contains($0.name) && $0.isActive }
      || units.contains { $0.name == facts.unit && $0.isActive }
  }

  private func wasStoodDown(_ facts: PrincipalFacts) -> Bool {
    accounts.contains { $0.name == facts.actorID && !$0.isActive }
      || units.contains { $0.name == facts.unit && !$0.isActive }
  }
}
