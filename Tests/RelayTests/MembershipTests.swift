import Primitives
import RTP
import Relay
import Testing

/// Peers, sources and slots that come and go while packets flow.
@Suite struct MembershipTests {
  @Test func aRemovedViewerCostsTheOthersNothing() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewers = try (0..<3).map { _ in try world.addViewer() }
    for viewer in viewers { world.connect(viewer, to: source) }
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    world.remove(viewers[1].peer)
    world.send(stream.frame(), from: caller)
    #expect(viewers.map { $0.media().count } == [2, 1, 2])
  }

  @Test func packetsThatWaitedForARemovedPeerAreDropped() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    let other = try world.addViewer()
    world.connect(viewer, to: source)
    world.connect(other, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    for packet in stream.frame(sizes: [300, 300]) {
      _ = packet.withUnsafeBytes { world.relay.receiveRTP($0, from: caller, now: world.now) }
    }
    let nack = RTCPCompound.serialize([
      .genericNACK(
        GenericNACK(
          senderSSRC: SSRC(1), mediaSSRC: viewer.slots[0].ssrc, lost: [viewer.media()[0].header.sequenceNumber]))
    ])
    nack.withUnsafeBytes { world.relay.receiveRTCP($0, from: viewer.peer, now: world.now, wall: world.wall) }
    world.remove(viewer.peer)
    world.flush()
    #expect(viewer.received.count == 1)
    #expect(other.media().tags == [0, 1, 2])
    for packet in stream.frame() {
      _ = packet.withUnsafeBytes { world.relay.receiveRTP($0, from: caller, now: world.now) }
    }
    world.remove(caller)
    world.flush()
    #expect(!world.relay.hasPending)
    #expect(other.media().count == 3)
  }

  @Test func reusedHandlesBringNothingOfTheirFormerOwner() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    world.relay.tick(now: world.now + .milliseconds(10), wall: world.wall)
    world.remove(viewer.peer)
    world.remove(caller)
    let next = try world.addViewer()
    let nextCaller = world.addCaller()
    let nextSource = try world.addSource(of: nextCaller)
    #expect(Set([next.peer, nextCaller]) == Set([viewer.peer, caller]))
    #expect(world.relay.takeOutputs().isEmpty)
    world.flush()
    #expect(next.received.isEmpty)
    world.send(stream.frame(keyframe: true), from: nextCaller)
    #expect(next.received.isEmpty, "not connected yet")
    world.connect(next, to: nextSource)
    #expect(next.media().tags == [1])
  }

  @Test func handlesOfRemovedOnesAreHarmless() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.remove(caller)
    world.remove(viewer.peer)
    world.connect(viewer, to: source)
    world.relay.remove(caller)
    world.activate(viewer)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    world.sendRTCP([.goodbye(Goodbye(sources: [SSRC(1)]))], from: viewer.peer)
    world.advance(100)
    #expect(world.relay.status(of: source) == nil)
    #expect(viewer.received.isEmpty)
  }

  /// Everything at random: numbers of every slot stay continuous and nobody gets what is not meant for him.
  @Test(arguments: 1...8) func nothingBreaksInAnyOrder(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    let world = try World(seed: seed)
    var callers: [(peer: PeerHandle, source: SourceHandle, stream: TestStream)] = []
    var viewers: [Viewer] = []
    var gone: [Viewer] = []
    for step in 0..<1_500 {
      switch random.next() % 20 {
      case 0 where callers.count < 6:
        let peer = world.addCaller()
        let stream = TestStream(UInt32(step), sequence: UInt16(truncatingIfNeeded: random.next()))
        callers.append((peer, try world.addSource(of: peer), stream))
      case 1 where viewers.count < 12: viewers.append(try world.addViewer())
      case 2 where callers.count > 1 && random.next() % 4 == 0:
        world.remove(callers.remove(at: Int(random.next() % UInt64(callers.count))).peer)
      case 3 where viewers.count > 1 && random.next() % 4 == 0:
        let viewer = viewers.remove(at: Int(random.next() % UInt64(viewers.count)))
        world.remove(viewer.peer)
        gone.append(viewer)
      case 4...6 where !viewers.isEmpty && !callers.isEmpty:
        let source = callers[Int(random.next() % UInt64(callers.count))].source
        world.connect(
          viewers[Int(random.next() % UInt64(viewers.count))], to: random.next() % 5 == 0 ? nil : source)
      case 7: world.advance(Int64(random.next() % 300))
      default:
        for index in callers.indices {
          let packets = callers[index].stream.frame(
            keyframe: random.next() % 8 == 0,
            sizes: (0...random.next() % 4).map { _ in Int(20 + random.next() % 1_000) })
          world.send(packets.filter { _ in random.next() % 16 != 0 }, from: callers[index].peer)
        }
      }
    }
    for viewer in viewers + gone {
      #expect(viewer.rejections.isEmpty)
      #expect(Set(viewer.media().map(\.sequence)).count == viewer.media().count)
    }
    #expect((viewers + gone).map { $0.media().count }.reduce(0, +) > 1_000)
  }
}
