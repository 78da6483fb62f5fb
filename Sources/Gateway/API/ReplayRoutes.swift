import Archive
import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import NIOCore
import Primitives

/// Looking back: a look is opened, with a reason or in an incident that goes on, and then asked piece by piece.
enum ReplayRoutes {
  private static let tag = "replay"
  private static let look = "/api/v1/incidents/:incident/replays/:replay"

  private static let opening = Schema.object([
    .optional("reason", .string(0...500), "Why; 3 to 500 characters. Needed unless `live`."),
    .optional("live", .boolean, "Look back in an incident that goes on, by the right to watch it."),
  ])

  private static let line: [Schema.Field] = [
    .optional(
      "after", .integer(0...JSONValue.maximumInteger), "`line` of an earlier answer: only what was added since is told."
    )
  ]
  private static let event: [Schema.Field] = [
    .optional(
      "after", .integer(0...JSONValue.maximumInteger), "`next` of an earlier answer: only what changed since is told.")
  ]

  private static let proof: [Schema.Field] = [
    .optional("verify", .choice(["true", "false"]), "Read all of the archive and hold it against its seals.")
  ]

  private static let revealing = Schema.object([
    .required("on", .boolean, "Whether the pictures are clear from now on, or blurred again.")
  ])

  static var routes: [APIRoute] { asked + [reveal] + files + hls }

  private static var reveal: APIRoute {
    APIRoute(
      .post, "\(look)/reveal", .incident(.follow), tag: tag,
      "Note that the pictures of a replay are revealed, or blurred again: the audit journal keeps it.",
      body: .json(revealing), success: (204, nil)
    ) { call in
      let (look, incident) = try await call.look()
      let isOn = call.body["on"]?.bool ?? true
      try await call.room.audit.record(
        .access,
        [
          "what": .string(isOn ? "the pictures of the replay, revealed" : "the pictures of the replay, blurred again"),
          "incident": .string(incident.id.value), "reason": .string("in the replay \(look.id)"),
        ], by: call.principal().actor)
      return .done
    }
  }

  private static var asked: [APIRoute] {
    [
      APIRoute(
        .post, "/api/v1/incidents/:incident/replays", .incident(.follow), tag: tag,
        "Open a replay; the journal keeps who looks and why before anything is shown.", body: .json(opening),
        success: (201, "application/json")
      ) { try await open($0) },
      APIRoute(
        .get, "\(look)/playlist.json", .incident(.follow), tag: tag,
        "What is recorded: tracks, their files and fragments, gaps; times in microseconds from the epoch.",
        queries: line
      ) { call in
        let (look, incident) = try await call.look()
        let line = try call.query("after", in: 0...JSONValue.maximumInteger, standard: 0)
        return .json(try await call.services.archive.replays.playlist(of: look, incident, after: line))
      },
      APIRoute(
        .get, "\(look)/timeline.json", .incident(.follow), tag: tag,
        "What happened, as far as one may see it, on the clock of the recording.", queries: event
      ) { call in
        let timeline = try await call.services.archive.replays.timeline(of: call.look().look, for: call.principal())
        return .json(
          timeline.json(after: try call.query("after", in: 0...JSONValue.maximumInteger, standard: 0)))
      },
      APIRoute(
        .get, "\(look)/timeline.vtt", .incident(.follow), tag: tag, "The same as WebVTT.", success: (200, "text/vtt")
      ) { call in
        let timeline = try await call.services.archive.replays.timeline(of: call.look().look, for: call.principal())
        return .text(timeline.webVTT, type: "text/vtt; charset=utf-8")
      },
      APIRoute(
        .get, "\(look)/seal", .incident(.follow), tag: tag,
        "How the archive is sealed, as its manifest says, and whether that is true.", queries: proof
      ) { call in
        let (look, incident) = try await call.look()
        let verifies = call.query("verify") == "true"
        return .json(try await call.services.archive.replays.seal(of: look, incident, verifies: verifies))
      },
    ]
  }

  private static func open(_ call: APICall) async throws -> Response {
    let (incident, principal) = (try call.incident().id, try call.principal())
    let look =
      call.body["live"]?.bool == true
      ? try await call.services.archive.replays.lookBack(incident, by: principal)
      : try await call.services.archive.replays.open(
        incident, because: call.body["reason"]?.string ?? "", by: principal)
    let address = "/api/v1/incidents/\(incident)/replays/\(look.id)"
    var response = Response.json(
      ["replay": .string(look.id), "live": .bool(look.isLive), "epoch": .string(look.epoch.description)],
      status: .created)
    response.headers[.location] = address
    return response
  }

  // MARK: - Files

  private static var files: [APIRoute] {
    [
      file("media", ":segment", .media, "A recorded file, whole or by one range of bytes."),
      file("stills", ":still", .stills, "A single picture."),
      file("late", ":upload", .late, "What a caller's page kept while it was offline."),
    ]
  }

  private static func file(
    _ folder: String, _ parameter: String, _ place: ArchivePath.Folder, _ summary: String
  ) -> APIRoute {
    APIRoute(
      .get, "\(look)/\(folder)/\(parameter)", .incident(.follow), tag: tag, summary, success: (200, "*/*")
    ) { call in
      let look = try await call.look().look
      guard let path = ArchivePath(folder: place, name: try call.parameter(String(parameter.dropFirst()))) else {
        throw Problem.notFound
      }
      let reader = try await call.services.archive.replays.file(path, of: look)
      return try answer(call, reader)
    }
  }

  private static func answer(_ call: APICall, _ reader: ArchiveLibrary.Reader) throws(Problem) -> Response {
    let fields = call.request.headers
    // A file that grows is another one each time; what there is of it never changes.
    let tag = EntityTag("\(reader.path.name)-\(reader.length)")
    var headers: HTTPFields = [
      .contentType: reader.mimeType, .eTag: tag.text, .acceptRanges: "bytes", .cacheControl: "private, no-store",
      .contentSecurityPolicy: "sandbox",
    ]
    if fields[.ifNoneMatch].map(EntityTag.Condition.init(parsing:))?.matchesWeakly(tag) == true {
      return Response(status: .notModified, headers: headers)
    }
    let isCurrent = fields[.ifRange].map { $0.trimmingSpaces() == tag.text } ?? true
    switch ByteRange(parsing: isCurrent ? fields[.range] : nil, length: reader.length) {
    case .whole: return Response(status: .ok, headers: headers, body: body(call, reader, 0..<reader.length))
    case .part(let range):
      headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(reader.length)"
      return Response(status: .partialContent, headers: headers, body: body(call, reader, range))
    case .unsatisfiable:
      throw Problem(
        .rangeNotSatisfiable, "The file has \(reader.length) bytes; ask for some of them.",
        headers: [.contentRange: "bytes */\(reader.length)"])
    case .several:
      throw Problem(
        .rangeNotSatisfiable, "One range at a time: send a request for each.",
        headers: [.contentRange: "bytes */\(reader.length)"])
    }
  }

  /// Reads a piece when the one before was taken, so that a slow client costs one piece of memory.
  private static func body(_ call: APICall, _ reader: ArchiveLibrary.Reader, _ range: Range<Int>) -> ResponseBody {
    let replays = call.services.archive.replays
    return ResponseBody(contentLength: range.count) { writer in
      var next = range.lowerBound
      while next < range.upperBound {
        let piece = try await replays.read(reader, next..<range.upperBound)
        try await writer.write(ByteBuffer(bytes: piece))
        next += piece.count
      }
      try await writer.finish(nil)
    }
  }

  // MARK: - HLS

  private static let playlistType = "application/vnd.apple.mpegurl"
  private static let masterName = "master.m3u8"

  private static var hls: [APIRoute] {
    [
      APIRoute(
        .get, "\(look)/hls/:playlist", .incident(.follow), tag: tag,
        "For players of HLS: \(masterName), and a playlist a track.", success: (200, playlistType)
      ) { call in
        let playlists = try await call.services.archive.replays.hls(of: call.look().look)
        let name = try call.parameter("playlist")
        // A player repeats no query: whoever came by one is given it in every address.
        let query = call.request.queryToken.map { "?token=\($0.percentEncoded)" } ?? ""
        if name == masterName {
          return .text(playlists.multivariant { "\($0).m3u8\(query)" }, type: playlistType)
        }
        guard name.hasSuffix(".m3u8"), let track = TrackID(String(name.dropLast(5))),
          let text = playlists.media(track, { "../\($0)\(query)" })
        else { throw Problem.notFound }
        return .text(text, type: playlistType)
      }
    ]
  }
}

extension APICall {
  /// The look of the path, if it is the asker's and has not ended.
  func look() async throws -> (look: ReplayDesk.Look, incident: Incident) {
    try await services.archive.replays.look(parameter("replay"), in: incident().id, by: principal())
  }
}

extension String {
  /// With everything but RFC 3986's unreserved characters percent-encoded.
  fileprivate var percentEncoded: String {
    utf8.map { byte in
      let isPlain = byte.isASCIILetterOrDigit || "-._~".utf8.contains(byte)
      return isPlain ? String(UnicodeScalar(byte)) : "%" + Hex.encode([byte]).uppercased()
    }.joined()
  }
}
