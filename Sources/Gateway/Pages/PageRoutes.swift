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
      page("/", "home/index.html", "The first page: leads people to theirs."),
      page("/sign-in", "home/sign-in.html", "Where people with accounts sign in."),
      page("/account", "home/account.html", "One's own password, second factor and tokens."),
      page("/call", "caller/caller.html", "The caller's page."),
      page("/call/:incident", "caller/caller.html", "The caller's page."),
      page("/watch", "watch/viewer.html", "The page of a guest or viewer with a link."),
      page("/watch/:incident", "watch/viewer.html", "The page of a guest or viewer with a link."),
      page("/console", "console/console.html", "The operator's page: the queue and one incident."),
      page("/console/:incident", "console/console.html", "The operator's page: the queue and one incident."),
      page("/field", "field/field.html", "The responder's page."),
      page("/field/:incident", "field/field.html", "The responder's page."),
      page("/wall", "supervise/wall.html", "The supervisor's wall of live incidents."),
      page("/dashboard", "supervise/dashboard.html", "Answer times, the set-up funnel, load."),
      page("/audit", "supervise/audit.html", "Who did what, when and why."),
      page("/exercise", "supervise/exercise.html", "Training with simulated callers."),
      page("/admin", "admin/admin.html", "Accounts, settings, health."),
      page(
        "/incidents/:incident", "console/console.html", "The page of an incident that interchange documents refer to."),
      page("/replay", "replay/replay.html", "The page on which people look back."),
      page("/replay/:incident", "replay/replay.html", "The page on which people look back."),
      page("/archive", "archive/archive.html", "The page to look for incidents."),
      page("/docs", "docs/docs.html", "The interfaces, to read in a browser."),
      page("/favicon.ico", "shared/favicon.svg", "The icon."),
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
