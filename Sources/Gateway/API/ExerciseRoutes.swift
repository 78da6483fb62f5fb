import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON

/// Training: simulated callers call, and everything else is as always.
enum ExerciseRoutes {
  private static let tag = "exercises"

  private static let order = Schema.object([
    .required("callers", .integer(ExerciseDesk.callers), "How many simulated callers."),
    .required("priority", .choice(Priority.allCases.map(\.rawValue)), "P1 to P4."),
    .required("scenario", .choice(ExerciseScenario.allCases.map(\.rawValue)), "The story that the callers tell."),
    .optional("type", .string(1...64), "What happened; the scenario's if not given."),
    .optional("minutes", .integer(ExerciseDesk.minutes), "Until it ends by itself; 20 if not given."),
    .optional("apart", .boolean, "Whether each caller has an incident of their own."),
    .optional(
      "place",
      .object([
        .optional("lat", .number(-90...90), "Latitude, degrees, WGS 84."),
        .optional("lon", .number(-180...180), "Longitude, degrees, WGS 84."),
        .optional("text", .string(1...500), "Address or description, for display."),
      ]), "Where it plays."),
  ])

  static var routes: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/exercises", .service(.train), tag: tag, "Exercises that are running, and what can be played."
      ) { call in
        let principal = try call.principal()
        let exercises = call.services.exercises
        return .json([
          "exercises": .array(exercises.running(of: principal.facts.agency).map(exercises.view)),
          "scenarios": .array(ExerciseScenario.allCases.map(\.json)),
        ])
      },
      APIRoute(
        .post, "/api/v1/exercises", .service(.train), tag: tag,
        "Open an exercise and have simulated callers call; trainers and supervisors may.", body: .json(order),
        success: (201, "application/json")
      ) { call in
        let exercise = try await call.services.exercises.start(read(call.body), by: call.principal())
        return .json(call.services.exercises.view(exercise), status: .created)
      },
      APIRoute(
        .delete, "/api/v1/exercises/:exercise", .service(.train), tag: tag,
        "End an exercise: its incidents end, and its callers leave.", success: (204, nil)
      ) { call in
        try await call.services.exercises.stop(call.parameter("exercise"), by: call.principal())
        return .done
      },
    ]
  }

  private static func read(_ body: JSONValue) throws(Problem) -> ExerciseDesk.Order {
    guard let priority = body["priority"]?.string.flatMap(Priority.init),
      let scenario = body["scenario"]?.string.flatMap(ExerciseScenario.init), let callers = body["callers"]?.integer
    else { throw .internalError }
    return ExerciseDesk.Order(
      callers: callers, priority: priority, type: body["type"]?.string, scenario: scenario,
      minutes: body["minutes"]?.integer ?? ExerciseDesk.standardMinutes, isApart: body["apart"]?.bool ?? false,
      place: body["place"])
  }
}
