import HTTPTypes
import Hummingbird
import NIOCore

/// Small JSON resources for pages and devices.
struct APIRoutes: Sendable {
  let services: GatewayServices

  private struct ICEServers: Encodable {
    let iceServers: [ICEServer]
  }

  func addRoutes(to router: Router<GatewayContext>) {
    router.get("/api/ice-servers") { request, context in
      let token = try services.gatekeeper.admit(request.presentedToken, from: context.remoteAddress)
      let body = JSONText.encode(ICEServers(iceServers: services.iceServers(for: token)))
      return Response(
        status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
        body: .init(byteBuffer: ByteBuffer(string: body)))
    }
    router.on("/api/ice-servers", method: .options) { _, _ in
      Response(status: .noContent, headers: [.allow: "GET, HEAD, OPTIONS"])
    }
    router.get("/ws") { _, _ -> Response in
      throw Problem(
        .upgradeRequired, "This address speaks WebSocket (sightline.v1), on the first request of a connection.",
        headers: [.upgrade: "websocket", .secWebSocketVersion: "13", .connection: "upgrade, close"])
    }
  }
}
