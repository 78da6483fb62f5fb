import Gateway
import MediaServer
import Testing

/// Who comes in, over real HTTP.
@Suite(.timeLimit(.minutes(5)))
struct AccessTests {
  private static let sdp = ("Content-Type", "application/sdp")

  private static func post(_ server: TestServer, _ token: String?, _ path: String = "/whip/inc-1") async throws
    -> HTTPAnswer
  {
    let headers = token.map { [("Authorization", "Bearer \($0)")] } ?? []
    return try await server.send("POST", path, headers + [sdp], body: "v=0")
  }

  @Test func noTokenIs401WithABareChallenge() async throws {
    try await withServer { server in
      let answer = try await Self.post(server, nil)
      #expect(answer.status == 401)
      #expect(answer["www-authenticate"] == "Bearer")
      #expect(answer["content-type"] == "application/problem+json")
      #expect(answer.body.contains(#""code":"missingToken""#))
      #expect(answer.body.contains(#""status":401"#))
    }
  }

  @Test(arguments: ["x", "a.b.c", "", "é"])
  func anythingElseThanATokenIs401(text: String) async throws {
    try await withServer { server in
      let answer = try await Self.post(server, text)
      #expect(answer.status == 401)
      #expect(answer["www-authenticate"]?.contains(#"error="invalid_token""#) == true)
      #expect(answer.body.contains(#""code":"invalidToken""#))
    }
  }

  @Test func anotherSchemeIs401EvenWithAGoodTokenInTheQuery() async throws {
    try await withServer { server in
      let answer = try await server.send(
        "POST", "/whip/inc-1?token=\(server.token())", [("Authorization", "Basic eDp5"), Self.sdp], body: "v=0")
      #expect(answer.status == 401)
    }
  }

  @Test func aForeignSignatureIs401() async throws {
    try await withServer { server in
      let foreign = TestServer(
        port: 0, media: server.media, authority: try TestServer.makeAuthority(2), desks: server.desks,
        gateway: server.gateway, log: server.log, shutdown: {})
      #expect(try await Self.post(server, foreign.token()).status == 401)
    }
  }

  @Test func anExpiredTokenIs401AndSaysSo() async throws {
    try await withServer { server in
      let answer = try await Self.post(server, server.token(lifetime: 0))
      #expect(answer.status == 401)
      #expect(answer["www-authenticate"]?.contains("expired") == true)
      #expect(answer.body.contains(#""code":"expiredToken""#))
    }
  }

  @Test func anExpiredTokenKeepsTheSessionThatItOpened() async throws {
    try await withServer { server in
      let opened = try await Self.post(server, server.token(id: "link-1"))
      let session = try #require(opened["location"])
      let expired = [("Authorization", "Bearer \(try server.token(id: "link-1", lifetime: 0))")]
      let restart = expired + [("Content-Type", "application/trickle-ice-sdpfrag"), ("If-Match", "*")]
      #expect(try await server.send("PATCH", session, restart, body: "a=x").status == 200)
      let other = [("Authorization", "Bearer \(try server.token(id: "link-2", lifetime: 0))")]
      #expect(try await server.send("DELETE", session, other).status == 401)
      #expect(try await server.send("DELETE", session, expired).status == 200)
      #expect(try await server.send("DELETE", session, expired).status == 404)
    }
  }

  @Test(arguments: [("/whip/inc-2", MediaPermissions.publish), ("/whip/inc-1", .subscribe), ("/whep/inc-1", .publish)])
  func aTokenForSomethingElseIs403(path: String, direction: MediaPermissions) async throws {
    try await withServer { server in
      let answer = try await Self.post(server, server.token(direction), path)
      #expect(answer.status == 403)
      #expect(answer["www-authenticate"] == #"Bearer error="insufficient_scope""#)
      #expect(server.media.calls.isEmpty)
    }
  }

  @Test func tooManyFailuresAre429ButAGoodTokenStillPasses() async throws {
    var limits = GatewayLimits()
    limits.maximumTokenFailures = 3
    try await withServer(.init(limits: limits)) { server in
      for _ in 0..<3 { #expect(try await Self.post(server, "x").status == 401) }
      let answer = try await Self.post(server, "x")
      #expect(answer.status == 429)
      #expect(answer["retry-after"].flatMap(Int.init).map { (1...60).contains($0) } == true)
      #expect(try await Self.post(server, server.token()).status == 201)
    }
  }

  @Test func logsHoldNoTokensAndNoSessionNames() async throws {
    try await withServer { server in
      let token = try server.token()
      let opened = try await server.send("POST", "/whip/inc-1?token=\(token)", [Self.sdp], body: "v=0")
      let location = try #require(opened["location"])
      _ = try await server.send("DELETE", location)
      _ = try await server.send("GET", "/nothing/\(token)?token=\(token)")
      let socket = try await server.webSocket(token)
      #expect(await socket.message("welcome") != nil)
      await socket.connection.close()
      let peer = try #require(location.split(separator: "/").last?.split(separator: "?").first)
      let lines = server.log.lines
      #expect(lines.contains { $0.contains("method=POST") && $0.contains("status=201") && $0.contains("route=/whip/") })
      for line in lines {
        #expect(!line.contains(token.suffix(40)) && !line.contains(peer) && !line.contains("token="), "\(line)")
      }
    }
  }

  @Test func iceServersNeedAToken() async throws {
    let turn = TURNConfiguration(urls: ["turn:t"], sharedSecret: "north", lifetime: 60)
    try await withServer(.init(turn: turn)) { server in
      #expect(try await server.send("GET", "/api/ice-servers").status == 401)
      let answer = try await server.send("GET", "/api/ice-servers", [server.bearer()])
      #expect(answer.status == 200)
      #expect(try await server.send("OPTIONS", "/api/ice-servers").status == 204)
      let username = "\(TestServer.now.seconds + 60):t-anna"
      let credential = ICEServerIssuer.credential(username: username, secret: "north")
      #expect(
        answer.body
          == #"{"iceServers":[{"credential":"\#(credential)","urls":["turn:t"],"username":"\#(username)"}]}"#)
    }
  }
}
