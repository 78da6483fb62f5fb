import Gateway
import MediaServer
import NIOCore
import Primitives
import Testing

/// `sightline.v1` over real connections.
@Suite(.timeLimit(.minutes(5)))
struct WebSocketTests {
  // MARK: - Signing in

  @Test(arguments: ["query", "subprotocol", "header", "hello"])
  func theTokenMayComeInFourWays(way: String) async throws {
    try await withServer { server in
      let token = try server.token()
      let socket =
        switch way {
        case "query":
          try await WebSocketClient.open(port: server.port, target: "/ws?token=\(token)")
        case "subprotocol":
          try await WebSocketClient.open(
            port: server.port, headers: [("Sec-WebSocket-Protocol", "sightline.v1, \(token)")])
        case "header":
          try await WebSocketClient.open(port: server.port, headers: [("Authorization", "Bearer \(token)")])
        default:
          try await WebSocketClient.open(port: server.port, headers: [("Sec-WebSocket-Protocol", "sightline.v1")])
        }
      if way == "hello" { try await socket.send(#"{"v":1,"kind":"hello","token":"\#(token)"}"#) }
      let welcome = try #require(await socket.message("welcome"))
      #expect(welcome["incident"] as? String == "inc-1")
      #expect(welcome["name"] as? String == "Anna")
      #expect(welcome["role"] as? String == "caller")
      #expect(welcome["permissions"] as? [String] == ["publish", "subscribe"])
      #expect(socket.subprotocol == (way == "subprotocol" || way == "hello" ? "sightline.v1" : nil))
      await socket.connection.close()
    }
  }

  @Test(arguments: [("x", 4401), ("expired", 4401)])
  func aRefusedTokenGetsWordsAndACloseCode(text: String, code: Int) async throws {
    try await withServer { server in
      let socket = try await server.webSocket(text == "expired" ? server.token(lifetime: 0) : text)
      let error = try #require(await socket.message("error"))
      #expect(error["code"] as? String == (text == "expired" ? "expiredToken" : "invalidToken"))
      guard case .close(let closeCode, _) = await socket.closing() else {
        Issue.record("no close frame")
        return
      }
      #expect(closeCode == code)
      await socket.connection.close()
    }
  }

  @Test func silenceInsteadOfHelloIsClosed() async throws {
    var limits = GatewayLimits()
    limits.helloTimeout = .milliseconds(30)
    try await withServer(.init(limits: limits)) { server in
      let socket = try await WebSocketClient.open(port: server.port)
      guard case .close(4401, _) = await socket.closing() else {
        Issue.record("not closed")
        return
      }
      await socket.connection.close()
    }
  }

  @Test(arguments: [
    ([("Origin", "https://evil.example")], 403), ([("Sec-WebSocket-Protocol", "chat")], 400),
  ])
  func someUpgradesAreRefused(headers: [(String, String)], status: Int) async throws {
    try await withServer { server in
      let refused = await #expect(throws: WebSocketClient.Refused.self) {
        _ = try await server.webSocket(headers: headers)
      }
      #expect(refused?.answer?.status == status)
      #expect(refused?.answer?["content-type"] == "application/problem+json")
    }
  }

  @Test func theSocketLimitIsAnsweredWith503AndFreedAgain() async throws {
    var limits = GatewayLimits()
    limits.maximumWebSockets = 1
    try await withServer(.init(limits: limits)) { server in
      let first = try await server.webSocket()
      let refused = await #expect(throws: WebSocketClient.Refused.self) { _ = try await server.webSocket() }
      #expect(refused?.answer?.status == 503)
      try await first.send(opcode: 8, [0x03, 0xe8])
      while await first.next() != .end {}
      let second = try await server.webSocket()
      #expect(await second.message("welcome") != nil)
      await second.connection.close()
    }
  }

  @Test func pagesOfTheSameOriginMayConnect() async throws {
    try await withServer { server in
      let socket = try await server.webSocket(headers: [("Origin", "http://localhost")])
      #expect(await socket.message("welcome") != nil)
      await socket.connection.close()
    }
  }

  @Test func withoutAnUpgradeTheAddressSaysWhatItIs() async throws {
    try await withServer { server in
      #expect(try await server.send("GET", "/ws").status == 426)
      let elsewhere = try await server.send(
        "GET", "/healthz", [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")])
      #expect(elsewhere.status == 200)
      #expect(elsewhere.body == "ok\n")
    }
  }

  @Test(arguments: [
    "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n"
      + "Sec-WebSocket-Version: 8\r\n\r\n",
  ])
  func anIncompleteHandshakeIsAnswered426(text: String) async throws {
    try await withServer { server in
      let connection = try await RawConnection.open(port: server.port)
      try await connection.send(text)
      let answer = await connection.answer(to: "GET")
      #expect(answer?.status == 426)
      #expect(answer?["sec-websocket-version"] == "13")
      await connection.close()
    }
  }

  @Test func aLaterRequestOfAConnectionIsAnsweredNotUpgraded() async throws {
    try await withServer { server in
      let connection = try await RawConnection.open(port: server.port)
      #expect(try await connection.request("GET", "/healthz")?.status == 200)
      let upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
      #expect(try await connection.request("GET", "/ws", upgrade)?.status == 426)
      #expect(await !connection.readMore())
      await connection.close()
    }
  }

  // MARK: - Signalling

  @Test func anOfferIsAnsweredAndItsStepsReachTheMediaPlane() async throws {
    try await withServer { server in
      let socket = try await server.webSocket(server.token(.publish))
      try await socket.send(#"{"v":1,"id":"1","kind":"offer","sdp":"v=0\r\n"}"#)
      let answer = try #require(await socket.message("answer"))
      #expect(answer["inReplyTo"] as? String == "1")
      #expect(answer["sdp"] as? String == "v=0\r\no=answer\r\n")
      #expect(answer["iceSession"] as? String == "ice-0")
      let peer = try #require((answer["peer"] as? String).flatMap { PeerID($0) })
      try await socket.send(#"{"v":1,"kind":"candidate","fragment":"a=x"}"#)
      try await socket.send(#"{"v":1,"kind":"select","slot":"2","source":"s7"}"#)
      try await socket.send(#"{"v":1,"id":"2","kind":"restart","fragment":"a=y"}"#)
      let restarted = try #require(await socket.message("restarted"))
      #expect(restarted["fragment"] as? String == "a=ice-ufrag:new\r\n")
      #expect(restarted["iceSession"] as? String == "ice-1")
      #expect(
        server.media.calls == [
          .connect(incident: "inc-1", permissions: .publish, name: "Anna", offer: "v=0\r\n"), .trickle(peer, "a=x"),
          .select(SourceID(7), slot: "2", peer), .restart(peer, "a=y"),
        ])
      try await socket.send(#"{"v":1,"kind":"bye"}"#)
      #expect(await socket.closing() == .close(code: 1000, reason: "goodbye"))
      #expect(server.media.calls.last == .disconnect(peer, reason: "ended by its client"))
      await socket.connection.close()
    }
  }

  @Test func aNewOfferTakesThePlaceOfTheFormerSession() async throws {
    try await withServer { server in
      let socket = try await server.webSocket()
      let first = try await Self.offer(socket)
      let second = try await Self.offer(socket)
      #expect(first != second)
      #expect(server.media.calls.last == .disconnect(first, reason: "replaced by a new offer"))
      await socket.connection.close()
    }
  }

  /// Sends an offer; the session that it opened.
  private static func offer(_ socket: WebSocketClient) async throws -> PeerID {
    try await socket.send(#"{"v":1,"kind":"offer","sdp":"v=0"}"#)
    let answer = try #require(await socket.message("answer"))
    return try #require((answer["peer"] as? String).flatMap { PeerID($0) })
  }

  @Test func mistakesAreAnsweredAndTheConnectionGoesOn() async throws {
    try await withServer { server in
      let socket = try await server.webSocket()
      let mistakes: [(String, String)] = [
        (#"{"v":1,"id":"a","kind":"dance"}"#, "unknownKind"), ("no json", "badEnvelope"),
        (#"{"v":1,"kind":"restart","fragment":"x"}"#, "unknownSession"),
        (#"{"v":1,"kind":"resume","peer":"000102030405060708090a0b0c0d0e0f"}"#, "unknownSession"),
        (#"{"v":1,"kind":"hello","token":"x"}"#, "badRequest"),
      ]
      for (text, code) in mistakes {
        try await socket.send(text)
        let error = try #require(await socket.message("error"))
        #expect(error["code"] as? String == code)
        #expect((error["inReplyTo"] as? String) == (code == "unknownKind" ? "a" : nil))
      }
      server.media.fail(with: MediaError(.badDescription, "line 3: no ICE credentials"))
      try await socket.send(#"{"v":1,"id":"z","kind":"offer","sdp":"v=0"}"#)
      let error = try #require(await socket.message("error"))
      #expect(error["text"] as? String == "line 3: no ICE credentials")
      #expect(error["inReplyTo"] as? String == "z")
      try await socket.send(#"{"v":1,"id":"p","kind":"ping"}"#)
      #expect(await socket.message("pong")?["inReplyTo"] as? String == "p")
      await socket.connection.close()
    }
  }

  // MARK: - Events

  @Test func theOverviewComesFirstThenWhatHappens() async throws {
    try await withServer { server in
      var random = RandomSource.seeded(1)
      let peer = PeerID(using: &random)
      let source = SourceOverview(
        id: SourceID(4), peer: peer, kind: .video, state: .live, codec: "H264", bitrate: 2_500_000)
      let person = PeerOverview(id: peer, name: "paramedic 7", permissions: .subscribe, state: .connected)
      server.media.setOverview(IncidentMedia(peers: [person], sources: [source]))
      let socket = try await server.webSocket()
      let overview = try #require(await socket.message("overview"))
      let sources = try #require(overview["sources"] as? [[String: Any]])
      #expect(sources.first?["id"] as? String == "s4")
      #expect(sources.first?["codec"] as? String == "H264")
      #expect(sources.first?["bitrate"] as? Int == 2_500_000)
      #expect((overview["peers"] as? [[String: Any]])?.first?["name"] as? String == "paramedic 7")
      var left = person
      left.state = .closed(reason: "hung up")
      server.media.emit(.peerChanged(left))
      let gone = try #require(await socket.message("peer")?["peer"] as? [String: Any])
      #expect(gone["state"] as? String == "closed")
      #expect(gone["reason"] as? String == "hung up")
      server.media.emit(.sourceChanged(source))
      let live = try #require(await socket.message("source")?["source"] as? [String: Any])
      #expect(live["state"] as? String == "live")
      #expect(live["speaking"] == nil)
      var voice = source
      (voice.kind, voice.isSpeaking) = (.audio, true)
      server.media.emit(.sourceChanged(voice))
      #expect((await socket.message("source")?["source"] as? [String: Any])?["speaking"] as? Bool == true)
      server.media.emit(.sourceRemoved(SourceID(4)))
      #expect(await socket.message("sourceRemoved")?["source"] as? String == "s4")
      server.media.emit(.message(from: peer, channel: "chat", text: "über \"da\"\n"))
      let message = try #require(await socket.message("message"))
      #expect(message["text"] as? String == "über \"da\"\n")
      #expect(message["from"] as? String == peer.description)
      await socket.connection.close()
    }
  }

  // MARK: - Coming back

  @Test func aSessionIsResumedOnANewConnectionByItsOwnerOnly() async throws {
    try await withServer { server in
      let socket = try await server.webSocket()
      let peer = try await Self.offer(socket)
      await socket.connection.close()
      let stranger = try await server.webSocket(server.token(subject: "bob", id: "t-bob"))
      try await stranger.send(#"{"v":1,"kind":"resume","peer":"\#(peer)"}"#)
      #expect(await stranger.message("error")?["code"] as? String == "unknownSession")
      let again = try await server.webSocket()
      try await again.send(#"{"v":1,"kind":"resume","peer":"\#(peer)"}"#)
      let resumed = try #require(await again.message("resumed"))
      #expect(resumed["iceSession"] as? String == "ice-0")
      try await again.send(#"{"v":1,"kind":"restart","fragment":"a=y"}"#)
      #expect(await again.message("restarted") != nil)
      #expect(server.media.calls.last == .restart(peer, "a=y"))
      await stranger.connection.close()
      await again.connection.close()
    }
  }

  @Test func aConnectionThatWasTakenOverCannotEndTheSession() async throws {
    try await withServer { server in
      let old = try await server.webSocket()
      let peer = try await Self.offer(old)
      let new = try await server.webSocket()
      try await new.send(#"{"v":1,"kind":"resume","peer":"\#(peer)"}"#)
      #expect(await new.message("resumed") != nil)
      try await old.send(#"{"v":1,"kind":"bye"}"#)
      _ = await old.closing()
      #expect(server.media.calls.count == 1)
      try await new.send(#"{"v":1,"kind":"bye"}"#)
      _ = await new.closing()
      #expect(server.media.calls.last == .disconnect(peer, reason: "ended by its client"))
      await old.connection.close()
      await new.connection.close()
    }
  }

  @Test func aPageThatDoesNotComeBackLosesItsSessionAfterTheGrace() async throws {
    var limits = GatewayLimits()
    limits.resumeGrace = .milliseconds(40)
    try await withServer(.init(limits: limits)) { server in
      let socket = try await server.webSocket()
      let peer = try await Self.offer(socket)
      server.media.setOverview(Self.overview(of: peer, .interrupted))
      await socket.connection.close()
      let end = await server.media.call { if case .disconnect = $0 { true } else { false } }
      #expect(end == .disconnect(peer, reason: "the page did not come back"))
    }
  }

  @Test func runningMediaOutlivesItsPagesConnection() async throws {
    var limits = GatewayLimits()
    limits.resumeGrace = .milliseconds(20)
    try await withServer(.init(limits: limits)) { server in
      let kept = try await server.webSocket()
      let living = try await Self.offer(kept)
      server.media.setOverview(Self.overview(of: living, .connected))
      await kept.connection.close()
      // Two more pages are lost, one after the other: by the time the second is given up, the first was checked.
      for _ in 0..<2 {
        let lost = try await server.webSocket()
        let dying = try await Self.offer(lost)
        var overview = Self.overview(of: living, .connected)
        overview.peers += Self.overview(of: dying, .interrupted).peers
        server.media.setOverview(overview)
        await lost.connection.close()
        _ = await server.media.call { $0 == .disconnect(dying, reason: "the page did not come back") }
      }
      let again = try await server.webSocket()
      try await again.send(#"{"v":1,"kind":"resume","peer":"\#(living)"}"#)
      #expect(await again.message("resumed") != nil)
      await again.connection.close()
    }
  }

  private static func overview(of peer: PeerID, _ state: PeerState) -> IncidentMedia {
    IncidentMedia(peers: [PeerOverview(id: peer, name: "Anna", permissions: .publish, state: state)], sources: [])
  }
}
