import Primitives
import RTP
import Relay
import Testing

/// Which SSRC is which stream.
@Suite struct BindingTests {
  /// Two encodings of one picture, named by mid and rid.
  struct Simulcast {
    let world: World
    let caller: PeerHandle
    let source: SourceHandle
    let viewer: Viewer
    var low = TestStream(10, firstTag: 0)
    var high = TestStream(20, sequence: 9_000, firstTag: 500_000)

    init() throws {
      world = try World()
      caller = world.addCaller()
      // A second video source with the same payload types: only the mid tells them apart.
      _ = try world.addSource(of: caller, mid: "other")
      source = try world.addSource(of: caller, mid: "v")
      viewer = try world.addViewer()
      world.connect(viewer, to: source)
      low.extensions = [(1, Array("v".utf8)), (2, Array("lo".utf8))]
      high.extensions = [(1, Array("v".utf8)), (2, Array("hi".utf8))]
    }
  }

  @Test func simulcastEncodingsAreOneSourceAndTheBestIsShown() throws {
    var scene = try Simulcast()
    let world = scene.world
    for index in 0..<100 {
      let isKey = index % 30 == 0
      world.send(scene.low.frame(keyframe: isKey, sizes: [200]), from: scene.caller)
      world.send(scene.high.frame(keyframe: isKey, sizes: [1_000, 1_000]), from: scene.caller)
      world.advance(30)
    }
    let media = scene.viewer.media()
    #expect(media.isContinuous)
    #expect(media.first?.tag == 0)
    #expect(try #require(media.last).tag > 500_000)
    #expect(scene.viewer.rejections.isEmpty)
    #expect(world.relay.status(of: scene.source)?.activity == .live)
  }

  @Test func whenTheBestEncodingStopsTheOtherTakesOver() throws {
    var scene = try Simulcast()
    let world = scene.world
    for index in 0..<100 {
      world.send(scene.low.frame(keyframe: index % 30 == 0, sizes: [200]), from: scene.caller)
      world.send(scene.high.frame(keyframe: index % 30 == 0, sizes: [1_000, 1_000]), from: scene.caller)
      world.advance(30)
    }
    scene.viewer.forgetReceived()
    for _ in 0..<100 {
      world.send(scene.low.frame(keyframe: true, sizes: [200]), from: scene.caller)
      world.advance(30)
    }
    #expect(scene.viewer.media().count > 40)
    #expect(scene.viewer.media().tags.allSatisfy { $0 < 500_000 })
  }

  @Test func aRepairedRIDNamesTheStreamThatIsRepaired() throws {
    var scene = try Simulcast()
    let world = scene.world
    world.send(scene.low.frame(keyframe: true), from: scene.caller)
    world.send(scene.high.frame(keyframe: true), from: scene.caller)
    let lost = scene.low.frame()
    world.send(scene.low.frame(), from: scene.caller)
    scene.low.extensions = [(1, Array("v".utf8)), (3, Array("lo".utf8))]
    world.send([scene.low.retransmission(of: lost[0], ssrc: 11)], from: scene.caller)
    #expect(scene.viewer.media().tags == [0, 2, 1])
    #expect(world.relay.counters.recovered == 1)
  }

  @Test func announcedStreamsNeedNoExtensions() throws {
    let world = try World()
    let caller = world.addCaller()
    _ = try world.addSource(of: caller, mid: "a", announced: [(SSRC(1), SSRC(2))])
    let source = try world.addSource(of: caller, mid: "b", announced: [(SSRC(3), SSRC(4))])
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(3)
    world.send(stream.frame(keyframe: true), from: caller)
    let lost = stream.frame()
    world.send(stream.frame(), from: caller)
    world.send([stream.retransmission(of: lost[0], ssrc: 4)], from: caller)
    #expect(viewer.media().tags == [0, 2, 1])
  }

  @Test func aPayloadTypeThatOnlyOneSourceHasNamesIt() throws {
    let world = try World()
    let caller = world.addCaller()
    let video = try world.addSource(of: caller, mid: "v")
    let audio = try world.addSource(of: caller, kind: .audio, mid: "a", formats: [.opus])
    let viewer = try world.addViewer([(.video, [.vp8]), (.audio, [.opus])])
    world.connect(viewer, slot: 0, to: video)
    world.connect(viewer, slot: 1, to: audio)
    var picture = TestStream(1)
    var sound = TestStream(2, .opus, payloadType: 111)
    world.send(picture.frame(keyframe: true) + sound.frame(ticks: 960), from: caller)
    #expect(viewer.media(0).count == 1)
    #expect(viewer.media(1).count == 1)
  }

  @Test(arguments: [SourceKind.audio, .video]) func aSenderThatChangesItsSSRCIsFollowed(kind: SourceKind) throws {
    let world = try World()
    let caller = world.addCaller()
    let format = kind == .audio ? RelayedFormat.opus : .vp8
    let source = try world.addSource(of: caller, kind: kind, formats: [format])
    let viewer = try world.addViewer([(kind, [format])])
    world.connect(viewer, to: source)
    for ssrc in [UInt32(1), 2] {
      var stream = TestStream(
        ssrc, format.format, payloadType: format.payloadType.rawValue, sequence: UInt16(ssrc) * 20_000,
        firstTag: ssrc * 1_000)
      for _ in 0..<150 {
        world.send(stream.frame(keyframe: true), from: caller)
        world.advance(20)
      }
    }
    #expect(viewer.media().last?.tag == 2_149)
    #expect(viewer.media().isContinuous)
    #expect(viewer.rejections.isEmpty)
  }

  @Test func anUnknownPayloadTypeIsCountedAndDropped() throws {
    let world = try World()
    let caller = world.addCaller()
    _ = try world.addSource(of: caller)
    var stream = TestStream(1, payloadType: 50)
    world.send(stream.frame(keyframe: true), from: caller)
    #expect(world.relay.counters.unknownSSRC == 1)
  }

  @Test func inventedSSRCsAreBounded() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var genuine = TestStream(1)
    world.send(genuine.frame(keyframe: true), from: caller)
    for ssrc in 100..<2_000 {
      var stream = TestStream(UInt32(ssrc))
      world.send(stream.frame(keyframe: true, sizes: [20]), from: caller)
    }
    #expect(world.relay.counters.unknownSSRC >= 1_890)
    world.send(genuine.frame(), from: caller)
    #expect(viewer.media().tags == [0, 1])
  }
}
