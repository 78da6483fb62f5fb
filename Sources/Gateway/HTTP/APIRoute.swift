import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import NIOCore
import Primitives

/// One row of the HTTP interface: what is served where, to whom, and what it takes; ``RouteBook`` holds them all.
struct APIRoute: Sendable {
  /// Who may use it.
  enum Access: Hashable, Sendable {
    /// Anybody: pages, documents, health, and what lets people in.
    case everyone
    /// Anybody who came by an account or a link.
    case anyone
    /// Somebody with an account, for their own affairs.
    case account
    /// Roles that may do something that concerns no single incident.
    case service(Action)
    /// Roles that may do something to the incident of the path.
    case incident(Action)
    /// As ``incident(_:)``, and whoever might have until their call ended a moment ago.
    case afterCall(Action)
    /// Whoever may send or watch in the incident of the path.
    case media(Action)
  }

  /// What a request carries.
  enum Body: Sendable {
    case none
    case json(Schema)
    /// Read by the route itself; named for the documents.
    case raw([String])
  }

  let method: HTTPRequest.Method
  /// With `:incident` and other names of parameters.
  let path: String
  let access: Access
  let tag: String
  let summary: String
  let body: Body
  let queries: [Schema.Field]
  /// Status of success and its media type; nil for an empty answer.
  let success: (status: Int, type: String?)
  let handle: @Sendable (APICall) async throws -> Response

  /// Bytes of a JSON body.
  static let maximumBodyBytes = 64 << 10

  init(
    _ method: HTTPRequest.Method, _ path: String, _ access: Access, tag: String, _ summary: String,
    body: Body = .none, queries: [Schema.Field] = [], success: (status: Int, type: String?) = (200, "application/json"),
    handle: @escaping @Sendable (APICall) async throws -> Response
  ) {
    self.method = method
    self.path = path
    self.access = access
    self.tag = tag
    self.summary = summary
    self.body = body
    self.queries = queries
    self.success = success
    self.handle = handle
  }
}

/// A request whose sender was let in, with what its route needs.
struct APICall: Sendable {
  let request: Request
  let context: GatewayContext
  let services: GatewayServices
  /// Nil only where everyone may come.
  let caller: Principal?
  /// The incident of the path, for routes that name one.
  let present: Incident?
  /// The checked body; null where the route takes none.
  let body: JSONValue

  var room: ControlRoom { services.room }

  /// Who asks; a route that everyone may use must not ask for it.
  func principal() throws(Problem) -> Principal {
    guard let caller else { throw .missingToken }
    return caller
  }

  func incident() throws(Problem) -> Incident {
    guard let present else { throw .notFound }
    return present
  }

  /// A parameter of the path; what is not there is not found.
  func parameter(_ name: String) throws(Problem) -> String {
    guard let value = context.parameters.get(name) else { throw .notFound }
    return value.removingPercentEncoding ?? value
  }

  func query(_ name: String) -> String? {
    request.uri.queryParameters[Substring(name)].map { $0.removingPercentEncoding ?? String($0) }
  }

  /// A whole number of the query within `range`; `standard` when it is not given.
  func query(_ name: String, in range: ClosedRange<Int>, standard: Int) throws(Problem) -> Int {
    guard let text = query(name) else { return standard }
    guard let value = Int(text), range.contains(value) else {
      throw Problem(.badRequest, "\(name): a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return value
  }
}

extension Response {
  static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
    text(value.canonical, type: "application/json", status: status)
  }

  static func text(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: type, .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(string: text)))
  }

  static var done: Response { Response(status: .noContent, headers: [.cacheControl: "no-store"]) }
}
