import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import Primitives

/// How well calls are answered, for those who answer for it.
enum FigureRoutes {
  private static let queries: [Schema.Field] = [
    .optional("from", .string(20...40, format: .dateTime), "From the hour of this time; the last day if not given."),
    .optional("to", .string(20...40, format: .dateTime), "Until the hour of this time; now if not given."),
    .optional("exercise", .choice(["true", "false"]), "Exercises instead of real incidents."),
  ]

  private static let hour: Int64 = 3_600

  static var routes: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/figures", .service(.seeHealth), tag: "figures",
        "Answer times, the set-up funnel with reasons, time to the first picture, load and storage of one's agency, "
          + "in whole hours of the last 31 days.",
        queries: queries
      ) { try await show($0) }
    ]
  }

  private static func show(_ call: APICall) async throws -> Response {
    let now = call.services.clock.wall()
    let to = call.query("to").flatMap { UTCTime($0) } ?? UTCTime(seconds: now.seconds)
    let from = call.query("from").flatMap { UTCTime($0) } ?? UTCTime(seconds: to.seconds - 24 * hour)
    guard from < to else { throw Problem(.badRequest, "to: later than from.") }
    let last = to.hour + (to.seconds % hour == 0 ? 0 : 1)
    let first = max(from.hour, last - FigureBook.horizon)
    let keeping = call.services.archive.keeping
    let report = keeping.figures.report(
      agency: try call.principal().facts.agency, isExercise: call.query("exercise") == "true", hours: first..<last)
    guard case .object(var members) = report.json else { throw Problem.internalError }
    members["from"] = .string(UTCTime(seconds: Int64(first) * hour).description)
    members["to"] = .string(UTCTime(seconds: Int64(last) * hour).description)
    members["complete"] = .bool(keeping.figures.isComplete)
    members["space"] = keeping.space.reading.json
    return .json(.object(members))
  }
}
