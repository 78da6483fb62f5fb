import Archive
import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import Primitives

/// Looking for incidents, open or long closed.
enum ArchiveRoutes {
  private static let flag = Schema.choice(["true", "false"])

  private static let queries: [Schema.Field] = [
    .optional("from", .string(20...40, format: .dateTime), "Opened at this time or later."),
    .optional("to", .string(20...40, format: .dateTime), "Opened before this time."),
    .optional("box", .string(7...200), "Where it was: south,west,north,east in degrees; west beyond east spans 180°."),
    .optional("type", .string(1...64), "What happened, as the incident has it; in either case of letters."),
    .optional("priority", .string(2...20), "P1 to P4; several with commas."),
    .optional("state", .string(3...100), "Where it stands; several with commas."),
    .optional("outcome", .string(4...100), "How it ended; several with commas."),
    .optional("exercise", flag, "Exercises instead of real ones; trainers see nothing else."),
    .optional("recorded", flag, "Whether there is a recording."),
    .optional("held", flag, "Whether it is held against deletion."),
    .optional("person", .string(1...200), "Who took part: beginnings of a name, identifier or phone number."),
    .optional(
      "text", .string(1...200),
      "Beginnings of words out of number, type, place, people, chat and notes; all of them have to be there."),
    .optional("cursor", .string(1...100), "`next` of the page before."),
    .optional("limit", .integer(1...ArchiveQuery.maximumLimit), "Most incidents in one answer; 50 if not given."),
  ]

  static var routes: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/archive", .anyone, tag: "archive",
        "Look for incidents that one may know of, newest first: all parts of the question have to fit.",
        queries: queries
      ) { call in
        let catalog = call.services.archive.keeping.catalog
        let page = try await catalog.search(try query(of: call), for: call.principal())
        return .json(view(page, isWhole: catalog.isCaughtUp))
      }
    ]
  }

  private static func query(of call: APICall) throws(Problem) -> ArchiveQuery {
    var query = ArchiveQuery()
    query.from = call.query("from").flatMap { UTCTime($0) }
    query.to = call.query("to").flatMap { UTCTime($0) }
    if let from = query.from, let to = query.to, to <= from { throw Problem(.badRequest, "to: later than from.") }
    query.box = try parsed("box", call, "south,west,north,east in degrees, such as 53.4,9.8,53.7,10.2.") { GeoBox($0) }
    query.type = call.query("type")
    query.priorities = try choices("priority", call)
    query.states = try choices("state", call)
    query.outcomes = try choices("outcome", call)
    let isTrainer = try call.principal().role == .trainer
    query.isExercise = call.query("exercise").map { $0 == "true" } ?? isTrainer
    query.isRecorded = call.query("recorded").map { $0 == "true" }
    query.isHeld = call.query("held").map { $0 == "true" }
    query.person = call.query("person")
    query.text = call.query("text")
    query.cursor = try parsed("cursor", call, "`next` of the page before, as it was given.") { ArchiveCursor($0) }
    query.limit = try call.query("limit", in: 1...ArchiveQuery.maximumLimit, standard: ArchiveQuery.standardLimit)
    return query
  }

  private static func parsed<Value>(
    _ name: String, _ call: APICall, _ expectation: String, _ parse: (String) -> Value?
  ) throws(Problem) -> Value? {
    guard let text = call.query(name) else { return nil }
    guard let value = parse(text) else { throw Problem(.badRequest, "\(name): \(expectation)") }
    return value
  }

  private static func choices<Value>(_ name: String, _ call: APICall) throws(Problem) -> Set<Value>
  where Value: RawRepresentable<String> & CaseIterable & Hashable {
    guard let text = call.query(name) else { return [] }
    var values: Set<Value> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let value = Value(rawValue: String(part)) else {
        let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
        throw Problem(.badRequest, "\(name): one or more of \(words), with commas between them.")
      }
      values.insert(value)
    }
    return values
  }

  // MARK: - Answer

  private static func view(_ page: ArchivePage, isWhole: Bool) -> JSONValue {
    .members([
      "incidents": .array(page.rows.map(view)), "count": .integer(page.count), "countIsExact": .bool(page.isCountExact),
      "next": page.next.map { .string($0.description) }, "complete": .bool(isWhole),
    ])
  }

  private static func view(_ row: ArchivePage.Row) -> JSONValue {
    let entry = row.entry
    return .members([
      "id": .string(entry.id.value), "agency": .string(entry.agency), "state": .string(entry.state.rawValue),
      "priority": .string(entry.priority.rawValue), "type": entry.type.map { .string($0) },
      "place": entry.place?.json, "lat": entry.latitude.map { .number($0) },
      "lon": entry.longitude.map { .number($0) }, "exercise": .bool(entry.isExercise),
      "openedAt": .string(entry.openedAt.description), "endedAt": entry.endedAt.map { .string($0.description) },
      "outcome": entry.outcome.map { .string($0.rawValue) }, "callers": .integer(entry.callers),
      "staff": .integer(entry.staff), "recording": .string(entry.recording.rawValue), "held": .bool(entry.isHeld),
      "mayReplay": .bool(row.mayReplay),
    ])
  }
}
