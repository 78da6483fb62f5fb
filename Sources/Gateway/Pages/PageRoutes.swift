import HTTPTypes
import Hummingbird
import NIOCore

/// The web pages and what they load.
///
/// A page is the same for everyone; it takes the token from its own address and finds out by the API what it may do.
struct PageRoutes: Sendable {
  let files: StaticFiles

  func addRoutes(to router: Router<GatewayContext>) {
    router.get("/") { request, _ in try page("index.html", request) }
    for path in ["/call", "/call/:incident"] as [RouterPath] {
      router.get(path) { request, context in try page("caller.html", request, context) }
    }
    for path in ["/watch", "/watch/:incident"] as [RouterPath] {
      router.get(path) { request, context in try page("viewer.html", request, context) }
    }
    router.get("/favicon.ico") { request, _ in try page("favicon.ico", request) }
    router.get("/assets/**") { request, context in
      try page(context.parameters.getCatchAll().joined(separator: "/"), request)
    }
  }

  private func page(_ name: String, _ request: Request, _ context: GatewayContext) throws(Problem) -> Response {
    if context.parameters.get("incident") != nil { _ = try context.incident() }
    return try page(name, request)
  }

  private func page(_ name: String, _ request: Request) throws(Problem) -> Response {
    guard let file = files[name] else { throw .notFound }
    return file.response(to: request)
  }
}
