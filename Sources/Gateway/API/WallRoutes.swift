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
          + "Empty (204) while there is none. The audit journal keeps who looks, once a session.",
        success: (200, "image/jpeg")
      ) { call in
        let wall = call.services.archive.wall
        guard let picture = try await wall.picture(of: call.incident(), for: call.principal()) else { return .done }
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
