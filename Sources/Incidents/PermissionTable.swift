import Primitives

/// What an actor is to one incident, as far as permissions ask.
package struct Relations: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Let in by a link or token that names this incident.
  package static let linked = Relations(rawValue: 1)
  /// Took it, has it on the desk, or belongs to a unit that is on it; ends with standing down.
  package static let assigned = Relations(rawValue: 2)
  /// Belongs to the incident's agency.
  package static let agency = Relations(rawValue: 4)
  /// Belongs to the agency, and the incident is an exercise.
  package static let exercise = Relations(rawValue: 8)
  /// Belongs to the agency and was not stood down from the incident.
  package static let welcome = Relations(rawValue: 16)
}

/// Who may do what: one table, to be read beside DOMAIN's "Roles".
///
/// A cell names the relation to the incident that the role needs: `linked` by a link to it, `assigned` to it, same
/// `agency`, same agency and not stood down (`welcome`), same agency and an `exercise`; `-` is never, `always` needs no
/// incident. The server itself (role `system`) is not asked.
package enum PermissionTable {
  package static let text = """
    action                caller operator dispatcher responder guest  supervisor custodian auditor trainer  admin  device integration
    list                  -      agency   assigned   welcome   -      agency     agency    agency  exercise -      -      agency
    follow                linked agency   assigned   assigned  linked agency     agency    agency  exercise -      -      -
    open                  -      always   -          -         -      always     -         -       always   -      -      always
    classify              -      agency   assigned   -         -      agency     -         -       exercise -      -      -
    progress              -      agency   assigned   -         -      agency     -         -       exercise -      -      -
    merge                 -      agency   -          -         -      agency     -         -       exercise -      -      -
    assign                -      agency   assigned   -         -      agency     -         -       exercise -      -      -
    subscribe             -      -        -          welcome   -      -          -         -       -        -      -      -
    chat                  linked agency   assigned   assigned  linked agency     -         -       exercise -      -      -
    note                  -      agency   assigned   assigned  -      agency     -         -       exercise -      -      -
    triage                -      agency   assigned   assigned  -      agency     -         -       exercise -      -      -
    locate                linked agency   assigned   -         -      agency     -         -       exercise -      -      -
    reportUnit            -      agency   assigned   assigned  -      agency     -         -       exercise -      -      -
    reportCaller          linked -        -          -         -      -          -         -       -        -      -      -
    command               -      agency   -          -         -      agency     -         -       exercise -      -      -
    upload                linked agency   assigned   assigned  -      agency     -         -       exercise -      -      -
    download              linked agency   assigned   assigned  -      agency     agency    -       exercise -      -      -
    watch                 linked agency   assigned   assigned  linked agency     -         -       exercise -      -      -
    publish               linked agency   -          assigned  -      agency     -         -       exercise -      linked -
    reveal                -      agency   assigned   assigned  -      agency     -         -       exercise -      -      -
    snapshot              -      agency   assigned   -         -      agency     -         -       exercise -      -      -
    inviteCaller          -      agency   -          -         -      agency     -         -       exercise -      -      -
    share                 -      agency   assigned   -         -      agency     -         -       exercise -      -      -
    revokeLink            -      agency   assigned   -         -      agency     -         -       exercise -      -      -
    train                 -      -        -          -         -      always     -         -       always   -      -      -
    export                -      agency   assigned   assigned  -      agency     agency    agency  exercise -      -      agency
    reportNetworkLocation -      -        -          -         -      -          -         -       -        -      -      always
    replay                -      assigned -          -         -      agency     agency    -       exercise -      -      -
    requestExport         -      -        -          -         -      agency     agency    -       -        -      -      -
    approveExport         -      -        -          -         -      agency     agency    -       -        -      -      -
    hold                  -      -        -          -         -      agency     agency    -       -        -      -      -
    audit                 -      -        -          -         -      always     always    always  -        -      -      -
    manageAccounts        -      -        -          -         -      -          -         -       -        always -      -
    manageSettings        -      -        -          -         -      -          -         -       -        always -      -
    seeHealth             -      -        -          -         -      always     -         -       -        always -      -
    """

  /// What a cell asks for.
  package enum Requirement: Hashable, Sendable {
    case never
    case always
    case relation(Relations)
  }

  /// Whether somebody with `role` who stands to an incident in `relations` may do `action`.
  package static func allows(_ action: Action, role: Role, relations: Relations) -> Bool {
    if role == .system { return true }
    switch requirement(action, role) {
    case .never: return false
    case .always: return true
    case .relation(let needed): return relations.isSuperset(of: needed)
    }
  }

  /// The cell.
  package static func requirement(_ action: Action, _ role: Role) -> Requirement {
    cells[Cell(action: action, role: role)] ?? .never
  }

  private struct Cell: Hashable {
    let action: Action
    let role: Role
  }

  private static let words: [Substring: Requirement] = [
    "-": .never, "always": .always, "linked": .relation(.linked), "assigned": .relation(.assigned),
    "agency": .relation(.agency), "welcome": .relation(.welcome), "exercise": .relation(.exercise),
  ]

  /// Reads the table once; a word that it does not know is a bug that every test meets at once.
  private static let cells: [Cell: Requirement] = {
    var cells: [Cell: Requirement] = [:]
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    let roles = lines[0].dropFirst().map { name in
      guard let role = Role(rawValue: String(name)) else { preconditionFailure("no such role: \(name)") }
      return role
    }
    for line in lines.dropFirst() {
      guard let action = Action(rawValue: String(line[0])), line.count == roles.count + 1 else {
        preconditionFailure("a row of the permission table is wrong: \(line[0])")
      }
      for (role, word) in zip(roles, line.dropFirst()) {
        guard let requirement = words[word] else { preconditionFailure("no such requirement: \(word)") }
        cells[Cell(action: action, role: role)] = requirement
      }
    }
    return cells
  }()
}
