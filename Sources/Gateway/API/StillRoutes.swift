import Archive
import ControlRoom
import Hummingbird
import Incidents
import JSON
import NIOCore
import Primitives

/// Snapshots of streams, and small pictures for a timeline.
enum StillRoutes {
  private static let tag = "recording"

  private static let request = Schema.object([
    .optional("source", .string(1...64), "The stream, as media.source events name it; the latest if not given."),
    .optional("at", .string(20...40, format: .dateTime), "When; the latest picture if not given."),
  ])

  static var routes: [APIRoute] {
    [
      APIRoute(
        .post, "/api/v1/incidents/:incident/snapshots", .incident(.snapshot), tag: tag,
        "Keep a picture of a stream in full resolution: in the archive, among the files and in the journal.",
        body: .json(request), success: (201, "application/json")
      ) { try await take($0) },
      APIRoute(
        .get, "/api/v1/incidents/:incident/replays/:replay/thumbnails/:track", .incident(.follow), tag: "replay",
        "A small picture of a recorded track, for a timeline.",
        queries: [.optional("at", .string(20...40, format: .dateTime), "When; the latest picture if not given.")],
        success: (200, "image/jpeg")
      ) { try await thumbnail($0) },
    ]
  }

  private static func take(_ call: APICall) async throws -> Response {
    let receipt = try await call.services.archive.stills.take(
      call.body["source"]?.string, at: call.body["at"]?.string.flatMap { UTCTime($0) }, in: call.incident().id,
      by: call.principal())
    return .json(
      [
        "file": .string(receipt.file), "path": .string(receipt.path.description),
        "source": .string(receipt.picture.source), "time": .string(receipt.picture.time.description),
        "width": .integer(receipt.picture.width), "height": .integer(receipt.picture.height),
        "sha256": .string(Hex.encode(receipt.hash)),
      ], status: .created)
  }

  private static func thumbnail(_ call: APICall) async throws -> Response {
    let look = try await call.look().look
    guard let track = TrackID(try call.parameter("track")) else { throw Problem.notFound }
    let time = call.query("at").flatMap { UTCTime($0) }
    let picture = try await call.services.archive.replays.thumbnail(of: look, track, at: time)
    return Response(
      status: .ok, headers: [.contentType: "image/jpeg", .cacheControl: "private, max-age=3600"],
      body: .init(byteBuffer: ByteBuffer(bytes: picture.jpeg)))
  }
}
