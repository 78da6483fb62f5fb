import HTTPTypes
import Hummingbird
import NIOCore

/// The web pages and what they load.
///
/// A page is the same for everyone; it takes the token from its own address and finds out by the API what it may do.
struct PageRoutes: Sendable {
  let files: StaticFiles

  var routes: [APIRoute] {
    let files = self
    let html = "text/html"
    let page = { (path: String, name: String, summary: String) in
      let type = name.hasSuffix(".svg") ? "image/svg+xml" : html
      return APIRoute(.get, path, .everyone, tag: "pages", summary, success: (200, type)) {
        try files.page(name, $0.request, $0.context)
      }
    }
    return [
      page("/", "index.html", "The first page."),
      page("/call", "caller.html", "The caller's page."),
      page("/call/:incident", "caller.html", "The caller's page."),
      page("/watch", "viewer.html", "The viewer's page."),
      page("/watch/:incident", "viewer.html", "The viewer's page."),
      page("/incidents/:incident", "viewer.html", "The page of an incident that interchange documents refer to."),
      page("/replay", "replay.html", "The page on which people look back."),
      page("/replay/:incident", "replay.html", "The page on which people look back."),
      page("/archive", "archive.html", "The page to look for incidents."),
      page("/docs", "docs.html", "The interfaces, to read in a browser."),
      page("/favicon.ico", "favicon.svg", "The icon."),
      APIRoute(.get, "/assets/**", .everyone, tag: "pages", "What pages load.", success: (200, "*/*")) {
        try files.page($0.context.parameters.getCatchAll().joined(separator: "/"), $0.request)
      },
    ]
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
