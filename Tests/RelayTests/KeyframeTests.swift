import Primitives
import RTP
import Relay
import Testing

/// A picture at once for who joins, and few keyframe requests for the sender.
@Suite struct KeyframeTests {
  @Test func aViewerThatJoinsGetsTheLastKeyframeAndEverythingSince() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true, sizes: [1_000, 1_000, 500]), from: caller)
    for _ in 0..<20 { world.send(stream.frame(), from: caller) }
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    #expect(viewer.media().tags == Array(0..<23))
    world.send(stream.frame(), from: caller)
    #expect(viewer.media().tags == Array(0..<24))
    #expect(viewer.media().isContinuous)
    #expect(world.relay.counters.keyframesReplayed == 1)
  }

  @Test func aViewerWhoseKeysComeLateIsServedThen() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(1)
    let viewer = try world.addViewer(isActive: false)
    world.connect(viewer, to: source)
    world.send(stream.frame(keyframe: true), from: caller)
    #expect(viewer.received.isEmpty)
    world.advance(1_000)
    _ = world.takeFeedback(to: caller)
    world.activate(viewer)
    world.flush()
    #expect(viewer.media().tags == [0])
    world.advance(500)
    #expect(world.takeFeedback(to: caller).keyframeRequests == 0, "what is kept reaches the present")
  }

  @Test func aCrowdOfNewViewersCostsTheCallerNothing() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    for _ in 0..<50 {
      let viewers = try (0..<4).map { _ in try world.addViewer() }
      for viewer in viewers { world.connect(viewer, to: source) }
      world.send(stream.frame(), from: caller)
      world.advance(20)
      #expect(viewers.allSatisfy { $0.media().first?.tag == 0 })
    }
    #expect(world.takeFeedback(to: caller).keyframeRequests == 0)
  }

  @Test func aViewerThatMissedTheFirstPictureGetsItAgainFromTheCache() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    world.advance(30)
    let request = PictureLossIndication(senderSSRC: SSRC(1), mediaSSRC: viewer.slots[0].ssrc)
    world.sendRTCP([.pictureLossIndication(request)], from: viewer.peer)
    #expect(viewer.media().tags == [0, 0])
    #expect(viewer.media().isContinuous)
    world.advance(500)
    #expect(world.takeFeedback(to: caller).keyframeRequests == 0)
  }

  @Test func anOldKeyframeBridgesTheTimeToAFreshOne() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true, sizes: [1_000, 400]), from: caller)
    for _ in 0..<1_000 {
      world.send(stream.frame(), from: caller)
      world.advance(30)
    }
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    #expect(viewer.media().tags == [0, 1])
    world.send(stream.frame(), from: caller)
    world.advance(100)
    #expect(world.takeFeedback(to: caller).keyframeRequests == 1)
    world.send(stream.frame(keyframe: true), from: caller)
    world.send(stream.frame(), from: caller)
    let media = viewer.media()
    #expect(media.tags == [0, 1, 1_003, 1_004])
    #expect(media.isContinuous)
    // The 30 s between the two pictures are not time that the viewer has to wait.
    #expect(media[2].header.timestamp &- media[1].header.timestamp == 9_000)
  }

  @Test func aKeyframeWhosePacketsCameOutOfOrderIsKept() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(1)
    world.send(stream.frame(), from: caller)
    let keyframe = stream.frame(keyframe: true, sizes: [900, 900, 300])
    world.send([keyframe[1], keyframe[2]] + stream.frame() + [keyframe[0]], from: caller)
    for _ in 0..<1_000 { world.send(stream.frame(), from: caller) }
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    #expect(viewer.media().tags == [1, 2, 3])
  }

  @Test func aKeyframeThatIsStillArrivingIsJoined() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(1)
    let keyframe = stream.frame(keyframe: true, sizes: [900, 900, 300])
    world.send([keyframe[0]], from: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    world.send([keyframe[1], keyframe[2]], from: caller)
    #expect(viewer.media().tags == [0, 1, 2])
    #expect(viewer.media().isContinuous)
  }

  @Test func requestsOfManyViewersBecomeOne() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    let viewers = try (0..<10).map { _ in try world.addViewer() }
    for viewer in viewers { world.connect(viewer, to: source) }
    world.advance(2_000)
    world.send(stream.frame(keyframe: true), from: caller)
    for viewer in viewers {
      let ssrc = viewer.slots[0].ssrc
      world.sendRTCP([.pictureLossIndication(.init(senderSSRC: SSRC(1), mediaSSRC: ssrc))], from: viewer.peer)
      world.sendRTCP(
        [.fullIntraRequest(.init(senderSSRC: SSRC(1), entries: [.init(ssrc: ssrc, commandNumber: 1)]))],
        from: viewer.peer)
    }
    world.advance(290)
    #expect(world.takeFeedback(to: caller).keyframeRequests == 0, "a keyframe came less than 300 ms ago")
    world.advance(20)
    #expect(world.takeFeedback(to: caller).keyframeRequests == 1)
    #expect(world.relay.counters.keyframeRequestsReceived == 20)
    #expect(world.relay.counters.keyframeRequestsIgnored == 10, "one of each viewer counts")
  }

  @Test func anUnansweredRequestIsRepeatedUntilAKeyframeComes() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(), from: caller)
    world.advance(1_000)
    #expect(world.takeFeedback(to: caller).keyframeRequests == 3)
    world.send(stream.frame(keyframe: true), from: caller)
    world.advance(1_000)
    #expect(world.takeFeedback(to: caller).keyframeRequests == 0)
  }

  @Test func requestsOfStrangersAreIgnored() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    let stranger = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    world.advance(500)
    _ = world.takeFeedback(to: caller)
    world.sendRTCP(
      [.pictureLossIndication(.init(senderSSRC: SSRC(1), mediaSSRC: viewer.slots[0].ssrc))], from: stranger.peer)
    world.advance(500)
    #expect(world.takeFeedback(to: caller).keyframeRequests == 0)
  }

  @Test func aViewerCannotMultiplyTrafficWithRequests() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true, sizes: Array(repeating: 1_000, count: 100)), from: caller)
    for _ in 0..<600 { world.send(stream.frame(sizes: [20]), from: caller) }
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    for _ in 0..<1_000 {
      world.sendRTCP(
        [.pictureLossIndication(.init(senderSSRC: SSRC(1), mediaSSRC: viewer.slots[0].ssrc))], from: viewer.peer)
      world.advance(1)
    }
    #expect(viewer.media().count <= 100 * 12)
    #expect(viewer.rejections.isEmpty)
  }
}

extension [RTCPPacket] {
  var keyframeRequests: Int {
    count { if case .pictureLossIndication = $0 { true } else { false } }
  }

  /// The numbers of all generic NACKs.
  var lost: [UInt16] {
    flatMap { packet -> [UInt16] in
      if case .genericNACK(let request) = packet { request.lost.map(\.rawValue) } else { [] }
    }
  }
}
