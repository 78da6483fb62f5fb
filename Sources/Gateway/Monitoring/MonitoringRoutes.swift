import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Whether this node takes new work; false once it is told to stop.
final class Readiness: Sendable {
  private let ready = Atomic(true)

  var isReady: Bool { ready.load(ordering: .relaxed) }

  func stop() {
    ready.store(false, ordering: .relaxed)
  }
}

/// `/healthz`, `/readyz` and `/metrics`, for load balancers and Prometheus.
struct MonitoringRoutes: Sendable {
  let services: GatewayServices
  let readiness: Readiness

  var routes: [APIRoute] {
    let (services, readiness) = (services, readiness)
    let plain = "text/plain"
    return [
      APIRoute(.get, "/healthz", .everyone, tag: "health", "Whether the process answers.", success: (200, plain)) { _ in
        Self.text("ok\n")
      },
      APIRoute(.get, "/readyz", .everyone, tag: "health", "Whether it takes new work.", success: (200, plain)) { _ in
        guard readiness.isReady else { throw Problem(.unavailable, "The server is stopping. Use another node.") }
        guard await services.room.isHealthy else {
          throw Problem(.unavailable, "The journal cannot be written. See the log; then start the server again.")
        }
        return Self.text("ready\n")
      },
      APIRoute(.get, "/metrics", .everyone, tag: "health", "Counters for Prometheus.", success: (200, plain)) { _ in
        let text = PrometheusText(
          media: await services.media.statistics(), gateway: services.metrics.values, sessions: services.sessions.count,
          room: services.room, webhooks: services.webhooks, space: services.archive.keeping.space.reading,
          recorder: services.archive.recorder?())
        return Self.text(text.text, type: PrometheusText.contentType)
      },
    ]
  }

  private static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
    Response(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(string: text)))
  }
}
