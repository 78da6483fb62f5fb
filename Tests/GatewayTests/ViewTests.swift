import ControlRoom
import Gateway
import Incidents
import JSON
import MediaServer
import Primitives
import Testing

/// Priorities on their way to the media plane, and what viewers are told of their pictures.
@Suite(.timeLimit(.minutes(5)))
struct ViewTests {
  private static let sdp = ("Content-Type", "application/sdp")
  private static let json = ("Content-Type", "application/json")

  /// Opens a WHEP session; its path and its peer.
  private static func watch(_ server: TestServer) async throws -> (path: String, peer: PeerID) {
    let answer = try await server.send("POST", "/whep/inc-1", [server.bearer(), sdp], body: "v=0\r\n")
    let path = try #require(answer["location"])
    return (path, try #require(path.split(separator: "/").last.flatMap { PeerID(String($0)) }))
  }

  private static func classify(_ server: TestServer, _ priority: String) async throws {
    let incident = try #require(IncidentID(TestServer.incident))
    _ = try await server.desks.room.submit(
      Wish(.classified, ["priority": .string(priority)], in: incident, by: .system, isServer: true))
  }

  @Test func peersComeWithThePriorityAndHearOfItsChanges() async throws {
    try await withServer { server in
      _ = try await Self.watch(server)
      #expect(server.media.prioritiesOfPeers == [2], "an incident that a link opens is P2")
      for (priority, rank) in [("P1", 1), ("P4", 4)] {
        try await Self.classify(server, priority)
        _ = await server.media.call { $0 == .setPriority(rank, incident: TestServer.incident) }
      }
      _ = try await Self.watch(server)
      #expect(server.media.prioritiesOfPeers == [2, 4])
    }
  }

  @Test func aSlotSaysWhatItShowsAndWhy() async throws {
    try await withServer { server in
      let (path, peer) = try await Self.watch(server)
      let layers = (0..<3).map {
        LayerOverview(rid: ["l", "m", "h"][$0], spatial: $0, temporal: 0, bitrate: 150_000, width: 320, height: 180)
      }
      let source = SourceOverview(
        id: SourceID(7), peer: peer, kind: .video, state: .live, codec: "VP8", bitrate: 1, layers: layers)
      server.media.setOverview(IncidentMedia(peers: [], sources: [source]))
      server.media.setSlots([
        "0": SlotView(
          source: SourceID(7), kind: .video, shows: .layer(1), reason: .link, linkBitsPerSecond: 600_000),
        "1": SlotView(source: SourceID(8), kind: .audio, shows: .all, reason: nil, linkBitsPerSecond: nil),
      ])
      let answer = try await server.send("GET", "\(path)/slots", [server.bearer()])
      #expect(
        try JSONValue(parsing: answer.body) == [
          "slots": [
            "0": [
              "source": "s7", "kind": "video", "shows": "layer", "layer": 1, "layers": 3, "reason": "link",
              "linkBitsPerSecond": 600_000,
            ],
            "1": ["source": "s8", "kind": "audio", "shows": "all"],
          ]
        ])
    }
  }

  @Test(arguments: [
    (#"{"height": 180}"#, ["limit 180"]), (#"{"height": null}"#, ["limit none"]), ("{}", ["select none"]),
    (#"{"source": "s7"}"#, ["select s7"]), (#"{"source": "s7", "height": 360}"#, ["limit 360", "select s7"]),
  ])
  func aSlotTakesASourceAndALimit(body: String, calls: [String]) async throws {
    try await withServer { server in
      let (path, _) = try await Self.watch(server)
      let answer = try await server.send("PUT", "\(path)/slots/0", [server.bearer(), Self.json], body: body)
      #expect(answer.status == 204)
      let asked = server.media.calls.dropFirst().map { call in
        switch call {
        case .limit("0", _, let height): "limit \(height.map(String.init) ?? "none")"
        case .select(let source, "0", _): "select \(source?.description ?? "none")"
        default: "\(call)"
        }
      }
      #expect(asked == calls)
    }
  }

  @Test(arguments: [#"{"height": 0}"#, #"{"height": "small"}"#, #"{"source": "x"}"#, #"{"source": null}"#])
  func whatASlotCannotTakeIsRefused(body: String) async throws {
    try await withServer { server in
      let (path, _) = try await Self.watch(server)
      let answer = try await server.send("PUT", "\(path)/slots/0", [server.bearer(), Self.json], body: body)
      #expect(answer.status == 400 || answer.status == 422)
      #expect(server.media.calls.count == 1)
    }
  }

  // MARK: - News

  private static let reduced = SlotView(
    source: SourceID(7), kind: .video, shows: .stills, reason: .overload, linkBitsPerSecond: 2_000_000)

  @Test func whoWatchesIsToldOfTheirOwnPictureAndNotOfOthers() async throws {
    try await withServer { server in
      let (_, peer) = try await Self.watch(server)
      let own = try await server.webSocket(server.token(id: "t-anna"))
      let other = try await server.webSocket(server.token(subject: "bob", id: "t-bob"))
      #expect(await own.message("overview") != nil)
      #expect(await other.message("overview") != nil)
      server.media.emit(.viewChanged(of: peer, slot: "0", view: Self.reduced))
      server.media.emit(.sourceRemoved(SourceID(9)))
      let view = try #require(await own.message("view"))
      #expect(view["peer"] as? String == peer.description)
      #expect(view["slot"] as? String == "0")
      #expect(view["source"] as? String == "s7")
      #expect(view["media"] as? String == "video")
      #expect(view["shows"] as? String == "stills")
      #expect(view["reason"] as? String == "overload")
      #expect(view["linkBitsPerSecond"] as? Int == 2_000_000)
      #expect(view["layer"] == nil)
      var kinds: [String] = []
      while case .text(let text) = await other.next() {
        kinds.append(try JSONValue(parsing: text)["kind"]?.string ?? "")
        if kinds.last == "sourceRemoved" { break }
      }
      #expect(kinds.last == "sourceRemoved" && !kinds.contains("view"))
      await own.connection.close()
      await other.connection.close()
    }
  }

  @Test func theJournalKeepsWhatAFullNodeTook() async throws {
    try await withServer { server in
      let (stream, continuation) = AsyncStream.makeStream(of: JournalEvent.self)
      server.desks.room.observe { event, _ in if event.kind == "media.view" { continuation.yield(event) } }
      let (_, peer) = try await Self.watch(server)
      var events = stream.makeAsyncIterator()
      await server.media.readers(atLeast: 1)
      server.media.emit(.viewChanged(of: peer, slot: "0", view: Self.reduced))
      let event = try #require(await events.next())
      #expect(
        event.payload == [
          "account": "anna", "role": "caller", "name": "Anna", "source": "s7", "from": "all", "to": "stills",
          "reason": "overload",
        ])
      #expect(event.actor == .system)
    }
  }
}
