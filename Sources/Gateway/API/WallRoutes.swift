import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import NIOCore
import Primitives

/// Stills of what goes on, for the supervisors' wall.
enum WallRoutes {
  static var routes: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/incidents/:incident/still", .incident(.watch), tag: "recording",
        "The latest picture of an incident that goes on, small; `Sightline-Picture-Time` says when it was. "
          + "The audit journal keeps who looks, once a session.",
        success: (200, "image/jpeg")
      ) { call in
        let picture = try await call.services.archive.wall.picture(of: call.incident(), for: call.principal())
        return Response(
          status: .ok,
          headers: [
            .contentType: "image/jpeg", .cacheControl: "private, no-store",
            .pictureTime: picture.time.text(fractionDigits: 3),
          ], body: .init(byteBuffer: ByteBuffer(bytes: picture.jpeg)))
      }
    ]
  }
}
