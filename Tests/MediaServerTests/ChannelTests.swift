import DataChannel
import MediaServer
import Primitives
import SimulationSupport
import Synchronization
import Testing

@Suite(.serialized, .ownsSCTPClock) struct ChannelTests {
  let incident: IncidentID
  let log = ChannelLog()

  init() throws {
    incident = try #require(IncidentID("channels"))
  }

  private func stage(shards: Int = 1) throws -> Stage {
    let stage = try Stage(shards: shards)
    stage.server.setChannelHandler { [log] in log.append($0) }
    return stage
  }

  /// Opens a channel and waits until the server knows it.
  private func open(_ parameters: DataChannelParameters, of client: ChannelClient) async throws -> DataChannelID {
    let before = log.count(.opened, on: parameters.label)
    let id = try await client.open(parameters)
    try await eventually("the channel opens") { log.count(.opened, on: parameters.label) == before + 1 }
    return id
  }

  private func open(_ label: String, of client: ChannelClient) async throws -> DataChannelID {
    try await open(DataChannelParameters(label: label), of: client)
  }

  @Test func aThousandMessagesAreEchoedInOrder() async throws {
    let stage = try Stage()
    let writer = Mutex<ChannelWriter?>(nil)
    let heard = log
    stage.server.setChannelHandler { [server = stage.server] event in
      heard.append(event)
      let writer = writer.withLock { writer in
        if case .opened = event.kind { writer = ChannelWriter(server, channel: event.channel, peer: event.peer) }
        return writer
      }
      switch event.kind {
      case .text(let text): writer?.send([text])
      case .writable: writer?.becomeWritable()
      case .opened, .closed: break
      }
    }
    let client = try await stage.joinWithChannels(incident)
    let id = try await open(ChannelEvent.metadataChannel, of: client)
    let texts = (0..<1_000).map { "\($0): où êtes-vous ?" }
    try await client.send(texts, on: id)
    try await eventually("all come back", within: .seconds(30)) { client.texts(on: id).count >= texts.count }
    let isInOrder = client.texts(on: id) == texts && log.texts(on: ChannelEvent.metadataChannel) == texts
    #expect(isInOrder)
    #expect(log.events.allSatisfy { $0.peer == client.id && $0.incident == incident && $0.stream == id.stream })
    await stage.close()
  }

  @Test func aFullChannelSaysSoAndAsksForMoreLater() async throws {
    let stage = try stage()
    let client = try await stage.joinWithChannels(incident)
    let id = try await open("bulk", of: client)
    let texts = (0..<4_000).map { "\($0) " + String(repeating: "x", count: 1_000) }
    var taken = 0
    var writable = 0
    try await client.whileDeaf {
      // What the client acknowledged before it was deaf may still make room for a while.
      var looksFull = 0
      try await eventually("nothing more fits") {
        let batch = Array(texts[taken..<min(taken + 50, texts.count)])
        let count = try await enqueue(batch, on: "bulk", of: client.id, stage).get()
        taken += count
        looksFull = count == 0 ? looksFull + 1 : 0
        return looksFull == 5
      }
      try #require(taken < texts.count)
      writable = log.count(.writable, on: "bulk")
      let next = texts[taken]
      #expect(try await enqueue([next], on: "bulk", of: client.id, stage) == .success(0))
      let error = await #expect(throws: MediaError.self) {
        try await stage.server.send(next, on: "bulk", of: client.id)
      }
      #expect(error?.code == .full)
      #expect(log.count(.writable, on: "bulk") == writable)
    }
    try await eventually("there is room again") { log.count(.writable, on: "bulk") > writable }
    let writer = ChannelWriter(stage.server, channel: "bulk", peer: client.id)
    stage.server.setChannelHandler { if case .writable = $0.kind { writer.becomeWritable() } }
    writer.send(Array(texts[taken...]))
    try await eventually("everything arrives", within: .seconds(60)) { client.texts(on: id).count >= texts.count }
    let isInOrder = client.texts(on: id) == texts
    #expect(isInOrder)
    #expect(writer.refusals.isEmpty)
    await stage.close()
  }

  @Test func everyChannelClosesOnce() async throws {
    let stage = try stage()
    let client = try await stage.joinWithChannels(incident)
    let first = try await open("a", of: client)
    _ = try await open("b", of: client)
    _ = try await open("c", of: client)
    await client.close(first)
    try await eventually("the channel closes") { log.count(.closed, on: "a") == 1 }
    #expect(log.count(.closed, on: "b") == 0)
    #expect(try await enqueue(["x"], on: "a", of: client.id, stage) == .failure(.gone))
    #expect(try await enqueue(["x"], on: "b", of: client.id, stage) == .success(1))
    await stage.server.disconnect(client.id, reason: "test")
    #expect(["a", "b", "c"].map { log.count(.closed, on: $0) } == [1, 1, 1])
    #expect(try await enqueue(["x"], on: "b", of: client.id, stage) == .failure(.gone))
    let error = await #expect(throws: MediaError.self) { try await stage.server.send("x", on: "b", of: client.id) }
    #expect(error?.code == .unknownPeer)
    await stage.close()
    #expect(log.events.count { $0.kind == .closed } == 3)
  }

  @Test func aPeersGoodbyeClosesItsChannels() async throws {
    let stage = try stage()
    let leaving = try await stage.joinWithChannels(incident)
    let staying = try await stage.joinWithChannels(incident)
    _ = try await open("leaving", of: leaving)
    _ = try await open("staying", of: staying)
    await leaving.leave()
    try await eventually("the channel closes") { log.count(.closed, on: "leaving") == 1 }
    #expect(log.count(.closed, on: "staying") == 0)
    await stage.close()
    #expect(log.count(.closed, on: "staying") == 1)
    #expect(log.count(.closed, on: "leaving") == 1)
  }

  @Test func metadataAndRealTimeTextReachTheHandlerAlone() async throws {
    let stage = try stage()
    let client = try await stage.joinWithChannels(incident)
    let other = try await stage.joinWithChannels(incident)
    let metadata = try await open(ChannelEvent.metadataChannel, of: client)
    let text = try await open(.realTimeText(label: "rtt"), of: client)
    let chat = try await open("chat", of: client)
    let events = await stage.server.events(of: incident)
    try await client.send(["secret"], on: metadata)
    try await client.send(["h", "\u{8}", "", "\u{fffd}"], on: text)
    try await eventually("the handler hears both") {
      log.texts(on: ChannelEvent.metadataChannel).count == 1 && log.texts(on: "rtt").count == 4
    }
    try await client.send(["hello"], on: chat)
    for await event in events {
      guard case .message(let peer, let channel, let text) = event else { continue }
      #expect(peer == client.id)
      #expect(channel == "chat")
      #expect(text == "hello")
      break
    }
    #expect(log.texts(on: "rtt") == ["h", "\u{8}", "", "\u{fffd}"])
    #expect(log.texts(on: "chat") == ["hello"])
    for event in log.events { #expect(event.isRealTimeText == (event.channel == "rtt")) }
    #expect(log.events.allSatisfy { $0.peer != other.id })
    await stage.close()
  }

  @Test func theServerAnswersOnAPeersRealTimeText() async throws {
    let stage = try stage()
    let client = try await stage.joinWithChannels(incident)
    let id = try await open(.realTimeText(label: "rtt"), of: client)
    try await stage.server.send("Bonjour", on: "rtt", of: client.id)
    try await eventually("the text arrives") { client.texts(on: id) == ["Bonjour"] }
    await stage.close()
  }

  @Test func theNewestChannelOfALabelIsUsed() async throws {
    let stage = try stage()
    let client = try await stage.joinWithChannels(incident)
    let old = try await open("twice", of: client)
    let new = try await open("twice", of: client)
    try await stage.server.send("one", on: "twice", of: client.id)
    try await eventually("the newer gets it") { client.texts(on: new) == ["one"] }
    await client.close(new)
    try await eventually("the newer closes") {
      log.events.contains { $0.kind == .closed && $0.stream == new.stream }
    }
    try await stage.server.send("two", on: "twice", of: client.id)
    try await eventually("the older gets it") { client.texts(on: old) == ["two"] }
    await stage.close()
  }

  @Test func aTextThatIsTooLongIsRefusedWhenItIsFirst() async throws {
    let stage = try stage()
    let client = try await stage.joinWithChannels(incident)
    let id = try await open("x", of: client)
    // The client's own description says so.
    let limit = 65_536
    let long = String(repeating: "x", count: limit + 1)
    #expect(try await enqueue(["a", "b", long, "c"], on: "x", of: client.id, stage) == .success(2))
    try await eventually("more is asked for") { log.count(.writable, on: "x") == 1 }
    #expect(try await enqueue([long, "c"], on: "x", of: client.id, stage) == .failure(.tooLong(limit: limit)))
    #expect(try await enqueue(["c"], on: "x", of: client.id, stage) == .success(1))
    try await eventually("the others arrive") { client.texts(on: id) == ["a", "b", "c"] }
    await stage.close()
  }

  @Test func peersAreFoundOnEveryShard() async throws {
    let stage = try stage(shards: 3)
    for number in 0..<6 {
      let incident = try #require(IncidentID("shard-\(number)"))
      let client = try await stage.joinWithChannels(incident)
      let id = try await open("c\(number)", of: client)
      try await stage.server.send("here", on: "c\(number)", of: client.id)
      try await eventually("the text arrives") { client.texts(on: id) == ["here"] }
      let error = await #expect(throws: MediaError.self) {
        try await stage.server.select(nil, on: "none", of: client.id)
      }
      #expect(error?.code == .unknownSlot)
      await stage.server.disconnect(client.id, reason: "test")
      #expect(await stage.server.overview(of: incident).peers.isEmpty)
    }
    await stage.close()
  }

  private func enqueue(
    _ texts: [String], on channel: String, of peer: PeerID, _ stage: Stage
  ) async throws -> Result<Int, ChannelSendError> {
    await withCheckedContinuation { continuation in
      stage.server.enqueue(texts, on: channel, of: peer) { continuation.resume(returning: $0) }
    }
  }
}
