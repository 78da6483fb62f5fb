import Primitives
import RTP
import Relay
import Testing

/// Redundant audio from senders: viewers get plain Opus, with what was lost on the way filled in.
@Suite struct IncomingRedundancyTests {
  struct Scene {
    let world: World
    let caller: PeerHandle
    let source: SourceHandle
    let viewer: Viewer

    init(isNegotiated: Bool = true) throws {
      world = try World()
      caller = world.addCaller()
      source = try world.addSource(
        of: caller, kind: .audio, formats: [.opus], acceptsNACK: false,
        redundancy: isNegotiated ? RedundantStream.payloadType : nil)
      viewer = try world.addViewer([(.audio, [.opus])])
      world.connect(viewer, to: source)
    }

    var recovered: UInt64 { world.relay.counters.recoveredFromRedundancy }
  }

  @Test(arguments: 0...3) func viewersGetPlainOpus(depth: Int) throws {
    let scene = try Scene()
    var stream = RedundantStream(depth: depth)
    for _ in 0..<20 { scene.world.send([stream.packet()], from: scene.caller) }
    let media = scene.viewer.media()
    #expect(media.tags == Array(0..<20))
    #expect(media.isContinuous)
    #expect(media.allSatisfy { $0.header.payloadType == PayloadType(111) && $0.payload.count == 60 })
    #expect(scene.recovered == 0)
    #expect(scene.world.relay.counters.duplicates == 0)
  }

  struct Loss: Sendable {
    let depth: Int
    let lost: Set<Int>
    /// Those that nothing brings back.
    let missing: Set<UInt32>
  }

  @Test(arguments: [
    Loss(depth: 1, lost: [5], missing: []), Loss(depth: 1, lost: [5, 7, 9, 11], missing: []),
    Loss(depth: 1, lost: [5, 6], missing: [5]), Loss(depth: 2, lost: [5, 6], missing: []),
    Loss(depth: 2, lost: [5, 6, 7], missing: [5]), Loss(depth: 0, lost: [5], missing: [5]),
    Loss(depth: 3, lost: [0, 5, 6, 7, 9], missing: [0]),
  ])
  func whatWasLostIsFilledFromLaterPackets(_ test: Loss) throws {
    let scene = try Scene()
    var stream = RedundantStream(depth: test.depth)
    for index in 0..<20 {
      let packet = stream.packet()
      if !test.lost.contains(index) { scene.world.send([packet], from: scene.caller) }
    }
    let expected = (UInt32(0)..<20).filter { !test.missing.contains($0) }
    let media = scene.viewer.media()
    #expect(media.tags == expected)
    let first = try #require(media.first)
    for packet in media {
      #expect(packet.sequence &- first.sequence == UInt16(packet.tag - first.tag))
      #expect(packet.header.timestamp &- first.header.timestamp == (packet.tag - first.tag) * RedundantStream.ticks)
    }
    #expect(scene.recovered == UInt64(test.lost.count - test.missing.count))
  }

  @Test func whatComesLateAfterAllComesOnce() throws {
    let scene = try Scene()
    var stream = RedundantStream(depth: 2)
    let packets = (0..<6).map { _ in stream.packet() }
    for index in [0, 1, 3, 2, 5, 4] { scene.world.send([packets[index]], from: scene.caller) }
    #expect(scene.viewer.media().tags == Array(0..<6))
    #expect(scene.world.relay.counters.duplicates == 2)
  }

  @Test func numbersAcrossTheRolloverAreFound() throws {
    let scene = try Scene()
    var stream = RedundantStream(depth: 2, sequence: 65_530)
    stream.plain.timestamp = .max - 5_000
    for index in 0..<20 {
      let packet = stream.packet()
      if index % 3 != 1 { scene.world.send([packet], from: scene.caller) }
    }
    #expect(scene.viewer.media().tags == Array(0..<19), "nothing comes after the last one, which is lost")
    #expect(scene.viewer.media().isContinuous)
  }

  /// A sender that repeats others than its last packets: what is known of those around it shows that the place is wrong.
  @Test func aRepetitionNeverTakesThePlaceOfAnother() throws {
    let scene = try Scene()
    var stream = RedundantStream(depth: 1)
    for index in 0..<20 {
      let packet = stream.packet(skipping: 1)
      if index != 7 { scene.world.send([packet], from: scene.caller) }
    }
    #expect(scene.viewer.media().tags == (UInt32(0)..<20).filter { $0 != 7 })
    #expect(scene.recovered == 0)
  }

  @Test func soundBeginsWithItsFirstPacket() throws {
    let scene = try Scene()
    var stream = RedundantStream(depth: 2)
    for _ in 0..<5 { _ = stream.packet() }
    scene.world.send([stream.packet()], from: scene.caller)
    #expect(scene.viewer.media().tags == [5])
  }

  @Test func aTurnFullOfLossesLosesNothing() throws {
    let scene = try Scene()
    var stream = RedundantStream(depth: 1)
    var packets: [[UInt8]] = []
    for index in 0..<200 {
      let packet = stream.packet()
      if index % 2 == 0 { packets.append(packet) }
    }
    scene.world.send(packets, from: scene.caller)
    #expect(scene.viewer.media().count >= 180)
    #expect(scene.viewer.media().last?.tag == 198)
  }

  @Test func withoutNegotiationItIsNoFormat() throws {
    let scene = try Scene(isNegotiated: false)
    var stream = RedundantStream(depth: 1)
    scene.world.send(stream.plain.frame(ticks: RedundantStream.ticks), from: scene.caller)
    scene.world.send([stream.packet(), stream.packet()], from: scene.caller)
    #expect(scene.viewer.media().tags == [0])
    #expect(scene.world.relay.counters.unknownFormat == 2)
  }

  @Test func plainAndRedundantPacketsMayAlternate() throws {
    let scene = try Scene()
    var stream = RedundantStream(depth: 1)
    for index in 0..<10 {
      let packet = index % 2 == 0 ? stream.packet() : stream.plain.frame(sizes: [60], ticks: RedundantStream.ticks)[0]
      scene.world.send([packet], from: scene.caller)
    }
    #expect(scene.viewer.media().tags == Array(0..<10))
  }

  @Test(arguments: [
    [UInt8](), [0x80], [0xef, 0x0f], [0xef, 0x0f, 0x00, 0x02, 0x6f], [0xef, 0xff, 0xff, 0xff, 0x6f, 1, 2],
    [UInt8](repeating: 0xff, count: 200),
  ])
  func malformedRedundancyIsCountedAndDropped(payload: [UInt8]) throws {
    let scene = try Scene()
    var stream = RedundantStream(depth: 1)
    scene.world.send([stream.packet()], from: scene.caller)
    let bad = Array(stream.packet().prefix(12)) + payload
    scene.world.send([bad, stream.packet()], from: scene.caller)
    #expect(scene.world.relay.counters.malformedRTP == 1)
    #expect(scene.viewer.media().tags == [0, 1, 2], "the next packet brings what was in the bad one")
  }

  @Test(arguments: [UInt8(0), 63, 96, 127]) func blocksOfOtherFormatsStayAway(type: UInt8) throws {
    let scene = try Scene()
    var stream = RedundantStream(depth: 0)
    scene.world.send([stream.packet()], from: scene.caller)
    _ = stream.packet()
    var third = stream.packet()
    third =
      Array(third.prefix(12))
      + redundantPayload([(960, [1, 2, 3, 4, 5, 6, 7, 8])], primary: Array(third.dropFirst(13)), type: type)
    scene.world.send([third], from: scene.caller)
    #expect(scene.viewer.media().tags == [0, 2])
  }
}
