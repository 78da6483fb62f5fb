import ControlRoom
import Identity
import Incidents
import JSON

/// What every page may know before anybody is let in: of the service, and whether its browser is signed in.
struct ProfileRoutes: Sendable {
  let hasMapLibrary: Bool

  var routes: [APIRoute] {
    let hasMapLibrary = hasMapLibrary
    return [
      APIRoute(
        .get, "/api/v1/service", .everyone, tag: "service",
        "The service's name, whether it records, where maps come from, how links can be sent."
      ) { call in
        let settings = call.services.administration.settings.current
        let tiles: JSONValue? = settings.mapTiles.map { .string($0) }
        let attribution: JSONValue? = settings.mapAttribution.map { .string($0) }
        return .json([
          "name": .string(settings.serviceName), "recorded": .bool(call.services.archive.late != nil),
          "map": .members(["available": .bool(hasMapLibrary), "tiles": tiles, "attribution": attribution]),
          "sends": [
            "sms": .bool(call.services.sender.sendsTexts), "email": .bool(call.services.sender.sendsMail),
          ],
          "linkMinutes": [
            "caller": .integer(settings.callerLinkMinutes), "guest": .integer(settings.guestLinkMinutes),
          ],
        ])
      },
      APIRoute(
        .get, "/api/v1/session", .everyone, tag: "identity",
        "Whether this browser is signed in, and as whom: for pages that are there without, where nobody is refused."
      ) { .json(await session($0)) },
    ]
  }

  private func session(_ call: APICall) async -> JSONValue {
    guard let secret = call.request.sessionSecret else { return ["state": "none"] }
    do throws(Refusal) {
      let principal = try await call.room.signIns.admit(session: secret, csrf: nil, needsCSRF: false).principal
      return [
        "state": "open", "name": .string(principal.actor.name), "role": .string(principal.role.rawValue),
      ]
    } catch {
      return ["state": error.code == .sessionLocked ? "locked" : "none"]
    }
  }
}
