import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON

/// How the node is, for people; `/metrics` is for Prometheus.
enum HealthRoutes {
  static var routes: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/health", .service(.seeHealth), tag: "health",
        "Figures of the node, now and over the last five minutes, and what is wrong since when."
      ) { call in
        guard case .object(var report) = await call.services.administration.health.report() else {
          throw Problem.internalError
        }
        let counted = call.services.metrics.values
        report["webSockets"] = .integer(Int(clamping: counted.webSockets))
        report["sessions"] = .integer(call.services.sessions.count)
        report["requests"] = .object(
          Dictionary(
            uniqueKeysWithValues: counted.requestsByClass.map { ("\($0.key)xx", .integer(Int(clamping: $0.value))) }))
        return .json(.object(report))
      }
    ]
  }
}
