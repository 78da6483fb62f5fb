import Hummingbird

/// The descriptions of the interfaces, made of the same tables that serve them.
enum DocumentRoutes {
  /// - Parameter book: Every other route.
  static func routes(of book: RouteBook) -> [APIRoute] {
    let (openAPI, asyncAPI) = (OpenAPIDocument.make(book).canonical, AsyncAPIDocument.make().canonical)
    return [
      APIRoute(.get, "/openapi.json", .everyone, tag: "documents", "The HTTP interface (OpenAPI 3.1).") { _ in
        .text(openAPI, type: "application/json")
      },
      APIRoute(.get, "/asyncapi.json", .everyone, tag: "documents", "The metadata channel (AsyncAPI 3.0).") { _ in
        .text(asyncAPI, type: "application/json")
      },
    ]
  }
}
