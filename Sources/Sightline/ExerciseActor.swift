import ControlRoom
import Foundation
import Gateway
import Incidents
import JSON
import Logging
import MediaClient
import Primitives

/// One simulated caller of an exercise: calls, walks about, writes, and answers what staff ask of its page.
struct ExerciseActor: Sendable {
  private let incident: IncidentID
  private let principal: Principal
  private let scenario: ExerciseScenario
  private let place: Int
  private let start: (latitude: Double, longitude: Double)
  private let room: ControlRoom

  /// Between two fixes, two reports of the device, and two lines.
  private static let fixEvery = 8
  private static let deviceEvery = 15
  private static let lineEvery = 20
  private static let metresPerDegree = 111_320.0

  init(_ exercise: Exercise, place: Int, room: ControlRoom) {
    incident = exercise.calls[place]
    scenario = exercise.scenario
    self.place = place
    self.room = room
    // Callers of one event stand around it.
    let angle = Double(place) * 2.4
    start = (
      exercise.latitude + cos(angle) * 25 / Self.metresPerDegree,
      exercise.longitude + sin(angle) * 40 / Self.metresPerDegree
    )
    let id = "\(exercise.id)-\(place + 1)"
    principal = Principal(
      actor: Actor(id: id, role: .caller, name: "Simulated caller \(place + 1)"),
      facts: PrincipalFacts(actorID: id, role: .caller, agency: "", linkedIncident: incident, unit: nil, desk: nil))
  }

  /// Calls and plays the part until the incident is over.
  func perform(clip: Clip, desks: GatewayDesks, logger: Logger) async {
    let asked = AsyncStream<JournalEvent>.makeStream(bufferingPolicy: .bufferingOldest(64))
    let ear = room.observeWhile { [incident] event, _ in
      if event.incident == incident, event.kind == EventKind.command.rawValue { asked.continuation.yield(event) }
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        do {
          let caller = try SimulatedCaller(
            clip: clip, desks: desks, incident: incident, subject: principal.actor.id, name: principal.actor.name,
            logger: logger, prepare: prepare)
          try await caller.callUntilCancelled()
        } catch {
          logger.error("a simulated caller could not call: \(error)")
        }
      }
      group.addTask { await play() }
      group.addTask { for await event in asked.stream { await answer(event) } }
      // Whoever is let in no more has nothing to say either.
      await group.next()
      group.cancelAll()
    }
    room.stopObserving(ear)
  }

  // MARK: - The part

  /// What the page would ask for before it calls.
  private func prepare() async {
    await pause(1)
    await report(.locationOK)
    await locate(seconds: 0)
    await pause(1)
    await report(.cameraOK)
    await report(.connecting)
  }

  private func play() async {
    var second = 0
    while !Task.isCancelled {
      await pause(1)
      second += 1
      if second % Self.fixEvery == 0 { await locate(seconds: second) }
      if second % Self.deviceEvery == 2 { await device(seconds: second) }
      if second % Self.lineEvery == 5 { await write(second / Self.lineEvery) }
    }
  }

  private func write(_ number: Int) async {
    let lines = scenario.lines
    guard number < lines.count else { return }
    await say(.chat, ["text": .string(lines[(number + place) % lines.count]), "language": "en"])
  }

  /// Walks around the place at the scenario's pace, as a phone measures it.
  private func locate(seconds: Int) async {
    let way = scenario.pace * Double(seconds)
    let angle = way / 60 + Double(place)
    let (north, east) = (way * 0.3 + 8 * sin(angle), way * 0.5 + 8 * cos(angle))
    await say(
      .location,
      [
        "caller": .string(principal.actor.id), "source": "device",
        "lat": .number(start.latitude + north / Self.metresPerDegree),
        "lon": .number(
          start.longitude + east / (Self.metresPerDegree * max(0.1, cos(start.latitude * .pi / 180)))),
        "accuracy": .number(6 + 5 * abs(sin(Double(seconds) / 40))), "speed": .number(scenario.pace),
      ])
  }

  private func device(seconds: Int) async {
    let battery = max(0.04, 0.72 - 0.11 * Double(place % 5) - Double(seconds) / 9_000)
    await say(
      .deviceState,
      [
        "caller": .string(principal.actor.id), "battery": .number((battery * 100).rounded() / 100), "charging": false,
        "network": .string(place % 3 == 2 ? "wifi" : "cellular"), "orientation": "landscape", "camera": "back",
        "muted": false, "language": "en",
      ])
  }

  /// Guidance is shown, and Stop ends the call; for the rest a clip has no hands.
  private func answer(_ event: JournalEvent) async {
    guard event.payload["caller"]?.string == principal.actor.id else { return }
    let command = event.payload["command"]?.string.flatMap(CallerCommand.init)
    let status: String
    switch command {
    case .guidance, .showFile: status = "shown"
    case .requestLocation, .stop: status = "done"
    case .switchCamera, .torch, .quality, .stillPhoto, .mute, .shareScreen, nil: status = "unsupported"
    }
    await say(
      .commandResult,
      [
        "caller": .string(principal.actor.id), "command": .integer(event.number), "status": .string(status),
        "detail": .string(status == "unsupported" ? "A simulated caller cannot do that." : "By a simulated caller."),
      ])
    if command == .stop { await report(.ended) }
  }

  private func report(_ stage: CallerStage) async {
    await say(.callerStage, ["caller": .string(principal.actor.id), "stage": .string(stage.rawValue)])
  }

  /// What is refused, since the incident is over for one, is not said.
  private func say(_ kind: EventKind, _ payload: JSONValue) async {
    _ = try? await room.submit(Wish(kind, payload, in: incident, by: principal))
  }

  private func pause(_ seconds: Double) async {
    try? await Task.sleep(for: .seconds(seconds))
  }
}
