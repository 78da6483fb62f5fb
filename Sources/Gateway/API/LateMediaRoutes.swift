import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import NIOCore
import Primitives

/// What a caller's page recorded while its line was down.
enum LateMediaRoutes {
  private static let queries: [Schema.Field] = [
    .required(
      "age", .integer(0...Int(LateMediaDesk.maximumAge.milliseconds)),
      "Milliseconds since the media began, by the page's monotonic clock, when the request was made."),
    .required("duration", .integer(0...Int(LateMediaDesk.maximumDuration.milliseconds)), "Its length, milliseconds."),
    .required("kind", .choice(["video", "audio"]), "Pictures, with or without sound, or sound alone."),
    .optional("source", .string(1...40), "The stream that it stands in for, as `media.source` events name it."),
  ]

  static var routes: [APIRoute] {
    [
      APIRoute(
        .put, "/api/v1/incidents/:incident/late/:upload", .afterCall(.publish), tag: "recordings",
        "Hand over what was recorded while the line was down, at most \(LateMediaDesk.maximumBytes >> 20) MiB; also for "
          + "a while after the call. `upload` is the page's own name: sent again, it does nothing again, with 200.",
        body: .raw(LateMediaDesk.types.sorted()), queries: queries, success: (201, "application/json")
      ) { try await keep($0) }
    ]
  }

  private static func keep(_ call: APICall) async throws -> Response {
    guard let desk = call.services.archive.late else {
      throw Problem(.wrongState, "This server does not record, so there is nothing to add to. Do not send it again.")
    }
    guard let type = call.request.mediaType, LateMediaDesk.types.contains(type) else {
      throw Problem(
        .unsupportedMediaType, "Send this with Content-Type: \(LateMediaDesk.types.sorted().joined(separator: ", ")).")
    }
    let limit = LateMediaDesk.maximumBytes
    let length = call.request.headers[.contentLength].flatMap { Int($0) }
    if let length, length > limit { throw Problem.tooLarge(limit: limit) }
    let kept = try await desk.keep(
      try draft(call, type), length: length, in: call.incident().id, by: call.principal()
    ) {
      do {
        return Array(try await call.request.body.collect(upTo: limit).readableBytesView)
      } catch is NIOTooManyBytesError {
        throw Problem.tooLarge(limit: limit)
      }
    }
    return .json(
      ["path": .string("\(kept.path)"), "sha256": .string(Hex.encode(kept.hash))],
      status: kept.isRepeat ? .ok : .created)
  }

  private static func draft(_ call: APICall, _ type: String) throws(Problem) -> LateMediaDesk.Draft {
    guard let kind = call.query("kind"), call.query("age") != nil, call.query("duration") != nil else {
      throw Problem(.badRequest, "Say age, duration and kind in the query: /openapi.json has what they mean.")
    }
    let age = try call.query("age", in: 0...Int(LateMediaDesk.maximumAge.milliseconds), standard: 0)
    let duration = try call.query("duration", in: 0...Int(LateMediaDesk.maximumDuration.milliseconds), standard: 0)
    return .init(
      upload: try call.parameter("upload"), kind: kind == "audio" ? .audio : .video, source: call.query("source"),
      mimeType: type, age: .milliseconds(Int64(age)), duration: .milliseconds(Int64(duration)))
  }
}
