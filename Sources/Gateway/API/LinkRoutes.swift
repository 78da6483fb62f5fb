import ControlRoom
import HTTPTypes
import Hummingbird
import Identity
import Incidents
import JSON
import MediaServer
import Primitives

/// Links into an incident: made, shown, sent, withdrawn.
enum LinkRoutes {
  private static let tag = "links"

  private static let newLink = Schema.object([
    .required("role", .choice(["caller", "guest", "device"]), "As what its bearer comes in."),
    .optional("name", .string(1...64), "As others see them."),
    .optional("phone", .string(6...16, format: .phoneNumber), "The caller's number, E.164."),
    .optional("minutes", .integer(LinkDesk.minutes), "How long it can be opened; 15 for callers, 240 for others."),
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
    ]
  }

  private static func create(_ call: APICall) async throws -> Response {
    guard let role = call.body["role"]?.string.flatMap(Role.init) else { throw Problem.internalError }
    let incident = try call.incident().id
    let name = call.body["name"]?.string ?? role.rawValue
    let draft = LinkDesk.Draft(
      role: role, name: name, phone: call.body["phone"]?.string,
      minutes: call.body["minutes"]?.integer ?? (role == .caller ? 15 : 240))
    let grant = try await call.services.links.create(draft, in: incident, by: call.principal())
    let token = call.services.authority.sign(AccessToken(grant))
    let url = grant.url(base: call.base, token: token)
    let response = Response.json(
      [
        "link": .string(grant.id), "url": .string(url), "token": .string(token), "role": .string(role.rawValue),
        "expiresAt": .string(grant.expiresAt.description),
      ], status: .created)
    return response
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
