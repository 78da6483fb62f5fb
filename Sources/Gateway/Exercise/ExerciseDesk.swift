import ControlRoom
import Incidents
import JSON
import Primitives
import Synchronization

/// A training with simulated callers.
package struct Exercise: Hashable, Sendable {
  package let id: String
  package let agency: String
  package let startedBy: Actor
  package let startedAt: UTCTime
  /// When it ends by itself.
  package let endsAt: UTCTime
  package let scenario: ExerciseScenario
  /// Each simulated caller's incident, in the order in which they call.
  package let calls: [IncidentID]
  /// Degrees, WGS 84: where it plays.
  package let latitude: Double
  package let longitude: Double

  /// The incidents, each once.
  package var incidents: [IncidentID] {
    calls.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}

/// Plays the callers of an exercise: the node does, with real connections.
package protocol ExercisePlayers: Sendable {
  /// Begins; returns at once. The callers leave when their incidents are over.
  func play(_ exercise: Exercise)
}

/// Starts, lists and ends exercises.
///
/// What they leave is incidents like any other, marked as exercises.
package final class ExerciseDesk: Sendable {
  private struct State {
    var running: [Exercise] = []
    var players: (any ExercisePlayers)?
  }

  private let state = Mutex(State())
  private let room: ControlRoom

  /// Simulated callers of one exercise, and of all of them.
  package static let callers = 1...8
  static let maximumCallers = 16
  /// Minutes until an exercise ends by itself.
  package static let minutes = 1...60
  package static let standardMinutes = 20
  /// Where it plays when nothing is said: the harbour of Hamburg.
  private static let standardPlace = (latitude: 53.5436, longitude: 9.9668)

  init(room: ControlRoom) {
    self.room = room
  }

  /// Says who plays the callers; without it there are none.
  package func use(_ players: any ExercisePlayers) {
    state.withLock { $0.players = players }
  }

  /// What somebody wants to train.
  struct Order {
    var callers: Int
    var priority: Priority
    var type: String?
    var scenario: ExerciseScenario
    var minutes: Int
    /// Whether each caller has an incident of their own.
    var isApart: Bool
    var place: JSONValue?
  }

  /// Opens the incidents and has the callers call.
  func start(_ order: Order, by principal: Principal) async throws(Refusal) -> Exercise {
    guard let players = state.withLock({ $0.players }) else {
      throw Refusal(.wrongState, "This server has no simulated callers.")
    }
    try checkRoom(for: order.callers)
    var calls: [IncidentID] = []
    for number in 0..<order.callers {
      calls.append(number == 0 || order.isApart ? try await open(order, by: principal) : calls[0])
    }
    let now = room.clock.wall()
    var random = RandomSource.system
    let exercise = Exercise(
      id: "x-\(Hex.encode(random.bytes(6)))", agency: principal.facts.agency, startedBy: principal.actor,
      startedAt: now,
      endsAt: now + .seconds(Double(order.minutes) * 60), scenario: order.scenario, calls: calls,
      latitude: order.place?["lat"]?.double ?? Self.standardPlace.latitude,
      longitude: order.place?["lon"]?.double ?? Self.standardPlace.longitude)
    state.withLock { $0.running.append(exercise) }
    players.play(exercise)
    return exercise
  }

  private func checkRoom(for callers: Int) throws(Refusal) {
    let taken = running.reduce(0) { $0 + $1.calls.count }
    guard taken + callers <= Self.maximumCallers else {
      throw Refusal(
        .full, "There are \(taken) simulated callers already, of \(Self.maximumCallers). Stop another exercise first.")
    }
  }

  private func open(_ order: Order, by principal: Principal) async throws(Refusal) -> IncidentID {
    let drafts: [EventDraft]
    do throws(IncidentError) {
      drafts = try Incident.openingDrafts(
        agency: principal.facts.agency, priority: order.priority, type: order.type ?? order.scenario.type,
        place: order.place, exercise: true, origin: "operator")
    } catch {
      throw Refusal(error)
    }
    return try await room.open(drafts, by: principal)
  }

  // MARK: - Running

  /// Exercises with an incident that is not over; what is over is forgotten.
  private var running: [Exercise] {
    state.withLock { state in
      state.running.removeAll { $0.incidents.allSatisfy(room.isClosed) }
      return state.running
    }
  }

  /// The agency's, newest first.
  func running(of agency: String) -> [Exercise] {
    running.filter { $0.agency == agency }.sorted { $0.startedAt > $1.startedAt }
  }

  /// Ends an exercise's incidents, and with them its calls.
  func stop(_ id: String, by principal: Principal) async throws(Refusal) {
    guard let exercise = running(of: principal.facts.agency).first(where: { $0.id == id }) else {
      throw Refusal(.notFound, "There is no such exercise; it may be over.")
    }
    for incident in exercise.incidents where !room.isClosed(incident) {
      _ = try await room.submit(Self.end(of: incident, by: principal, isServer: false))
    }
  }

  /// Ends an exercise whose time is over.
  package func expire(_ exercise: Exercise) async {
    for incident in exercise.incidents where !room.isClosed(incident) {
      _ = try? await room.submit(Self.end(of: incident, by: .system, isServer: true))
    }
  }

  private static func end(of incident: IncidentID, by principal: Principal, isServer: Bool) -> Wish {
    Wish(
      .stateChanged,
      [
        "state": .string(IncidentState.ended.rawValue), "outcome": .string(Outcome.handled.rawValue),
        "reason": "The exercise is over.",
      ], in: incident, by: principal, isServer: isServer)
  }

  /// How an exercise stands, with its callers' stages.
  func view(_ exercise: Exercise) -> JSONValue {
    let incidents = exercise.incidents.map { id -> JSONValue in
      .members([
        "id": .string(id.value), "open": .bool(!room.isClosed(id)),
        "callers": .integer(exercise.calls.count { $0 == id }),
      ])
    }
    return [
      "id": .string(exercise.id), "scenario": .string(exercise.scenario.rawValue),
      "title": .string(exercise.scenario.title), "startedBy": exercise.startedBy.json,
      "startedAt": .string(exercise.startedAt.description), "endsAt": .string(exercise.endsAt.description),
      "callers": .integer(exercise.calls.count), "incidents": .array(incidents),
    ]
  }
}
