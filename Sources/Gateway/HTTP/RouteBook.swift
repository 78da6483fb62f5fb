import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import NIOCore
import Primitives

/// Every route of the server, each with who may use it: what registers them, checks rights and writes the OpenAPI document.
///
/// A path answers methods that it does not take with 405 and `OPTIONS` with what it takes.
struct RouteBook: Sendable {
  private(set) var routes: [APIRoute] = []

  mutating func add(_ route: APIRoute) { routes.append(route) }

  mutating func add(_ more: [APIRoute]) { routes += more }

  /// Methods that are answered on every path.
  private static let methods: [HTTPRequest.Method] =
    [.get, .head, .post, .put, .patch, .delete, .trace] + [HTTPRequest.Method("QUERY")].compactMap { $0 }

  func register(on router: Router<GatewayContext>, services: GatewayServices) {
    for (path, routes) in Dictionary(grouping: routes, by: \.path) {
      let hummingbirdPath = RouterPath(path)
      var taken = Set(routes.map(\.method.rawValue))
      for route in routes {
        router.on(hummingbirdPath, method: route.method) { request, context in
          try await Self.serve(route, request, context, services)
        }
      }
      if taken.contains("GET") { taken.insert("HEAD") }
      let allow = (Self.methods.map(\.rawValue).filter(taken.contains) + ["OPTIONS"]).joined(separator: ", ")
      for method in Self.methods where !taken.contains(method.rawValue) {
        router.on(hummingbirdPath, method: method) { _, _ -> Response in
          throw Problem(.methodNotAllowed, "This address takes only \(allow).", headers: [.allow: allow])
        }
      }
      if !taken.contains("OPTIONS") {
        router.on(hummingbirdPath, method: .options) { _, _ in Response(status: .noContent, headers: [.allow: allow]) }
      }
    }
  }

  private static func serve(
    _ route: APIRoute, _ request: Request, _ context: GatewayContext, _ services: GatewayServices
  ) async throws -> Response {
    let (principal, incident) = try await admit(route, request, context, services)
    try check(route.queries, of: request)
    let call = APICall(
      request: request, context: context, services: services, caller: principal, present: incident,
      body: try await body(of: route, request))
    return try await route.handle(call)
  }

  /// Holds the request against the route's row before anything of it is read.
  private static func admit(
    _ route: APIRoute, _ request: Request, _ context: GatewayContext, _ services: GatewayServices
  ) async throws -> (Principal?, Incident?) {
    if case .everyone = route.access { return (nil, nil) }
    var (isMedia, isAfterCall) = (false, false)
    if case .media = route.access { isMedia = true }
    if case .afterCall = route.access { isAfterCall = true }
    // Where media begins a link begins: a genuine one that the desk has not heard of is taken in.
    let principal = try await services.gatekeeper.admit(
      request.credentials, from: context.remoteAddress, key: request.headers[.pageKey], starts: isMedia,
      isAfterCall: isAfterCall)
    do {
      switch route.access {
      // Who may send or watch depends on where the incident goes on: the signaller asks.
      case .everyone, .anyone, .media: return (principal, nil)
      case .account:
        guard services.room.accounts.account(id: principal.actor.id) != nil else { throw Refusal.forbidden }
        return (principal, nil)
      case .service(let action):
        try services.room.authorize(action, principal)
        return (principal, nil)
      case .incident(let action), .afterCall(let action):
        return (principal, try await services.room.incident(context.incident(), for: principal, to: action))
      }
    } catch let refusal as Refusal {
      if refusal.code == .forbidden { services.gatekeeper.noteForbidden() }
      throw refusal
    }
  }

  /// Holds the query's known parts against their schemas; others are passed over.
  private static func check(_ fields: [Schema.Field], of request: Request) throws(Problem) {
    for field in fields {
      guard let raw = request.uri.queryParameters[Substring(field.name)] else { continue }
      let text = raw.removingPercentEncoding ?? String(raw)
      var value = JSONValue.string(text)
      if case .integer = field.schema, let number = Int(text) { value = .integer(number) }
      do {
        try field.schema.validate(value)
      } catch {
        throw Problem(.badRequest, "\(field.name): \(error.text)")
      }
    }
  }

  private static func body(of route: APIRoute, _ request: Request) async throws -> JSONValue {
    guard case .json(let schema) = route.body else { return .null }
    guard request.mediaType == "application/json" else {
      throw Problem(.unsupportedMediaType, "Send this with Content-Type: application/json.")
    }
    let text = try await request.text(upTo: APIRoute.maximumBodyBytes)
    do {
      let value = try JSONValue(parsing: text)
      try schema.validate(value)
      return value
    } catch let error as JSONError {
      throw Problem(.badRequest, "The body is no JSON: \(error.description).")
    } catch let error as SchemaError {
      throw Problem(.badPayload, error.description)
    }
  }
}
