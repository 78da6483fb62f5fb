import HTTPTypes
import Incidents
import JSON

/// The HTTP interface as OpenAPI 3.1, out of the ``RouteBook``.
///
/// `x-sightline-access` says who may use an operation: `everyone`, `anyone` with a link or account, `account`, or the
/// action of the permission table that the role has to be allowed.
enum OpenAPIDocument {
  static func make(_ book: RouteBook) -> JSONValue {
    var paths: [String: JSONValue] = [:]
    for (path, routes) in Dictionary(grouping: book.routes.filter(isDocumented), by: \.path) {
      var operations: [String: JSONValue] = [:]
      for route in routes { operations[route.method.rawValue.lowercased()] = operation(route) }
      paths[template(path)] = .object(operations)
    }
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "Sightline", "version": "1", "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
        "description": "Emergency video: incidents, links, files, accounts, WHIP and WHEP. Live news: /asyncapi.json.",
      ],
      "paths": .object(paths),
      "components": [
        "schemas": ["Problem": problem],
        "securitySchemes": [
          "bearer": [
            "type": "http", "scheme": "bearer", "description": "An account's token (sl_…) or a link's signed token.",
          ],
          "session": [
            "type": "apiKey", "in": "cookie", "name": .string(SessionCookie.name),
            "description": "A signed-in browser; changes repeat X-CSRF-Token.",
          ],
        ],
      ],
    ]
  }

  /// WebSockets are AsyncAPI's, and what a path takes is asked of every path alike.
  private static func isDocumented(_ route: APIRoute) -> Bool {
    route.success.status != 101 && route.method != .options
  }

  /// RFC 9457, with our code.
  private static var problem: JSONValue {
    [
      "type": "object", "required": ["type", "title", "status", "detail", "code"],
      "properties": [
        "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"],
        "detail": ["type": "string", "description": "What happened and what to do next."],
        "code": ["type": "string", "enum": .array(Problem.Code.allCases.map { .string($0.rawValue) })],
      ],
    ]
  }

  /// `:name` as `{name}`.
  private static func template(_ path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).map { part in
      part == "**" ? "{path}" : part.hasPrefix(":") ? "{\(part.dropFirst())}" : String(part)
    }.joined(separator: "/")
  }

  private static func operation(_ route: APIRoute) -> JSONValue {
    var members: [String: JSONValue] = [
      "summary": .string(route.summary), "tags": [.string(route.tag)],
      "operationId": .string(
        route.method.rawValue.lowercased() + route.path.map { $0.isLetter ? String($0) : "_" }.joined()),
      "x-sightline-access": .string(word(route.access)), "responses": responses(route),
    ]
    let parameters = pathParameters(route.path) + route.queries.map(query)
    if !parameters.isEmpty { members["parameters"] = .array(parameters) }
    switch route.body {
    case .none: break
    case .json(let schema):
      members["requestBody"] = ["required": true, "content": ["application/json": ["schema": schema.document]]]
    case .raw(let types):
      let content = Dictionary(types.map { ($0, JSONValue.object([:])) }, uniquingKeysWith: { $1 })
      members["requestBody"] = ["required": true, "content": .object(content)]
    }
    if route.access != .everyone { members["security"] = [["bearer": []], ["session": []]] }
    return .object(members)
  }

  static func word(_ access: APIRoute.Access) -> String {
    switch access {
    case .everyone: "everyone"
    case .anyone: "anyone"
    case .account: "account"
    case .service(let action), .incident(let action), .afterCall(let action), .media(let action): action.rawValue
    }
  }

  private static func pathParameters(_ path: String) -> [JSONValue] {
    path.split(separator: "/").compactMap { part in
      guard part.hasPrefix(":") || part == "**" else { return nil }
      let schema: JSONValue =
        part == "**"
        ? ["type": "string"]
        : ["type": "string", "minLength": 1, "maxLength": .integer(64), "pattern": "^[A-Za-z0-9_-]+$"]
      return [
        "name": .string(part == "**" ? "path" : String(part.dropFirst())), "in": "path", "required": true,
        "schema": schema,
      ]
    }
  }

  private static func query(_ field: Schema.Field) -> JSONValue {
    [
      "name": .string(field.name), "in": "query", "required": .bool(field.isRequired),
      "description": .string(field.note), "schema": field.schema.document,
    ]
  }

  private static func responses(_ route: APIRoute) -> JSONValue {
    let problem: JSONValue = [
      "description": "Refused; the detail says why and what to do.",
      "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
    ]
    var success: [String: JSONValue] = ["description": "Done."]
    if let type = route.success.type { success["content"] = .object([type: [:]]) }
    var responses: [String: JSONValue] = [String(route.success.status): .object(success), "4XX": problem]
    responses["5XX"] = problem
    if route.path.hasPrefix("/whip/") || route.path.hasPrefix("/whep/"), route.method == .patch {
      responses["204"] = ["description": "Candidates were added."]
    }
    return .object(responses)
  }
}
