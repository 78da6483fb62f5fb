import Primitives
import RTP
import Relay
import Testing

/// Redundant audio to viewers whose link loses packets.
@Suite struct OutgoingRedundancyTests {
  struct Scene {
    let world: World
    let caller: PeerHandle
    let source: SourceHandle
    let viewer: Viewer
    var stream = TestStream(1, .opus, payloadType: 111)

    init(isNegotiated: Bool = true) throws {
      world = try World()
      caller = world.addCaller()
      source = try world.addSource(of: caller, kind: .audio, formats: [.opus])
      viewer = try world.addViewer(
        [(.audio, [.opus]), (.video, [.vp8])], redundancy: isNegotiated ? RedundantStream.payloadType : nil)
      world.connect(viewer, to: source)
    }

    /// A viewer's report of the share lost, in 256ths, and the time until the relay has drawn its conclusions.
    func report(_ fraction: UInt8, ssrc: SSRC? = nil, of viewer: Viewer? = nil) {
      let viewer = viewer ?? self.viewer
      let block = ReportBlock(ssrc: ssrc ?? viewer.slots[0].ssrc, fractionLost: fraction)
      world.sendRTCP([.receiverReport(ReceiverReport(ssrc: SSRC(77), reports: [block]))], from: viewer.peer)
      world.advance(110)
    }

    mutating func speak(_ count: Int, size: Int = 60, ticks: UInt32 = 960) {
      for _ in 0..<count { world.send(stream.frame(sizes: [size], ticks: ticks), from: caller) }
    }

    /// Earlier packets in each that came since the last call.
    mutating func takeDepths() throws -> [Int] {
      defer { viewer.forgetReceived() }
      return try viewer.media().map {
        $0.header.payloadType == PayloadType(111) ? 0 : try RedundantReading($0).ages.count
      }
    }
  }

  @Test(arguments: [(UInt8(0), 0), (7, 0), (8, 1), (25, 1), (26, 2), (255, 2)])
  func theShareLostDecides(fraction: UInt8, depth: Int) throws {
    var scene = try Scene()
    scene.speak(5)
    scene.report(fraction)
    _ = try scene.takeDepths()
    scene.speak(5)
    #expect(try scene.takeDepths() == Array(repeating: depth, count: 5))
  }

  @Test func eachPacketBringsTheOnesBefore() throws {
    var scene = try Scene()
    scene.speak(3)
    scene.report(40)
    scene.speak(10)
    let media = scene.viewer.media()
    #expect(media.isContinuous)
    #expect(scene.viewer.rejections.isEmpty)
    for (index, packet) in media.enumerated().dropFirst(3) {
      #expect(packet.header.payloadType == RedundantStream.payloadType)
      let reading = try RedundantReading(packet)
      #expect(reading.tags == [UInt32(index) - 2, UInt32(index) - 1, UInt32(index)])
      #expect(reading.ages == [1_920, 960])
    }
    #expect(scene.world.relay.counters.redundantSent == 10)
  }

  @Test func aGoodLinkGetsPlainSoundAgain() throws {
    var scene = try Scene()
    scene.speak(3)
    scene.report(10)
    scene.speak(3)
    scene.world.advance(10_000)
    scene.report(0)
    scene.speak(3)
    #expect(try scene.takeDepths() == [0, 0, 0, 1, 1, 1, 1, 1, 1])
    scene.world.advance(5_000)
    scene.speak(3)
    #expect(try scene.takeDepths() == [0, 0, 0])
  }

  @Test func aFewLossesKeepItOnButDoNotBeginIt() throws {
    var scene = try Scene()
    scene.speak(3)
    scene.report(4)
    scene.speak(1)
    scene.report(8)
    for _ in 0..<5 {
      scene.world.advance(10_000)
      scene.report(4)
    }
    scene.speak(1)
    #expect(try scene.takeDepths() == [0, 0, 0, 0, 1])
  }

  @Test func lossesOfThePictureCountForTheSound() throws {
    var scene = try Scene()
    scene.speak(3)
    scene.report(20, ssrc: scene.viewer.slots[1].ssrc)
    scene.speak(1)
    #expect(try scene.takeDepths() == [0, 0, 0, 1])
  }

  @Test func oneViewersLinkIsNobodyElses() throws {
    var scene = try Scene()
    let other = try scene.world.addViewer([(.audio, [.opus])], redundancy: RedundantStream.payloadType)
    scene.world.connect(other, to: scene.source)
    scene.speak(3)
    scene.report(40, of: other)
    scene.report(40, ssrc: other.slots[0].ssrc)
    scene.speak(3)
    #expect(try scene.takeDepths() == [0, 0, 0, 0, 0, 0])
    #expect(other.media().suffix(3).allSatisfy { $0.header.payloadType == RedundantStream.payloadType })
  }

  @Test func withoutNegotiationSoundStaysPlain() throws {
    var scene = try Scene(isNegotiated: false)
    scene.speak(3)
    scene.report(255)
    scene.speak(3)
    #expect(try scene.takeDepths() == [0, 0, 0, 0, 0, 0])
  }

  @Test func whatDoesNotFitIsNotRepeated() throws {
    var scene = try Scene()
    scene.speak(3)
    scene.report(40)
    scene.viewer.forgetReceived()
    scene.speak(1, ticks: 17_000)
    scene.speak(1, size: 1_050)
    scene.speak(1)
    scene.speak(1, size: 500)
    scene.speak(1, size: 500)
    scene.speak(1, size: 500)
    // The first repeats the two before; the next stands after a pause longer than can be told; the third and the fourth
    // would have to repeat one that is too large, the last two that are too large together.
    #expect(try scene.takeDepths() == [2, 0, 0, 1, 2, 1])
  }

  @Test func aLostPacketIsNotMadeUp() throws {
    var scene = try Scene()
    scene.speak(3)
    scene.report(40)
    scene.viewer.forgetReceived()
    _ = scene.stream.frame(sizes: [60], ticks: 960)
    scene.speak(3)
    #expect(try scene.takeDepths() == [0, 1, 2])
  }

  @Test func nothingOfAnotherSourceIsRepeated() throws {
    var scene = try Scene()
    scene.speak(3)
    scene.report(40)
    let second = scene.world.addCaller()
    let source = try scene.world.addSource(of: second, kind: .audio, formats: [.opus])
    var voice = TestStream(9, .opus, payloadType: 111, firstTag: 9_000)
    for _ in 0..<5 { scene.world.send(voice.frame(sizes: [60], ticks: 960), from: second) }
    scene.viewer.forgetReceived()
    scene.world.connect(scene.viewer, to: source)
    for _ in 0..<3 { scene.world.send(voice.frame(sizes: [60], ticks: 960), from: second) }
    let media = scene.viewer.media()
    #expect(media.first?.header.payloadType == PayloadType(111))
    #expect(media.first?.tag == 9_005)
    #expect(try media.dropFirst().map { try RedundantReading($0).tags } == [[9_005, 9_006], [9_005, 9_006, 9_007]])
  }

  @Test func newFormatsOfOthersChangeNothing() throws {
    var scene = try Scene()
    scene.speak(3)
    scene.report(40)
    _ = try scene.world.addSource(of: scene.world.addCaller(), formats: [.at(40, .av1(profile: 1))])
    scene.viewer.forgetReceived()
    scene.speak(2)
    #expect(try scene.takeDepths() == [2, 2])
  }
}
