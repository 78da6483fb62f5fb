import Gateway
import MediaServer
import Primitives
import Testing

/// WHIP (RFC 9725) and WHEP over real HTTP; what holds for one holds for the other.
@Suite(.timeLimit(.minutes(5)))
struct SignallingEndpointTests {
  static let kinds: [(String, MediaPermissions)] = [("whip", .publish), ("whep", .subscribe)]
  private static let sdp = ("Content-Type", "application/sdp")
  private static let fragment = ("Content-Type", "application/trickle-ice-sdpfrag")

  @Test(arguments: kinds)
  func anOfferIsAnsweredWith201(kind: String, direction: MediaPermissions) async throws {
    let turn = TURNConfiguration(urls: ["stun:s", "turn:t?transport=udp"], sharedSecret: "north", lifetime: 60)
    try await withServer(.init(turn: turn)) { server in
      let answer = try await server.send(
        "POST", "/\(kind)/inc-1", [server.bearer(direction), ("Content-Type", "Application/SDP; charset=utf-8")],
        body: "v=0\r\n")
      #expect(answer.status == 201)
      #expect(answer.body == "v=0\r\no=answer\r\n")
      #expect(answer["content-type"] == "application/sdp")
      #expect(answer["etag"] == "\"ice-0\"")
      #expect(answer["accept-patch"] == "application/trickle-ice-sdpfrag")
      #expect(answer["location"]?.hasPrefix("/\(kind)/inc-1/") == true)
      let username = "\(TestServer.now.seconds + 60):t-anna"
      let credential = ICEServerIssuer.credential(username: username, secret: "north")
      #expect(
        answer.all("link") == [
          "<stun:s>; rel=\"ice-server\"",
          "<turn:t?transport=udp>; rel=\"ice-server\"; username=\"\(username)\"; credential=\"\(credential)\"; "
            + "credential-type=\"password\"",
        ])
      #expect(
        server.media.calls == [
          .connect(incident: "inc-1", permissions: direction, name: "Anna", offer: "v=0\r\n")
        ])
    }
  }

  /// Opens a session; its address.
  private static func open(_ server: TestServer, _ kind: String, subject: String = "anna") async throws -> String {
    let answer = try await server.send(
      "POST", "/\(kind)/inc-1", [server.bearer(subject: subject), sdp], body: "v=0\r\n")
    #expect(answer.status == 201)
    return try #require(answer["location"])
  }

  @Test(arguments: kinds)
  func trickleNeedsTheCurrentTag(kind: String, direction: MediaPermissions) async throws {
    try await withServer { server in
      let session = try await Self.open(server, kind)
      let bearer = try server.bearer()
      let missing = try await server.send("PATCH", session, [bearer, Self.fragment], body: "a=x\r\n")
      #expect(missing.status == 428)
      let stale = try await server.send(
        "PATCH", session, [bearer, Self.fragment, ("If-Match", "\"old\"")], body: "a=x\r\n")
      #expect(stale.status == 412)
      #expect(server.media.calls.count == 1)
      let good = try await server.send(
        "PATCH", session, [bearer, Self.fragment, ("If-Match", "\"ice-0\"")], body: "a=x\r\n")
      #expect(good.status == 204)
      let peer = try #require(session.split(separator: "/").last.flatMap { PeerID(String($0)) })
      #expect(server.media.calls.last == .trickle(peer, "a=x\r\n"))
    }
  }

  @Test(arguments: kinds)
  func aRestartBringsANewTagAndMakesTheOldOneStale(kind: String, direction: MediaPermissions) async throws {
    try await withServer { server in
      let session = try await Self.open(server, kind)
      let bearer = try server.bearer()
      let restart = try await server.send(
        "PATCH", session, [bearer, Self.fragment, ("If-Match", "*")], body: "a=y\r\n")
      #expect(restart.status == 200)
      #expect(restart["etag"] == "\"ice-1\"")
      #expect(restart["content-type"] == "application/trickle-ice-sdpfrag")
      #expect(restart.body == "a=ice-ufrag:new\r\n")
      let old = try await server.send(
        "PATCH", session, [bearer, Self.fragment, ("If-Match", "\"ice-0\"")], body: "a=x")
      #expect(old.status == 412)
      let new = try await server.send(
        "PATCH", session, [bearer, Self.fragment, ("If-Match", "\"ice-1\"")], body: "a=x")
      #expect(new.status == 204)
    }
  }

  @Test(arguments: kinds)
  func deleteEndsTheSessionOnce(kind: String, direction: MediaPermissions) async throws {
    try await withServer { server in
      let session = try await Self.open(server, kind)
      #expect(try await server.send("DELETE", session, [server.bearer()]).status == 200)
      guard case .disconnect = server.media.calls.last else {
        Issue.record("no disconnect")
        return
      }
      #expect(try await server.send("DELETE", session, [server.bearer()]).status == 404)
    }
  }

  @Test func aSessionIsOutOfReachForOthers() async throws {
    try await withServer { server in
      let session = try await Self.open(server, "whip")
      #expect(try await server.send("DELETE", session).status == 401)
      #expect(try await server.send("DELETE", session, [server.bearer(subject: "bob")]).status == 404)
      let elsewhere = session.replacing("/whip/", with: "/whep/")
      #expect(try await server.send("DELETE", elsewhere, [server.bearer()]).status == 404)
      #expect(try await server.send("DELETE", session, [server.bearer()]).status == 200)
    }
  }

  @Test func aTokenInTheQueryComesBackInTheLocation() async throws {
    try await withServer { server in
      let token = try server.token()
      let answer = try await server.send("POST", "/whip/inc-1?token=\(token)", [Self.sdp], body: "v=0\r\n")
      let location = try #require(answer["location"])
      #expect(location.hasSuffix("?token=\(token)"))
      #expect(try await server.send("DELETE", location).status == 200)
    }
  }

  @Test func thePublicBaseURLStandsInTheLocation() async throws {
    try await withServer(.init(publicBaseURL: "https://video.example")) { server in
      let location = try await Self.open(server, "whip")
      #expect(location.hasPrefix("https://video.example/whip/inc-1/"))
      let base = try await server.gateway.baseURL()
      #expect(base == "https://video.example")
    }
  }

  @Test(arguments: kinds)
  func otherMethodsAreRefusedWithTheAllowedOnes(kind: String, direction: MediaPermissions) async throws {
    try await withServer { server in
      for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
        let answer = try await server.send(method, "/\(kind)/inc-1")
        #expect(answer.status == 405, "\(method)")
        #expect(answer["allow"] == "POST, OPTIONS")
      }
      let session = try await Self.open(server, kind)
      for method in ["GET", "HEAD", "PUT", "POST"] {
        let answer = try await server.send(method, session)
        #expect(answer.status == 405, "\(method)")
        #expect(answer["allow"] == "PATCH, DELETE, OPTIONS")
      }
    }
  }

  @Test func optionsTellsPagesOfAllowedOriginsWhatTheyMaySend() async throws {
    try await withServer(.init(allowedOrigins: .list(["https://console.example"]))) { server in
      let answer = try await server.send("OPTIONS", "/whip/inc-1", [("Origin", "https://console.example")])
      #expect(answer.status == 204)
      #expect(answer["accept-post"] == "application/sdp")
      #expect(answer["access-control-allow-origin"] == "https://console.example")
      #expect(answer["access-control-allow-methods"] == "POST, OPTIONS")
      #expect(answer["access-control-allow-headers"] == "Authorization, Content-Type, If-Match")
      let session = try await server.send("OPTIONS", "/whip/inc-1/abc", [("Origin", "https://console.example")])
      #expect(session["access-control-allow-methods"] == "PATCH, DELETE, OPTIONS")
      #expect(session["accept-patch"] == "application/trickle-ice-sdpfrag")
      let other = try await server.send("OPTIONS", "/whip/inc-1", [("Origin", "https://evil.example")])
      #expect(other["access-control-allow-origin"] == nil)
    }
  }

  @Test func offersAreHeldAgainstTypeAndSize() async throws {
    try await withServer { server in
      let bearer = try server.bearer()
      let wrongType = try await server.send(
        "POST", "/whip/inc-1", [bearer, ("Content-Type", "text/plain")], body: "v=0")
      #expect(wrongType.status == 415)
      #expect(try await server.send("POST", "/whip/inc-1", [bearer], body: "v=0").status == 415)
      let limit = GatewayLimits().maximumOfferBytes
      let fits = String(repeating: "x", count: limit)
      #expect(try await server.send("POST", "/whip/inc-1", [bearer, Self.sdp], body: fits).status == 201)
      let large = try await server.send("POST", "/whip/inc-1", [bearer, Self.sdp], body: fits + "x")
      #expect(large.status == 413)
      #expect(large.body.contains("\(limit) bytes"))
      #expect(try await server.send("POST", "/whip/a%20b", [bearer, Self.sdp], body: "v=0").status == 404)
    }
  }

  @Test func anOfferThatIsNotUTF8IsRefused() async throws {
    try await withServer { server in
      let connection = try await RawConnection.open(port: server.port)
      let (name, value) = try server.bearer()
      try await connection.send(
        "POST /whip/inc-1 HTTP/1.1\r\nHost: x\r\n\(name): \(value)\r\nContent-Type: application/sdp\r\n"
          + "Content-Length: 2\r\n\r\n")
      try await connection.send([0xff, 0xfe])
      #expect(await connection.answer(to: "POST")?.status == 400)
      await connection.close()
    }
  }

  @Test func anUndeclaredFloodIsCutOffAtTheLimit() async throws {
    try await withServer { server in
      let connection = try await RawConnection.open(port: server.port)
      let (name, value) = try server.bearer()
      try await connection.send(
        "POST /whip/inc-1 HTTP/1.1\r\nHost: x\r\n\(name): \(value)\r\nContent-Type: application/sdp\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n")
      let chunk = "4000\r\n\(String(repeating: "x", count: 0x4000))\r\n"
      for _ in 0..<5 { try await connection.send(chunk) }
      #expect(await connection.answer(to: "POST")?.status == 413)
      await connection.close()
    }
  }

  @Test(arguments: [
    (MediaError.Code.badDescription, 400), (.notPermitted, 403), (.unknownPeer, 404), (.unknownSlot, 409),
    (.full, 503), (.unavailable, 503),
  ])
  func refusalsOfTheMediaPlaneKeepTheirWords(code: MediaError.Code, status: Int) async throws {
    try await withServer { server in
      server.media.fail(with: MediaError(code, "line 12: what to do next"))
      let answer = try await server.send("POST", "/whip/inc-1", [server.bearer(), Self.sdp], body: "v=0")
      #expect(answer.status == status)
      #expect(answer["content-type"] == "application/problem+json")
      #expect(answer.body.contains("line 12: what to do next"))
      #expect((answer["retry-after"] != nil) == (status == 503))
    }
  }

  @Test func aSessionThatTheMediaPlaneForgotIsGone() async throws {
    try await withServer { server in
      let session = try await Self.open(server, "whip")
      server.media.fail(with: MediaError(.unknownPeer, "gone"))
      let headers = [try server.bearer(), Self.fragment, ("If-Match", "\"ice-0\"")]
      #expect(try await server.send("PATCH", session, headers, body: "a=x").status == 404)
      server.media.fail(with: nil)
      #expect(try await server.send("PATCH", session, headers, body: "a=x").status == 404)
    }
  }

  @Test func theSessionLimitIsAnsweredWith503() async throws {
    var limits = GatewayLimits()
    limits.maximumSessions = 1
    try await withServer(.init(limits: limits)) { server in
      _ = try await Self.open(server, "whip")
      let second = try await server.send("POST", "/whip/inc-1", [server.bearer(), Self.sdp], body: "v=0")
      #expect(second.status == 503)
      #expect(second["retry-after"] == "5")
      #expect(server.media.calls.count == 1)
    }
  }
}
