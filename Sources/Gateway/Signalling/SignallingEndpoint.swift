import HTTPTypes
import Hummingbird
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

    var direction: MediaPermissions {
      switch self {
      case .whip: .publish
      case .whep: .subscribe
      }
    }
  }

  let kind: Kind
  let services: GatewayServices

  static let offerType = "application/sdp"
  static let fragmentType = "application/trickle-ice-sdpfrag"

  /// Adds the endpoint's and its sessions' routes.
  func addRoutes(to router: Router<GatewayContext>) {
    let endpoint = RouterPath("/\(kind.rawValue)/:incident")
    router.on(endpoint, method: .post) { request, context in try await open(request, context) }
    router.on(endpoint, method: .options) { _, _ in options(allow: Self.endpointMethods, accept: .acceptPost) }
    for method in [HTTPRequest.Method.get, .head, .put, .patch, .delete] {
      router.on(endpoint, method: method) { _, _ in try refuse(allow: Self.endpointMethods) }
    }
    let session = RouterPath("/\(kind.rawValue)/:incident/:peer")
    router.on(session, method: .patch) { request, context in try await change(request, context) }
    router.on(session, method: .delete) { request, context in try await close(request, context) }
    router.on(session, method: .options) { _, _ in options(allow: Self.sessionMethods, accept: .acceptPatch) }
    for method in [HTTPRequest.Method.get, .head, .put, .post] {
      router.on(session, method: method) { _, _ in try refuse(allow: Self.sessionMethods) }
    }
  }

  private static let endpointMethods = "POST, OPTIONS"
  private static let sessionMethods = "PATCH, DELETE, OPTIONS"

  // MARK: - The endpoint

  /// POST of an offer: 201 with the answer and the session's address (RFC 9725 §4.2).
  private func open(_ request: Request, _ context: GatewayContext) async throws -> Response {
    let token = try admit(request, context)
    try request.require(mediaType: Self.offerType)
    let offer = try await request.text(upTo: services.limits.maximumOfferBytes)
    let answer = try await services.signaller.connect(
      offer: offer, by: token, permissions: kind.direction, carrier: .http)
    var headers: HTTPFields = [
      .contentType: Self.offerType,
      .location: location(of: answer.peer, incident: token.incident, queryToken: request.queryToken),
      .eTag: EntityTag(answer.iceSession).text,
      .acceptPatch: Self.fragmentType,
      .cacheControl: "no-store",
    ]
    for value in services.iceServers(for: token).flatMap(\.linkValues) {
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

  private func refuse(allow: String) throws(Problem) -> Response {
    throw Problem(.methodNotAllowed, "This address takes only \(allow).", headers: [.allow: allow])
  }

  // MARK: - A session

  /// PATCH: trickles candidates or restarts ICE, depending on If-Match (RFC 9725 §4.3.2, §4.3.3).
  private func change(_ request: Request, _ context: GatewayContext) async throws -> Response {
    let session = try find(request, context)
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
  private func close(_ request: Request, _ context: GatewayContext) async throws -> Response {
    let session = try find(request, context)
    await services.signaller.disconnect(session.peer, reason: "ended by its client")
    return Response(status: .ok)
  }

  private func find(_ request: Request, _ context: GatewayContext) throws(Problem) -> SignallingSession {
    let token = try admit(request, context)
    guard let peer = context.parameters.get("peer").flatMap({ PeerID($0) }),
      let session = services.sessions.find(peer, ownedBy: token), session.permissions.contains(kind.direction)
    else { throw .unknownSession }
    return session
  }

  private func admit(_ request: Request, _ context: GatewayContext) throws(Problem) -> AccessToken {
    try services.gatekeeper.admit(
      request.presentedToken, from: context.remoteAddress, to: context.incident(), directions: kind.direction)
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
