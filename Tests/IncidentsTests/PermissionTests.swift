import Incidents
import Primitives
import Testing

/// The permission table against an expectation of its own, derived from DOMAIN's "Roles" and the list of who may
/// what; every cell is walked with every set of relations.
@Suite("Permissions")
struct PermissionTests {
  /// What somebody has to be to an incident.
  enum Need { case linked, agency, assigned, welcome, exercise, anywhere }

  /// One role: what it may do under which condition; what is not listed it may never do.
  static func expectation(_ role: Role) -> [Need: Set<Action>] {
    switch role {
    case .caller:
      // "caller (link): own [live video], plus what the operator sends; own incident [chat, location, notes]; - - -"
      // Not notes: those are the team's (Audience). Files that the operator sends are downloaded.
      [.linked: [.follow, .chat, .locate, .reportCaller, .upload, .download, .watch, .publish]]
    case .operator:
      // "operator (call-taker): incidents of the agency; reveal | yes | own calls [replay] | - | own [audit]"
      // Own audit is not a right over others' and so no cell of this table. Opening needs no incident.
      [
        .agency: [
          .list, .follow, .classify, .progress, .merge, .assign, .chat, .note, .triage, .locate, .reportUnit, .command,
          .upload, .download, .watch, .publish, .reveal, .snapshot, .inviteCaller, .share, .revokeLink, .export,
        ],
        .assigned: [.replay],
        .anywhere: [.open],
      ]
    case .dispatcher:
      // "dispatcher: incidents assigned to the desk | yes | - | - | -"; the caller is the operator's: no commands, no
      // pictures to the caller, no link to a caller, no merging of what belongs to other desks.
      [
        .assigned: [
          .list, .follow, .classify, .progress, .assign, .chat, .note, .triage, .locate, .reportUnit, .upload,
          .download, .watch, .reveal, .snapshot, .share, .revokeLink, .export,
        ]
      ]
    case .responder:
      // "responder: incidents subscribed or assigned, until stood down; … | location, notes, chat | - | - | -"
      [
        .welcome: [.list, .subscribe],
        .assigned: [
          .follow, .chat, .note, .triage, .reportUnit, .upload, .download, .watch, .publish, .reveal, .export,
        ],
      ]
    case .guest:
      // "guest (hospital, expert; expiring link): one incident, no download | minimal | - | - | -"
      [.linked: [.follow, .chat, .watch]]
    case .supervisor:
      // "supervisor: all of the agency; presence is announced | yes | yes, with a reason | request and approve | view"
      [
        .agency: [
          .list, .follow, .classify, .progress, .merge, .assign, .chat, .note, .triage, .locate, .reportUnit, .command,
          .upload, .download, .watch, .publish, .reveal, .snapshot, .inviteCaller, .share, .revokeLink, .export,
          .replay, .requestExport, .approveExport, .hold,
        ],
        .anywhere: [.open, .train, .audit, .seeHealth],
      ]
    case .custodian:
      // "custodian (evidence): - | - | yes | yes; a second person approves | view"; replaying reads the journal (follow) and
      // its files. No live video, no say.
      [
        .agency: [.list, .follow, .download, .export, .replay, .requestExport, .approveExport, .hold],
        .anywhere: [.audit],
      ]
    case .auditor:
      // "auditor: - | - | metadata; video by grant | - | all, read only"
      [.agency: [.list, .follow, .export], .anywhere: [.audit]]
    case .trainer:
      // "trainer: exercise data only | exercise | exercise | - | -": an operator's rights, and replay, over exercises.
      [
        .exercise: [
          .list, .follow, .classify, .progress, .merge, .assign, .chat, .note, .triage, .locate, .reportUnit, .command,
          .upload, .download, .watch, .publish, .reveal, .snapshot, .inviteCaller, .share, .revokeLink, .export,
          .replay,
        ],
        .anywhere: [.open, .train],
      ]
    case .admin:
      // "admin: - | - | - | - | users, settings, health"
      [.anywhere: [.manageAccounts, .manageSettings, .seeHealth]]
    case .device:
      // "WHIP in, so that cameras, drones, OBS and GStreamer work unchanged": publishes into the incident of its link.
      [.linked: [.publish]]
    case .integration:
      // The issue: AML "posted by a gateway", EIDO out, webhooks "for CAD systems": reads and opens, sees nobody's picture.
      [.agency: [.list, .export], .anywhere: [.open, .reportNetworkLocation]]
    case .system:
      [.anywhere: Set(Action.allCases)]
    }
  }

  static func isMet(_ need: Need, _ relations: Relations) -> Bool {
    switch need {
    case .linked: relations.contains(.linked)
    case .agency: relations.contains(.agency)
    case .assigned: relations.contains(.assigned)
    case .welcome: relations.contains(.welcome)
    case .exercise: relations.contains(.exercise)
    case .anywhere: true
    }
  }

  @Test("every action of the role with every set of relations", arguments: Role.allCases)
  func cells(role: Role) {
    let expected = Self.expectation(role)
    for action in Action.allCases {
      for raw in UInt8(0)..<32 {
        let relations = Relations(rawValue: raw)
        let isAllowed = expected.contains { need, actions in actions.contains(action) && Self.isMet(need, relations) }
        #expect(
          PermissionTable.allows(action, role: role, relations: relations) == isAllowed,
          "\(role.rawValue) \(action.rawValue) with relations \(raw)")
      }
    }
  }

  @Test("the written table names every action and every role but the server's")
  func tableIsWhole() {
    let lines = PermissionTable.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.dropFirst().map { $0[0] } == Action.allCases.map(\.rawValue))
    #expect(Set(lines[0].dropFirst()) == Set(Role.allCases.map(\.rawValue)).subtracting(["system"]))
  }

  // MARK: - Relations

  @Test func linksLeadToTheirIncidentAndToWhereItWentOn() throws {
    var story = try Story("one")
    #expect(story.incident.relations(of: facts(.caller, "c", agency: "", linked: "one")) == .linked)
    #expect(story.incident.relations(of: facts(.caller, "c", agency: "", linked: "two")) == [])
    try story.add(.absorbed, ["from": "two", "callers": [], "also": ["three"]])
    #expect(story.incident.relations(of: facts(.caller, "c", agency: "", linked: "two")) == .linked)
    #expect(story.incident.relations(of: facts(.caller, "c", agency: "", linked: "three")) == .linked)
  }

  @Test func agenciesAreApart() throws {
    let real = try Story().incident
    let exercise = try Story(exercise: true).incident
    #expect(real.relations(of: facts(.operator)) == [.agency, .welcome])
    #expect(real.relations(of: facts(.operator, agency: "rural")) == [])
    #expect(exercise.relations(of: facts(.trainer)) == [.agency, .exercise, .welcome])
    #expect(exercise.relations(of: facts(.trainer, agency: "rural")) == [])
    #expect(real.relations(of: facts(.guest, agency: "")) == [], "an empty agency is nobody's")
  }

  @Test func assignmentByAccountDeskOrUnitEndsWithStandingDown() throws {
    var story = try Story()
    let responder = facts(.responder, "r1", unit: "medic-7")
    #expect(story.incident.relations(of: responder) == [.agency, .welcome])
    try story.add(.unitAssigned, ["unit": "medic-7"])
    #expect(story.incident.relations(of: responder) == [.agency, .assigned, .welcome])
    #expect(story.incident.relations(of: facts(.responder, "r2")) == [.agency, .welcome], "no unit is not a unit")
    try story.add(.unitStoodDown, ["unit": "medic-7"])
    #expect(story.incident.relations(of: responder) == .agency, "not welcome to come back by themselves")
    try story.add(.unitAssigned, ["unit": "medic-7"])
    #expect(story.incident.relations(of: responder).contains(.assigned))
    try story.add(.unitStatus, ["unit": "medic-7", "status": "available"])
    #expect(story.incident.relations(of: responder) == .agency)

    try story.add(.assigned, ["account": "desk-1", "role": "dispatcher", "name": "Desk 1"])
    let dispatcher = facts(.dispatcher, "d1", desk: "desk-1")
    #expect(story.incident.relations(of: dispatcher).contains(.assigned))
    try story.add(.unassigned, ["account": "desk-1"])
    #expect(!story.incident.relations(of: dispatcher).contains(.assigned))
  }
}
