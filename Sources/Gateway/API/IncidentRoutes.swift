import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import Primitives

/// Incidents over plain HTTP: the same wishes and events as on the metadata channel, for scripts and other systems.
enum IncidentRoutes {
  private static let tag = "incidents"

  private static let opening = Schema.object([
    .required("priority", .choice(Priority.allCases.map(\.rawValue)), "P1 to P4."),
    .optional("type", .string(1...64), "What happened."),
    .optional("place", placeSchema, "Where."),
    .optional("exercise", .boolean, "Whether it is training."),
    .optional("id", .string(1...64), "The client's own name for this opening: a retry opens nothing again."),
  ])

  private static let placeSchema = Schema.object([
    .optional("lat", .number(-90...90), "Latitude, degrees, WGS 84."),
    .optional("lon", .number(-180...180), "Longitude, degrees, WGS 84."),
    .optional("radius", .number(0...1_000_000), "Metres around it."),
    .optional("text", .string(1...500), "Address or description, for display."),
  ])

  private static let submission = Schema.object([
    .required(
      "kind", .choice(EventKind.clientKinds.map(\.rawValue)), "What is to happen; /asyncapi.json has them all."),
    .required("payload", .any, "As the kind's schema in /asyncapi.json has it."),
    .optional("id", .string(1...64), "The client's own name: a retry with the same one does nothing again."),
  ])

  private static let page: [Schema.Field] = [
    .optional("after", .integer(0...JSONValue.maximumInteger), "The number of the last event that was seen."),
    .optional("limit", .integer(1...1_000), "Most events in one answer; 200 if not given."),
  ]

  static var routes: [APIRoute] {
    [
      APIRoute(.get, "/api/v1/incidents", .anyone, tag: tag, "The open incidents that one may know of, newest first.") {
        call in
        .json(["incidents": .array(call.room.openIncidents(for: try call.principal()).map(\.summary))])
      },
      APIRoute(
        .post, "/api/v1/incidents", .service(.open), tag: tag, "Open an incident.", body: .json(opening),
        success: (201, "application/json")
      ) { try await open($0) },
      APIRoute(
        .get, "/api/v1/incidents/:incident", .incident(.follow), tag: tag,
        "How an incident stands, as far as one may see."
      ) { call in
        let principal = try call.principal()
        return .json(
          try call.incident().snapshot(for: Audience(principal.role), viewer: principal.actor.id))
      },
      APIRoute(
        .get, "/api/v1/incidents/:incident/events", .incident(.follow), tag: tag,
        "Its events in order, as far as one may see them; go on from `next`.", queries: page
      ) { call in
        let after = try call.query("after", in: 0...JSONValue.maximumInteger, standard: 0)
        let limit = try call.query("limit", in: 1...1_000, standard: 200)
        let (events, next) = try await call.room.events(
          of: call.incident().id, after: after, limit: limit, for: call.principal())
        let audience = Audience(try call.principal().role)
        return .json(["events": .array(events.map { $0.json(for: audience) }), "next": .integer(next)])
      },
      APIRoute(
        .post, "/api/v1/incidents/:incident/events", .incident(.follow), tag: tag,
        "Have something happen: one message of the metadata channel.", body: .json(submission)
      ) { try await submit($0) },
      APIRoute(
        .post, "/api/v1/incidents/:incident/join", .incident(.subscribe), tag: tag,
        "A responder puts themselves on the incident.", success: (204, nil)
      ) { call in
        try await call.room.join(call.incident().id, call.principal())
        return .done
      },
    ]
  }

  private static func open(_ call: APICall) async throws -> Response {
    let principal = try call.principal()
    let isExercise = call.body["exercise"]?.bool ?? (principal.role == .trainer)
    if principal.role == .trainer, !isExercise {
      throw Problem(.forbidden, "A trainer opens exercises only. Send exercise: true.")
    }
    guard let priority = call.body["priority"]?.string.flatMap(Priority.init) else { throw Problem.internalError }
    let drafts: [EventDraft]
    do throws(IncidentError) {
      drafts = try Incident.openingDrafts(
        agency: principal.facts.agency, priority: priority, type: call.body["type"]?.string,
        place: call.body["place"], exercise: isExercise,
        origin: principal.role == .integration ? "integration" : "operator")
    } catch {
      throw Refusal(error)
    }
    let id = try await call.room.open(drafts, by: principal, clientID: call.body["id"]?.string)
    var response = Response.json(["id": .string(id.value)], status: .created)
    response.headers[.location] = "/api/v1/incidents/\(id)"
    return response
  }

  private static func submit(_ call: APICall) async throws -> Response {
    guard let kind = call.body["kind"]?.string.flatMap(EventKind.init) else { throw Problem.internalError }
    let receipt = try await call.room.submit(
      Wish(
        kind, call.body["payload"] ?? [:], in: call.incident().id, by: call.principal(),
        clientID: call.body["id"]?.string))
    switch receipt {
    case .durable(let number, let isRepeat): return .json(["number": .integer(number), "repeat": .bool(isRepeat)])
    case .ephemeral: return .json([:])
    }
  }
}

extension EventKind {
  /// Kinds that clients may send.
  static var clientKinds: [EventKind] {
    allCases.filter { kind in
      if case .client = kind.traits.sender { true } else { false }
    }
  }
}
