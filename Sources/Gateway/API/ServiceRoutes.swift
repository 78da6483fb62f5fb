import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import NIOCore

/// Small resources that concern no single incident.
enum ServiceRoutes {
  private struct ICEServers: Encodable {
    let iceServers: [ICEServer]
  }

  private static let page: [Schema.Field] = [
    .optional("after", .integer(0...JSONValue.maximumInteger), "The number of the last event that was seen."),
    .optional("limit", .integer(1...1_000), "Most events in one answer; 200 if not given."),
  ]

  private static let search: [Schema.Field] = [
    .optional(
      "before", .integer(0...JSONValue.maximumInteger), "`next` of an earlier answer, newest first; 0 for the newest."),
    .optional("person", .string(1...64), "With `before`: part of the name or identifier of who did it."),
    .optional("kind", .string(1...64), "With `before`: the kind of event."),
    .optional("incident", .string(1...64), "With `before`: the incident that was looked at."),
    .optional("text", .string(1...200), "With `before`: part of anything that it says."),
  ]

  /// Newest first; a page after the first is the same look.
  private static func audit(_ call: APICall) async throws -> Response {
    let before = try call.query("before", in: 0...JSONValue.maximumInteger, standard: 0)
    let limit = try call.query("limit", in: 1...1_000, standard: 200)
    var query = AuditQuery()
    (query.person, query.kind) = (call.query("person"), call.query("kind"))
    (query.incident, query.text) = (call.query("incident"), call.query("text"))
    if before == 0 { try await call.room.audit.record(.access, ["what": "audit"], by: call.principal().actor) }
    let page = try await call.room.audit.search(query, before: before == 0 ? nil : before, limit: limit)
    return .json(
      .members([
        "events": .array(page.events.map(\.json)), "next": page.next.map { .integer($0) },
      ]))
  }

  static var routes: [APIRoute] {
    [
      APIRoute(
        .get, "/api/ice-servers", .anyone, tag: "media", "STUN and TURN servers with credentials, for a browser's peer."
      ) { call in
        .text(
          JSONText.encode(ICEServers(iceServers: call.services.iceServers(for: try call.principal()))),
          type: "application/json")
      },
      APIRoute(
        .get, "/ws", .everyone, tag: "metadata",
        "The WebSocket sightline.v1: signalling and the metadata channel (see /asyncapi.json).", success: (101, nil)
      ) { _ in
        throw Problem(
          .upgradeRequired, "This address speaks WebSocket (sightline.v1), on the first request of a connection.",
          headers: [.upgrade: "websocket", .secWebSocketVersion: "13", .connection: "upgrade, close"])
      },
      APIRoute(
        .get, "/EIDO", .everyone, tag: "interchange", "The WebSocket on which systems follow incidents (NENA-STA-024).",
        success: (101, nil)
      ) { _ in
        throw Problem(
          .upgradeRequired, "This address speaks WebSocket (NENA-STA-024), on the first request of a connection.",
          headers: [.upgrade: "websocket", .secWebSocketVersion: "13", .connection: "upgrade, close"])
      },
      APIRoute(
        .get, "/api/v1/audit", .service(.audit), tag: "audit",
        "What concerns no single incident: accounts, sign-ins, looks; in order, or with `before` the newest first.",
        queries: page + search
      ) { call in
        if call.query("before") != nil { return try await audit(call) }
        let after = try call.query("after", in: 0...JSONValue.maximumInteger, standard: 0)
        let limit = try call.query("limit", in: 1...1_000, standard: 200)
        try await call.room.audit.record(.access, ["what": "audit"], by: call.principal().actor)
        let events = try await call.room.audit.events(after: after, limit: limit)
        return .json(["events": .array(events.map(\.json)), "next": .integer(events.last?.number ?? after)])
      },
    ]
  }
}
