import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import Primitives

/// What admins set while the node runs, the trial of it, and the node's keys.
enum SettingsRoutes {
  private static let tag = "settings"
  private typealias Name = ServiceSettings.Name

  private static let change = Schema.object([
    .optional(
      Name.serviceName.rawValue, .string(1...ServiceSettings.maximumNameLength), "What callers know the service as."),
    .optional(Name.callerLinkMinutes.rawValue, .integer(LinkDesk.minutes), "Minutes in which a caller's link opens."),
    .optional(Name.guestLinkMinutes.rawValue, .integer(LinkDesk.minutes), "Minutes that a guest's link lasts."),
    .optional(
      Name.messageText.rawValue, .string(1...ServiceSettings.maximumTextLength),
      "What a message with a link says; {service} and {link} are filled in."),
    .optional(
      Name.mapTiles.rawValue, .string(0...ServiceSettings.maximumTilesLength),
      "Template of map tiles' addresses with {z}, {x} and {y}; empty for a plain grid."),
    .optional(
      Name.mapAttribution.rawValue, .string(0...ServiceSettings.maximumAttributionLength),
      "Whose map tiles they are; empty for nobody's."),
    .optional(
      "reset", .array(.choice(Name.allCases.map(\.rawValue)), count: 0...Name.allCases.count),
      "Settings that go back to what the command line says."),
  ])

  private static let trial = Schema.object([
    .required("by", .choice(MessageWay.allCases.map(\.rawValue)), "How to send it."),
    .required("to", .string(3...254), "The number, with + and its country, or the mail address."),
  ])

  static var routes: [APIRoute] { settings + trials + keys }

  private static var settings: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/settings", .service(.manageSettings), tag: tag,
        "What may be set while the node runs, what of it was set, and how messages are sent."
      ) { .json(view($0)) },
      APIRoute(
        .patch, "/api/v1/settings", .service(.manageSettings), tag: tag,
        "Set some of it; it counts at once for everybody.", body: .json(change)
      ) { call in
        var wish: [Name: JSONValue] = [:]
        for name in Name.allCases { wish[name] = call.body[name.rawValue] }
        for name in (call.body["reset"]?.array ?? []).compactMap({ $0.string.flatMap(Name.init) }) {
          wish[name] = .null
        }
        try await call.services.administration.settings.change(wish, by: call.principal())
        return .json(view(call))
      },
    ]
  }

  private static var trials: [APIRoute] {
    [
      APIRoute(
        .post, "/api/v1/settings/test-message", .service(.manageSettings), tag: tag,
        "Send a message that says it is a test, and see how far it comes.", body: .json(trial),
        success: (201, "application/json")
      ) { call in
        guard let way = call.body["by"]?.string.flatMap(MessageWay.init) else { throw Problem.internalError }
        let trial = try await call.services.sender.try(
          way, to: call.body["to"]?.string ?? "", base: call.base, by: call.principal())
        return .json(trial.json, status: .created)
      },
      APIRoute(
        .get, "/api/v1/settings/test-message", .service(.manageSettings), tag: tag,
        "The latest test messages, newest first, with what providers have reported since."
      ) { call in .json(["tests": .array(call.services.sender.latestTrials.map(\.json))]) },
    ]
  }

  private static var keys: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/keys", .service(.manageSettings), tag: tag,
        "The node's keys by their public halves, and what has to be in a backup; no secrets."
      ) { call in .json(call.services.administration.keys().json) }
    ]
  }

  private static func view(_ call: APICall) -> JSONValue {
    let (desk, sender) = (call.services.administration.settings, call.services.sender)
    let mail = sender.mailSummary
    return .members([
      "settings": desk.current.json, "standard": desk.standard.json,
      "changed": .array(desk.changed.map(\.rawValue).sorted().map { .string($0) }),
      "sms": .members([
        "setUp": .bool(sender.sendsTexts), "provider": sender.smsProvider.map { .string($0.name) },
        "from": sender.smsProvider.map { .string($0.from) },
        // Whoever reads it could report deliveries: it is shown up to the secret.
        "receipts": .string("\(call.base)/api/v1/sms/receipts/…"),
      ]),
      "email": .members([
        "setUp": .bool(sender.sendsMail), "server": mail.map { .string($0.server) },
        "security": mail.map { .string($0.security) }, "from": mail.map { .string($0.from) },
        "name": mail.map { .string($0.name) },
      ]),
      "exampleLink": .string(exampleLink(call)),
    ])
  }

  /// As long as a caller's link is, and good for nothing: its time is over and its signature is cut off.
  private static func exampleLink(_ call: APICall) -> String {
    let token = call.services.authority.sign(
      AccessToken(
        subject: "l-0000000000000000", name: "caller", incident: .audit, directions: [.publish, .subscribe],
        kind: .caller, issuedAt: UnixTime(seconds: 0), expiresAt: UnixTime(seconds: 1), tokenID: "l-0000000000000000"))
    let masked = String(repeating: "x", count: token.utf8.count)
    return "\(call.base)/call/00000000-0000000000?token=\(masked)"
  }
}
