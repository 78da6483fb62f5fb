import ControlRoom
import HTTPTypes
import Hummingbird
import Identity
import Incidents
import JSON
import MediaServer
import Outgoing
import Primitives

/// Links into an incident: made, shown, sent, withdrawn.
enum LinkRoutes {
  private static let tag = "links"

  private static let newLink = Schema.object([
    .required("role", .choice(["caller", "guest", "device"]), "As what its bearer comes in."),
    .optional("name", .string(1...64), "As others see them."),
    .optional("phone", .string(6...16, format: .phoneNumber), "The caller's number, E.164."),
    .optional("send", .choice(["sms", "email", "shown"]), "How it gets to its bearer; nothing is sent if not given."),
    .optional("email", .string(3...254, format: .email), "Where to mail it."),
    .optional("minutes", .integer(LinkDesk.minutes), "How long it can be opened; as the settings say if not given."),
  ])

  static var routes: [APIRoute] {
    [
      APIRoute(
        .post, "/api/v1/incidents/:incident/links", .incident(.follow), tag: tag,
        "Make a link; its address is shown this once.", body: .json(newLink), success: (201, "application/json")
      ) { try await create($0) },
      APIRoute(
        .delete, "/api/v1/incidents/:incident/links/:link", .incident(.revokeLink), tag: tag,
        "Withdraw a link: what it opened ends at once.", success: (204, nil)
      ) { call in
        try await call.services.links.revoke(
          call.parameter("link"), in: call.incident().id, by: call.principal(), reason: nil)
        return .done
      },
      receipts(.post), receipts(.get),
    ]
  }

  /// Providers call by POST or GET, each with a shape of its own.
  private static func receipts(_ method: HTTPRequest.Method) -> APIRoute {
    APIRoute(
      method, "/api/v1/sms/receipts/:secret", .everyone, tag: tag,
      "Where the SMS provider reports what became of a message; the address itself is the secret.",
      body: method == .post ? .raw(["application/x-www-form-urlencoded", "application/json"]) : .none
    ) { call in
      guard try call.parameter("secret") == call.services.sender.receiptSecret else { throw Problem.notFound }
      let body = method == .post ? Array(try await call.request.text(upTo: APIRoute.maximumBodyBytes).utf8) : []
      let isKnown = try await call.services.sender.receive(
        contentType: call.request.headers[.contentType], body: body, query: call.request.uri.query ?? "")
      return .json(["known": .bool(isKnown)])
    }
  }

  /// How to send a new link; refuses what lacks its address.
  private static func way(_ body: JSONValue) throws(Problem) -> LinkSender.Way? {
    switch body["send"]?.string {
    case "sms":
      guard let phone = body["phone"]?.string else { throw Problem(.badPayload, "phone: is missing, send says sms.") }
      return .sms(phone)
    case "email":
      guard let email = body["email"]?.string else { throw Problem(.badPayload, "email: is missing, send says email.") }
      return .mail(email)
    case "shown": return .shown
    default: return nil
    }
  }

  private static func create(_ call: APICall) async throws -> Response {
    guard let role = call.body["role"]?.string.flatMap(Role.init) else { throw Problem.internalError }
    let incident = try call.incident().id
    let way = try way(call.body)
    let name = call.body["name"]?.string ?? role.rawValue
    let draft = LinkDesk.Draft(
      role: role, name: name, phone: call.body["phone"]?.string,
      minutes: call.body["minutes"]?.integer
        ?? call.services.administration.settings.current.linkMinutes(isCaller: role == .caller))
    let grant = try await call.services.links.create(draft, in: incident, by: call.principal())
    let token = call.services.authority.sign(AccessToken(grant))
    let url = grant.url(base: call.base, token: token)
    var sent: JSONValue?
    if let way {
      sent = try await call.services.sender.send(grant, url: url, by: way, base: call.base, as: call.principal())
    }
    return .json(
      .members([
        "link": .string(grant.id), "url": .string(url), "token": .string(token), "role": .string(role.rawValue),
        "expiresAt": .string(grant.expiresAt.description), "sent": sent,
        "qr": QRCode.svg(for: url).map { .string($0) },
      ]), status: .created)
  }
}

extension APICall {
  /// Where clients reach this server: as configured, else as this client did.
  var base: String {
    if let base = services.publicBaseURL { return base }
    return "\(services.usesTLS ? "https" : "http")://\(request.head.authority ?? "localhost")"
  }
}

extension LinkGrant {
  /// The page that the link opens; devices take the address of WHIP.
  func url(base: String, token: String) -> String {
    switch role {
    case .caller: "\(base)/call/\(incident)?token=\(token)"
    case .device: "\(base)/whip/\(incident)?token=\(token)"
    default: "\(base)/watch/\(incident)?token=\(token)"
    }
  }
}

extension AccessToken {
  /// What the signed token of a link says.
  init(_ grant: LinkGrant) {
    let kind: Kind =
      switch grant.role {
      case .caller: .caller
      case .device: .device
      default: .guest
      }
    let directions: MediaPermissions =
      switch kind {
      case .caller: [.publish, .subscribe]
      case .device: .publish
      default: .subscribe
      }
    self.init(
      subject: grant.subject, name: grant.name, incident: grant.incident, directions: directions, kind: kind,
      issuedAt: UnixTime(seconds: grant.createdAt.seconds), expiresAt: UnixTime(seconds: grant.expiresAt.seconds),
      tokenID: grant.id)
  }
}
