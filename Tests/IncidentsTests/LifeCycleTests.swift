import Incidents
import JSON
import Primitives
import Testing

/// DOMAIN, "Incident": `new -> queued -> active -> monitored -> ended`, plus `reopened`, `merged`, `cancelled`.
@Suite("Life cycle")
struct LifeCycleTests {
  /// Where each state may lead; `merged` is a wish of its own, `new` is where it begins.
  static let expected: [IncidentState: Set<IncidentState>] = [
    .new: [.queued, .active, .ended, .cancelled],
    .queued: [.active, .ended, .cancelled],
    .active: [.queued, .monitored, .ended, .cancelled],
    .monitored: [.active, .ended, .cancelled],
    .ended: [.reopened],
    .reopened: [.active, .monitored, .ended, .cancelled],
    .merged: [],
    .cancelled: [.reopened],
  ]

  private static func story(in state: IncidentState) throws -> Story {
    var story = try Story()
    switch state {
    case .new: break
    case .merged: story.write(EventKind.merged.rawValue, ["into": "other"])
    case .queued, .active, .monitored, .ended, .reopened, .cancelled:
      story.write(EventKind.stateChanged.rawValue, ["state": .string(state.rawValue)])
    }
    try #require(story.incident.state == state)
    return story
  }

  @Test("from each state to each", arguments: IncidentState.allCases, IncidentState.allCases)
  func transition(from: IncidentState, to: IncidentState) throws {
    var story = try Self.story(in: from)
    let payload: JSONValue = ["state": .string(to.rawValue), "outcome": "handled"]
    if to == .merged || to == .new {
      #expect(story.refusal(.stateChanged, payload) == .badPayload)
    } else if from == to {
      #expect(try story.add(.stateChanged, payload) == 0, "it is so already")
    } else if Self.expected[from]?.contains(to) == true {
      #expect(try story.add(.stateChanged, payload) == 1)
      #expect(story.incident.state == to)
      #expect((story.incident.endedAt != nil) == to.isClosed)
      #expect(story.incident.outcome == (to.isClosed ? .handled : nil))
    } else {
      #expect(story.refusal(.stateChanged, payload) == .wrongState)
    }
  }

  @Test func endingNeedsAnOutcome() throws {
    let story = try Self.story(in: .active)
    #expect(story.refusal(.stateChanged, ["state": "ended"]) == .badPayload)
    #expect(story.refusal(.stateChanged, ["state": "cancelled"]) == nil)
  }

  @Test("what is over takes no new work", arguments: [IncidentState.ended, .merged, .cancelled])
  func closed(state: IncidentState) throws {
    var story = try Story.full()
    story.write(
      state == .merged ? EventKind.merged.rawValue : EventKind.stateChanged.rawValue,
      ["state": .string(state.rawValue), "into": "x"])
    let refused: [(EventKind, JSONValue)] = [
      (.chat, ["text": "hi"]), (.assigned, ["account": "a", "role": "operator", "name": "A"]),
      (.unitAssigned, ["unit": "u"]), (.classified, ["priority": "P1"]), (.merged, ["into": "other"]),
      (.location, Story.location("c1", 1, 1)), (.command, ["caller": "c1", "command": "torch", "argument": "true"]),
      (.linkCreated, ["link": "l", "role": "guest", "expires": "2027-01-01T00:00:00Z"]),
      (.callerAdded, ["caller": "c3"]), (.callerStage, ["caller": "c1", "stage": "live"]), (.triage, ["fields": [:]]),
      (.revealed, ["on": true]), (.typing, ["on": true]),
    ]
    for (kind, payload) in refused { #expect(story.refusal(kind, payload) == .wrongState, "\(kind)") }
    let taken: [(EventKind, JSONValue)] = [
      (.note, ["text": "afterwards"]), (.chatRead, ["upTo": 1]), (.linkRevoked, ["link": "l1"]),
      (.unitStoodDown, ["unit": "medic-7"]), (.unassigned, ["account": "op-1"]),
      (.callerStage, ["caller": "c1", "stage": "ended"]), (.fileAdded, Story.file("f3", visibility: nil)),
      (.absorbed, ["from": "y", "callers": []]),
    ]
    for (kind, payload) in taken { #expect(story.refusal(kind, payload) == nil, "\(kind)") }
  }

  @Test func prioritiesAreOrdered() {
    #expect(Priority.p1 < .p2 && .p2 < .p3 && .p3 < .p4)
  }
}
