import Primitives
import RTP
import Relay
import Testing

/// All sound goes before any picture (DOMAIN, "Order under overload"), and what is urgent before what is not.
@Suite struct SoundFirstTests {
  @Test("of what came in one turn the most urgent is sent first, and of equals what came first")
  func urgentPicturesGoFirst() throws {
    let world = try World()
    let priorities = [3, 1, 4, 3, 1, 2]
    var streams: [(peer: PeerHandle, stream: TestStream)] = []
    var order: [PeerHandle: Int] = [:]
    for (index, priority) in priorities.enumerated() {
      let caller = world.addCaller()
      let source = try world.addSource(of: caller)
      world.relay.setPriority(priority, of: source)
      let viewer = try world.addViewer()
      world.connect(viewer, to: source)
      order[viewer.peer] = index
      streams.append((caller, TestStream(UInt32(10 + index))))
    }
    for index in streams.indices { world.send(streams[index].stream.frame(keyframe: true), from: streams[index].peer) }
    _ = world.takeMessages()
    world.send(streams.indices.flatMap { index in streams[index].stream.frame().map { ($0, streams[index].peer) } })
    #expect(world.takeMessages().map { order[$0.destination] } == [1, 4, 5, 0, 3, 2])
    // What is urgent may change.
    world.relay.setPriority(1, of: try world.addSource(of: streams[2].peer, mid: "other"))
    world.send(streams.indices.flatMap { index in streams[index].stream.frame().map { ($0, streams[index].peer) } })
    #expect(world.takeMessages().map { order[$0.destination] } == [1, 4, 5, 0, 3, 2], "each source for itself")
  }

  @Test("sound that came last in a turn is sent first, to every viewer", arguments: [1, 7])
  func soundGoesFirst(viewers count: Int) throws {
    let world = try World()
    var callers: [(peer: PeerHandle, picture: TestStream, sound: TestStream)] = []
    var sources: [(video: SourceHandle, audio: SourceHandle)] = []
    for index in UInt32(0)..<3 {
      let peer = world.addCaller()
      sources.append(
        (
          try world.addSource(of: peer, mid: "v"),
          try world.addSource(of: peer, kind: .audio, mid: "a", formats: [.opus])
        ))
      callers.append(
        (
          peer, TestStream(10 + index, firstTag: index * 1_000),
          TestStream(20 + index, .opus, payloadType: 111, firstTag: 100_000 + index * 1_000)
        ))
    }
    let viewers = try (0..<count).map { index in
      let viewer = try world.addViewer([(.video, [.vp8]), (.audio, [.opus])])
      world.connect(viewer, slot: 0, to: sources[index % 3].video)
      world.connect(viewer, slot: 1, to: sources[index % 3].audio)
      return viewer
    }
    for index in callers.indices { world.send(callers[index].picture.frame(keyframe: true), from: callers[index].peer) }
    viewers.forEach { $0.forgetReceived() }
    _ = world.takeMessages()
    // One turn, pictures first; enough of them to fill the egress buffer several times.
    var turn: [(packet: [UInt8], peer: PeerHandle)] = []
    for index in callers.indices {
      let picture = callers[index].picture.frame(sizes: Array(repeating: 1_200, count: 100))
      turn += picture.map { ($0, callers[index].peer) }
    }
    for index in callers.indices {
      turn += callers[index].sound.frame(sizes: [60], ticks: 960).map { ($0, callers[index].peer) }
    }
    world.send(turn)
    for viewer in viewers {
      #expect(viewer.received.count == 101)
      #expect(viewer.received.first?.header.ssrc == viewer.slots[1].ssrc)
      #expect(viewer.media().isContinuous)
    }
    let sizes = world.takeMessages().map { $0.sizes[0] }
    #expect(sizes.prefix(count).allSatisfy { $0 < 100 }, "no picture goes before anybody's sound")
  }

  @Test("a source that leaves with sound in the queue leaves nothing behind")
  func sourcesMayLeaveBeforeTheyAreServed() throws {
    let world = try World()
    let caller = world.addCaller()
    let audio = try world.addSource(of: caller, kind: .audio, formats: [.opus])
    let viewer = try world.addViewer([(.audio, [.opus])])
    world.connect(viewer, to: audio)
    var stream = TestStream(1, .opus, payloadType: 111)
    let packet = stream.frame(sizes: [60], ticks: 960)[0]
    _ = packet.withUnsafeBytes { world.relay.receiveRTP($0, from: caller, now: world.now) }
    #expect(world.relay.hasPending)
    world.remove(caller)
    #expect(!world.relay.hasPending)
    world.flush()
    #expect(viewer.received.isEmpty)
  }
}
