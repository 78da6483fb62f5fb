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
        "What concerns no single incident: accounts, sign-ins, looks.",
        queries: page
      ) { call in
        let after = try call.query("after", in: 0...JSONValue.maximumInteger, standard: 0)
        let limit = try call.query("limit", in: 1...1_000, standard: 200)
        try await call.room.audit.record(.access, ["what": "audit"], by: call.principal().actor)
        let events = try await call.room.audit.events(after: after, limit: limit)
        return .json(["events": .array(events.map(\.json)), "next": .integer(events.last?.number ?? after)])
      },
    ]
  }
}
