import Incidents
import MediaServer
import Primitives

/// Somebody who has proved who they are, by account or by link.
package struct Principal: Hashable, Sendable {
  package let actor: Actor
  /// What permissions ask about them.
  package let facts: PrincipalFacts
  /// What a link lets its bearer do with media at most; accounts are bound by the permission table alone.
  package let directions: MediaPermissions
  /// The link that they came by.
  package let link: String?
  /// The session or bearer token that they came in by, as it is stored; what it opened ends with it.
  package let credential: String?

  package var role: Role { actor.role }

  package init(
    actor: Actor, facts: PrincipalFacts, directions: MediaPermissions = [.publish, .subscribe], link: String? = nil,
    credential: String? = nil
  ) {
    self.actor = actor
    self.facts = facts
    self.directions = directions
    self.link = link
    self.credential = credential
  }

  /// The server itself.
  package static let system = Principal(
    actor: .system,
    facts: PrincipalFacts(
      actorID: Actor.system.id, role: .system, agency: "", linkedIncident: nil, unit: nil, desk: nil))
}
