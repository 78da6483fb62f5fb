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

  func addRoutes(to router: Router<GatewayContext>) {
    router.get("/healthz") { _, _ in Self.text("ok\n") }
    router.get("/readyz") { _, _ in
      guard readiness.isReady else { throw Problem(.unavailable, "The server is stopping. Use another node.") }
      return Self.text("ready\n")
    }
    router.get("/metrics") { _, _ in
      let text = PrometheusText(
        media: await services.media.statistics(), gateway: services.metrics.values, sessions: services.sessions.count)
      return Self.text(text.text, type: PrometheusText.contentType)
    }
  }

  private static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
    Response(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(string: text)))
  }
}
