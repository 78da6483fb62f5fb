import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import NIOCore

/// Photos, documents and clips of an incident.
enum FileRoutes {
  private static let tag = "files"

  private static let queries: [Schema.Field] = [
    .optional("name", .string(1...200), "As it was named."),
    .optional("purpose", .choice(["photo", "document", "clip", "snapshot"]), "What it is; document if not given."),
    .optional("visibility", .choice(ChatChannel.allCases.map(\.rawValue)), "Who may see it; everyone if not given."),
  ]

  static var routes: [APIRoute] {
    [
      APIRoute(
        .post, "/api/v1/incidents/:incident/files", .afterCall(.upload), tag: tag,
        "Add a file: its bytes as the body, at most \(FileDesk.maximumBytes >> 20) MiB; a caller may for a while after the "
          + "call as well.",
        body: .raw(FileDesk.types.sorted()), queries: queries, success: (201, "application/json")
      ) { try await add($0) },
      APIRoute(
        .get, "/api/v1/incidents/:incident/files/:file", .incident(.download), tag: tag, "A file's bytes.",
        success: (200, "*/*")
      ) { call in
        let (file, content) = try await call.services.files.content(
          of: call.parameter("file"), in: call.incident().id, for: call.principal())
        return Response(
          status: .ok,
          headers: [
            .contentType: file.type, .cacheControl: "private, no-store",
            .contentDisposition: "attachment; filename=\"\(file.id)\"", .contentSecurityPolicy: "sandbox",
          ], body: .init(byteBuffer: ByteBuffer(bytes: content)))
      },
    ]
  }

  private static func add(_ call: APICall) async throws -> Response {
    let name = call.query("name") ?? "file"
    let purpose = call.query("purpose") ?? "document"
    let visibility = call.query("visibility").flatMap(ChatChannel.init) ?? .everyone
    let limit = FileDesk.maximumBytes
    if let announced = call.request.headers[.contentLength].flatMap({ Int($0) }), announced > limit {
      throw Problem.tooLarge(limit: limit)
    }
    let content: [UInt8]
    do {
      content = Array(try await call.request.body.collect(upTo: limit).readableBytesView)
    } catch is NIOTooManyBytesError {
      throw Problem.tooLarge(limit: limit)
    }
    guard !content.isEmpty else { throw Problem(.badRequest, "The body is empty. Send the file's bytes as the body.") }
    let id = try await call.services.files.keep(
      content,
      .init(
        name: name, type: call.request.mediaType ?? "", purpose: purpose, visibility: visibility),
      in: call.incident().id, by: call.principal())
    return .json(["file": .string(id)], status: .created)
  }
}
