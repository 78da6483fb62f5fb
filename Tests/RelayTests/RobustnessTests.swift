import Primitives
import RTP
import Relay
import Testing

/// Whatever authenticated peers send, the relay goes on.
@Suite struct RobustnessTests {
  @Test(arguments: 1...6) func mutatedPacketsHarmNobodyElse(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    let world = try World(seed: seed)
    let hostile = world.addCaller()
    let hostileVideo = try world.addSource(of: hostile, mid: "v", announced: [(SSRC(1), SSRC(2))])
    _ = try world.addSource(of: hostile, kind: .audio, mid: "a", formats: [.opus])
    let honest = world.addCaller()
    let honestSource = try world.addSource(of: honest)
    let victim = try world.addViewer()
    let accomplice = try world.addViewer()
    world.connect(victim, to: honestSource)
    world.connect(accomplice, to: hostileVideo)
    var good = TestStream(50)
    var bad = TestStream(1)
    bad.extensions = [(1, Array("v".utf8)), (2, Array("hi".utf8)), (4, [0, 1])]
    for index in 0..<1_500 {
      world.send(good.frame(keyframe: index == 0), from: honest)
      var packet = bad.frame(keyframe: index % 3 == 0, sizes: [60])[0]
      if index % 4 == 0 { packet = bad.retransmission(of: packet, ssrc: 2) }
      for _ in 0..<(1 + random.next() % 6) { Self.mutate(&packet, &random) }
      world.send([packet], from: hostile)
      if index % 20 == 0 { world.advance(10) }
    }
    #expect(victim.media().tags == Array(0..<1_500))
    #expect(victim.rejections.isEmpty)
    #expect(world.relay.counters.malformedRTP > 0)
  }

  @Test(arguments: 1...6) func mutatedRTCPHarmsNobodyElse(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    let world = try World(seed: seed)
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    let hostile = try world.addViewer()
    world.connect(viewer, to: source)
    world.connect(hostile, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    let slot = hostile.slots[0].ssrc
    let valid = RTCPCompound.serialize([
      .senderReport(
        SenderReport(
          ssrc: SSRC(1), ntpTime: world.wall, rtpTimestamp: 5, packetCount: 1, octetCount: 1,
          reports: [ReportBlock(ssrc: slot)])),
      .genericNACK(GenericNACK(senderSSRC: SSRC(1), mediaSSRC: slot, lost: (0..<30).map { SequenceNumber($0 * 5) })),
      .pictureLossIndication(PictureLossIndication(senderSSRC: SSRC(1), mediaSSRC: slot)),
      .fullIntraRequest(FullIntraRequest(senderSSRC: SSRC(1), entries: [.init(ssrc: slot, commandNumber: 1)])),
      .goodbye(Goodbye(sources: [SSRC(1)])),
    ])
    for index in 0..<1_000 {
      var bytes = valid
      for _ in 0..<(1 + random.next() % 6) { Self.mutate(&bytes, &random) }
      // From the sender as well: its reports and goodbyes count.
      world.sendRTCP(bytes: bytes, from: index % 2 == 0 ? hostile.peer : caller)
      world.send(stream.frame(), from: caller)
      if index % 10 == 0 { world.advance(10) }
    }
    #expect(viewer.media().tags == Array(0...1_000))
    #expect(hostile.rejections.isEmpty)
    #expect(world.relay.counters.malformedRTCP > 0)
  }

  @Test func noiseIsCounted() throws {
    var random = RandomSource.seeded(3)
    let world = try World()
    let caller = world.addCaller()
    _ = try world.addSource(of: caller)
    for length in 0..<300 {
      world.send([random.bytes(length)], from: caller)
      world.sendRTCP(bytes: random.bytes(length), from: caller)
    }
    #expect(world.relay.counters.malformedRTP + world.relay.counters.packetsReceived == 300)
    #expect(world.relay.counters.malformedRTCP > 250)
  }

  @Test(arguments: [1_500, 1_501, 1_600, 9_000, 60_000]) func oversizedPayloadsAreNotForwarded(size: Int) throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true, sizes: [size]), from: caller)
    #expect(viewer.media().count == (size <= 1_500 ? 1 : 0))
  }

  /// Sequence numbers that jump, back and forth, in media and in retransmissions.
  @Test(arguments: 1...4) func jumpingNumbersAreSurvived(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    let world = try World(seed: seed)
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    for index in 0..<5_000 {
      if random.next() % 5 == 0 {
        stream.sequence = UInt16(truncatingIfNeeded: random.next())
        stream.timestamp = UInt32(truncatingIfNeeded: random.next())
      }
      var packets = stream.frame(keyframe: index % 7 == 0, sizes: [100])
      if random.next() % 6 == 0 { packets = packets.map { stream.retransmission(of: $0, ssrc: 2) } }
      world.send(packets, from: caller)
      if index % 20 == 0 { world.advance(10) }
    }
    #expect(viewer.received.count > 100)
  }

  /// A viewer's receiver would lose its rollover counter over such jumps, and with it every picture that follows.
  @Test func aSenderThatJumpsFarStartsAnewAtItsNextKeyframe() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    world.advance(1_000)
    _ = world.takeFeedback(to: caller)
    for _ in 0..<5 {
      stream.sequence &+= 30_000
      world.send(stream.frame(), from: caller)
    }
    #expect(viewer.media().tags == [0])
    world.advance(20)
    let isAsked = world.takeFeedback(to: caller).contains {
      if case .pictureLossIndication = $0 { true } else { false }
    }
    #expect(isAsked)
    world.send(stream.frame(keyframe: true) + stream.frame(), from: caller)
    #expect(viewer.media().tags == [0, 6, 7])
    #expect(viewer.media().isContinuous)
  }

  private static func mutate(_ bytes: inout [UInt8], _ random: inout RandomSource) {
    guard !bytes.isEmpty else { return }
    let place = Int(random.next() % UInt64(bytes.count))
    switch random.next() % 5 {
    case 0: bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
    case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    case 2: bytes[min(place, 20) % bytes.count] = random.next() % 2 == 0 ? 0xff : 0
    case 3: bytes.insert(contentsOf: random.bytes(Int(random.next() % 8)), at: place)
    default: bytes[place] ^= 1 << UInt8(random.next() % 8)
    }
  }
}
