import Incidents

/// What somebody may find: rows of the permission table, looked up once for all incidents.
package struct SearchRights: Sendable {
  package let facts: PrincipalFacts
  private let list: PermissionTable.Requirement
  private let note: PermissionTable.Requirement
  private let replay: PermissionTable.Requirement
  private let isServer: Bool

  package init(_ facts: PrincipalFacts) {
    self.facts = facts
    list = PermissionTable.requirement(.list, facts.role)
    note = PermissionTable.requirement(.note, facts.role)
    replay = PermissionTable.requirement(.replay, facts.role)
    isServer = facts.role == .system
  }

  /// Whether there is anything at all that they may find.
  package var isAnything: Bool { isServer || list != .never }

  /// Whether they may know of the incident.
  func mayFind(_ relations: Relations) -> Bool { isMet(list, relations) }

  /// Whether what was said in it may lead them to it: those who may write into it, or look back at it.
  ///
  /// Auditors see metadata, and finding by a word tells that it was said.
  func maySearchTalk(_ relations: Relations) -> Bool { isMet(note, relations) || isMet(replay, relations) }

  func mayReplay(_ relations: Relations) -> Bool { isMet(replay, relations) }

  private func isMet(_ requirement: PermissionTable.Requirement, _ relations: Relations) -> Bool {
    if isServer { return true }
    switch requirement {
    case .never: return false
    case .always: return true
    case .relation(let needed): return relations.isSuperset(of: needed)
    }
  }
}
