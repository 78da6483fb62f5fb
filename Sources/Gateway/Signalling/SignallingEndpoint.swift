import HTTPTypes
import Hummingbird
import Incidents
import JSON
import MediaServer
import NIOCore
import Primitives

/// WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): one offer in, one answer out, over plain HTTP.
///
/// The two differ in the direction of the media and in nothing else, since this server only ever answers.
struct SignallingEndpoint: Sendable {
  enum Kind: String, Sendable, CaseIterable {
    case whip
    case whep

    /// The right that it takes.
    var action: Action {
      switch self {
      case .whip: .publish
      case .whep: .watch
      }
    }

    var direction: MediaPermissions {
      switch self {
      case .whip: .publish
      case .whep: .subscribe
      }
    }
  }

  /// What a session of the kind may have beside its ``Kind/direction``: who sends may listen, as far as they may.
  private var wanted: MediaPermissions {
    switch kind {
    case .whip: [.publish, .subscribe]
    case .whep: .subscribe
    }
  }

  let kind: Kind
  let services: GatewayServices

  static let offerType = "application/sdp"
  static let fragmentType = "application/trickle-ice-sdpfrag"

  /// The endpoint's and its sessions' rows.
  var routes: [APIRoute] {
    let name = kind.rawValue.uppercased()
    let (endpoint, session) = ("/\(kind.rawValue)/:incident", "/\(kind.rawValue)/:incident/:peer")
    let tag = "media"
    return [
      APIRoute(
        .post, endpoint, .media(kind.action), tag: tag, "\(name): open a session with one offer.",
        body: .raw([Self.offerType]), success: (201, Self.offerType)
      ) { try await open($0) },
      APIRoute(.options, endpoint, .everyone, tag: tag, "\(name): what the endpoint takes.", success: (204, nil)) { _ in
        options(allow: Self.endpointMethods, accept: .acceptPost)
      },
      APIRoute(
        .patch, session, .anyone, tag: tag, "\(name): add candidates or restart ICE.",
        body: .raw([Self.fragmentType]), success: (200, Self.fragmentType)
      ) { try await change($0) },
      APIRoute(.delete, session, .anyone, tag: tag, "\(name): end a session.", success: (200, nil)) {
        try await close($0)
      },
      APIRoute(
        .get, "\(session)/slots", .anyone, tag: tag,
        "\(name): what is on each receive slot, how much of it is shown and why not more, by the slots' mids."
      ) { call in
        .json(["slots": await slots(of: try find(call))])
      },
      APIRoute(
        .put, "\(session)/slots/:mid", .anyone, tag: tag,
        "\(name): put a source on a receive slot, or limit its pictures; with neither it follows the incident again.",
        body: .json(Self.selection), success: (204, nil)
      ) { call in
        try await choose(call)
        return .done
      },
      APIRoute(.options, session, .everyone, tag: tag, "\(name): what a session takes.", success: (204, nil)) { _ in
        options(allow: Self.sessionMethods, accept: .acceptPatch)
      },
    ]
  }

  private static let selection = Schema.object([
    .optional("source", .string(1...16), "The source, as the incident's news name it."),
    .optional(
      "height", .nullable(.integer(1...maximumHeight)),
      "Lines of the largest picture that is of use here, for small ones; null lifts the limit."),
  ])
  /// More lines than any camera has.
  private static let maximumHeight = 16_384
  private static let endpointMethods = "POST, OPTIONS"
  private static let sessionMethods = "PATCH, DELETE, OPTIONS"

  // MARK: - The endpoint

  /// POST of an offer: 201 with the answer and the session's address (RFC 9725 §4.2).
  private func open(_ call: APICall) async throws -> Response {
    let request = call.request
    try request.require(mediaType: Self.offerType)
    let offer = try await request.text(upTo: services.limits.maximumOfferBytes)
    let principal = try call.principal()
    let incident = try call.context.incident()
    let answer = try await services.signaller.connect(
      offer: offer, by: principal, in: incident, wanted: wanted, needed: kind.direction, carrier: .http)
    var headers: HTTPFields = [
      .contentType: Self.offerType,
      .location: location(of: answer.peer, incident: incident, queryToken: request.queryToken),
      .eTag: EntityTag(answer.iceSession).text,
      .acceptPatch: Self.fragmentType,
      .cacheControl: "no-store",
    ]
    for value in services.iceServers(for: principal).flatMap(\.linkValues) {
      headers.append(HTTPField(name: .link, value: value))
    }
    return Response(status: .created, headers: headers, body: .init(byteBuffer: ByteBuffer(string: answer.sdp)))
  }

  /// The session's address; whoever had to put the token into the query gets it back, since every request needs it.
  private func location(of peer: PeerID, incident: IncidentID, queryToken: String?) -> String {
    let base = services.publicBaseURL ?? ""
    let query = queryToken.map { "?token=\($0)" } ?? ""
    return "\(base)/\(kind.rawValue)/\(incident)/\(peer)\(query)"
  }

  /// Answers browsers that ask before they send (RFC 9725 §4.2, §4.3.2).
  private func options(allow: String, accept: HTTPField.Name) -> Response {
    let type = accept == .acceptPost ? Self.offerType : Self.fragmentType
    return Response(status: .noContent, headers: [.allow: allow, accept: type])
  }

  // MARK: - A session

  /// PATCH: trickles candidates or restarts ICE, depending on If-Match (RFC 9725 §4.3.2, §4.3.3).
  private func change(_ call: APICall) async throws -> Response {
    let request = call.request
    let session = try find(call)
    try request.require(mediaType: Self.fragmentType)
    guard let condition = request.headers[.ifMatch].map(EntityTag.Condition.init(parsing:)) else {
      throw Problem(
        .preconditionRequired, "Send If-Match with the session's ETag to add candidates, or with * to restart ICE.")
    }
    guard condition.matches(EntityTag(session.iceSession)) else {
      throw Problem(
        .preconditionFailed, "ICE was restarted since. Use the ETag of the latest answer.")
    }
    let fragment = try await request.text(upTo: services.limits.maximumFragmentBytes)
    switch condition {
    case .any:
      let answer = try await services.signaller.restart(session.peer, fragment: fragment)
      return Response(
        status: .ok,
        headers: [
          .contentType: Self.fragmentType, .eTag: EntityTag(answer.iceSession).text, .cacheControl: "no-store",
        ],
        body: .init(byteBuffer: ByteBuffer(string: answer.fragment)))
    case .tags:
      try await services.signaller.trickle(session.peer, fragment: fragment)
      return Response(status: .noContent)
    }
  }

  /// DELETE ends the session (RFC 9725 §4.2).
  private func close(_ call: APICall) async throws -> Response {
    let session = try find(call)
    await services.signaller.disconnect(session.peer, reason: Signaller.endedByClient)
    return Response(status: .ok)
  }

  // MARK: - Slots

  private func slots(of session: SignallingSession) async -> JSONValue {
    let views = await services.media.slots(of: session.peer)
    // Audio has no layers: most slots that are not for pictures need no second question.
    let hasPictures = views.values.contains { $0.kind == .video }
    let sources = hasPictures ? await services.media.overview(of: session.incident).sources : []
    let layers = Dictionary(sources.map { ($0.id, $0.layers.count) }, uniquingKeysWith: { $1 })
    return .object(views.mapValues { view in view.json(layers: layers[view.source].flatMap { $0 > 0 ? $0 : nil }) })
  }

  /// PUT of a slot: what is named is changed.
  private func choose(_ call: APICall) async throws(Problem) {
    let (peer, mid) = (try find(call).peer, try call.parameter("mid"))
    let (name, height) = (call.body["source"]?.string, call.body["height"])
    let source = name.flatMap { SourceID($0) }
    guard (name == nil) == (source == nil) else {
      throw Problem(.badPayload, "source: is none of this incident's.")
    }
    if let height { try await services.signaller.limit(mid, of: peer, toHeight: height.integer) }
    if source != nil || height == nil { try await services.signaller.select(source, on: mid, of: peer) }
  }

  private func find(_ call: APICall) throws(Problem) -> SignallingSession {
    let incident = try call.context.incident()
    guard let peer = call.context.parameters.get("peer").flatMap({ PeerID($0) }),
      let session = services.sessions.find(peer, ownedBy: try call.principal()),
      session.permissions.contains(.publish) == (kind == .whip),
      session.incident == incident || services.room.destination(of: incident) == session.incident
    else { throw .unknownSession }
    return session
  }
}

extension Request {
  /// Throws 415 unless the body is of `mediaType`.
  fileprivate func require(mediaType expected: String) throws(Problem) {
    guard mediaType == expected else {
      throw Problem(.unsupportedMediaType, "Send this with Content-Type: \(expected).")
    }
  }
}

extension ICEServer {
  /// One Link header value an address (RFC 9725 §4.6).
  var linkValues: [String] {
    urls.map { url in
      var value = "<\(url)>; rel=\"ice-server\""
      if let username, let credential {
        value += "; username=\"\(username.quotable)\"; credential=\"\(credential.quotable)\""
        value += "; credential-type=\"password\""
      }
      return value
    }
  }
}

extension String {
  /// What may stand within a quoted string (RFC 9110 §5.6.4).
  fileprivate var quotable: String {
    String(flatMap { character in character == "\"" || character == "\\" ? ["\\", character] : [character] })
  }
}
