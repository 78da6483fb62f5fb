import Primitives
import RTP
import Relay
import Testing

/// Another source on the same slot (DESIGN, decision 1).
@Suite struct SwitchingTests {
  /// Two callers, one viewer that decodes both codecs and watches the first.
  struct Scene {
    let world: World
    let callers: [PeerHandle]
    let sources: [SourceHandle]
    let viewer: Viewer
    var first = TestStream(1, .vp8, payloadType: 96)
    var second = TestStream(
      2, .h264(profile: 0x42e0), payloadType: 102, sequence: 60_000, timestamp: 7, firstTag: 1_000_000)

    init() throws {
      world = try World()
      callers = [world.addCaller(), world.addCaller()]
      sources = [
        try world.addSource(of: callers[0]),
        try world.addSource(of: callers[1], formats: [.at(102, .h264(profile: 0x42e0))]),
      ]
      viewer = try world.addViewer([(.video, [.vp8, .at(108, .h264(profile: 0x42e0))])])
      world.connect(viewer, to: sources[0])
      world.send(first.frame(keyframe: true, sizes: [900, 300]), from: callers[0])
    }
  }

  @Test func theOldPictureGoesOnUntilTheNewKeyframe() throws {
    var scene = try Scene()
    let world = scene.world
    scene.world.connect(scene.viewer, to: scene.sources[1])
    for _ in 0..<5 {
      world.advance(30)
      world.send(scene.first.frame(sizes: [400]), from: scene.callers[0])
      world.send(scene.second.frame(sizes: [700]), from: scene.callers[1])
    }
    #expect(scene.viewer.media().tags == Array(0..<7))
    world.advance(30)
    world.send(scene.second.frame(keyframe: true, sizes: [700]), from: scene.callers[1])
    world.send(scene.first.frame(sizes: [400]), from: scene.callers[0])
    world.send(scene.second.frame(sizes: [700]), from: scene.callers[1])
    let media = scene.viewer.media()
    #expect(media.tags == Array(0..<7) + [1_000_005, 1_000_006])
    #expect(media.isContinuous)
    #expect(media.map { $0.header.payloadType.rawValue } == Array(repeating: 96, count: 7) + [108, 108])
    #expect(scene.viewer.rejections.isEmpty)
  }

  @Test func timeGoesOnAsItPassed() throws {
    var scene = try Scene()
    let world = scene.world
    world.connect(scene.viewer, to: scene.sources[1])
    world.advance(2_000)
    world.send(scene.second.frame(keyframe: true), from: scene.callers[1])
    world.send(scene.second.frame(ticks: 1_234), from: scene.callers[1])
    let times = scene.viewer.media().map(\.header.timestamp)
    #expect(times[2] &- times[1] == 180_000)
    #expect(times[3] &- times[2] == 3_000)
  }

  @Test func goingBackBeforeTheKeyframeChangesNothing() throws {
    var scene = try Scene()
    let world = scene.world
    world.connect(scene.viewer, to: scene.sources[1])
    world.connect(scene.viewer, to: scene.sources[0])
    world.send(scene.second.frame(keyframe: true), from: scene.callers[1])
    world.send(scene.first.frame(), from: scene.callers[0])
    #expect(scene.viewer.media().tags == [0, 1, 2])
    #expect(scene.viewer.media().isContinuous)
  }

  @Test func anOldSourceThatLeavesMidSwitchHandsOver() throws {
    var scene = try Scene()
    let world = scene.world
    world.connect(scene.viewer, to: scene.sources[1])
    world.send(scene.second.frame(), from: scene.callers[1])
    world.remove(scene.callers[0])
    world.send(scene.second.frame(keyframe: true), from: scene.callers[1])
    world.send(scene.second.frame(), from: scene.callers[1])
    #expect(scene.viewer.media().tags == [0, 1, 1_000_001, 1_000_002])
    #expect(scene.viewer.media().isContinuous)
  }

  @Test func nothingOfARemovedSourceIsMistakenForItsSuccessor() throws {
    let scene = try Scene()
    let world = scene.world
    world.remove(scene.callers[0])
    // Takes the freed handles, and the numbers that the slot still remembers.
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var successor = TestStream(9, sequence: 1_000, timestamp: 4_000_000, firstTag: 77)
    world.advance(1_000)
    world.send(successor.frame(keyframe: true), from: caller)
    let old = scene.viewer.media()[0]
    world.sendRTCP(
      [.genericNACK(.init(senderSSRC: SSRC(5), mediaSSRC: old.header.ssrc, lost: [old.header.sequenceNumber]))],
      from: scene.viewer.peer)
    #expect(scene.viewer.retransmissions().isEmpty)
    world.connect(scene.viewer, to: source)
    let media = scene.viewer.media()
    #expect(media.tags == [0, 1, 77])
    #expect(media.isContinuous)
    #expect(media[2].header.timestamp &- media[1].header.timestamp == 90_000)
  }

  @Test func manySwitchesLoseNoNumber() throws {
    var scene = try Scene()
    let world = scene.world
    for round in 1...100 {
      world.connect(scene.viewer, to: scene.sources[round % 2])
      world.advance(20)
      world.send(scene.first.frame(keyframe: true, sizes: [300, 200]), from: scene.callers[0])
      world.send(scene.second.frame(keyframe: true, sizes: [300, 200]), from: scene.callers[1])
      world.send(scene.first.frame(), from: scene.callers[0])
      world.send(scene.second.frame(), from: scene.callers[1])
    }
    #expect(scene.viewer.media().isContinuous)
    #expect(scene.viewer.media().count > 300)
    #expect(scene.viewer.rejections.isEmpty)
  }

  @Test func aDisconnectedSlotIsSilentAndComesBack() throws {
    var scene = try Scene()
    let world = scene.world
    world.connect(scene.viewer, to: nil)
    world.send(scene.first.frame(), from: scene.callers[0])
    #expect(scene.viewer.media().count == 2)
    world.connect(scene.viewer, to: scene.sources[0])
    world.send(scene.first.frame(), from: scene.callers[0])
    // The cached keyframe, what came since, and the present.
    #expect(scene.viewer.media().tags == [0, 1, 0, 1, 2, 3])
    #expect(scene.viewer.media().isContinuous)
  }
}
