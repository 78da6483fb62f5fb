import Primitives
import RTP
import Relay
import Testing

/// What the relay copies for the recorder.
@Suite struct RecordingTests {
  struct Scene {
    let world: World
    let ring: HandoverRing
    let caller: PeerHandle
    let source: SourceHandle
    var stream = TestStream(1)

    init(capacity: Int = 1 << 20, recorded: Bool = true) throws {
      world = try World()
      ring = HandoverRing(capacity: capacity)
      world.relay.recorder = ring.writer
      caller = world.addCaller()
      source = try world.addSource(of: caller, announced: [(media: SSRC(1), retransmission: SSRC(2))])
      if recorded { world.relay.record(source, as: 9) }
    }

    func taken() -> [(entry: HandoverEntry, payload: [UInt8])] {
      var taken: [(HandoverEntry, [UInt8])] = []
      ring.drain(limit: .max) { taken.append(($0, Array($1))) }
      return taken
    }
  }

  @Test func everyPacketIsCopiedOnceWithItsHeader() throws {
    var scene = try Scene()
    let packets = scene.stream.frame(keyframe: true, sizes: [900, 400])
    scene.world.send(packets + packets, from: scene.caller)
    let taken = scene.taken()
    #expect(taken.map(\.payload.count) == [900, 400])
    #expect(taken.map(\.entry.marker) == [false, true])
    #expect(taken.allSatisfy { $0.entry.kind == .packet && $0.entry.source == 9 && $0.entry.ssrc == SSRC(1) })
    #expect(taken[1].entry.extended == taken[0].entry.extended + 1)
    #expect(taken.map(\.entry.timestamp) == [90_000, 90_000])
    #expect(taken[0].entry.arrival == scene.world.now.nanoseconds)
    let format = try #require(scene.world.relay.recordedFormats(of: scene.source)[taken[0].entry.format])
    #expect(format == .vp8)
    for (copy, packet) in zip(taken, packets) { #expect(copy.payload.elementsEqual(packet.suffix(copy.payload.count))) }
  }

  @Test func aRepairedPacketIsCopiedAsItself() throws {
    var scene = try Scene()
    let packets = scene.stream.frame(keyframe: true, sizes: [300, 310, 320])
    scene.world.send([packets[0], packets[2]], from: scene.caller)
    scene.world.send([scene.stream.retransmission(of: packets[1], ssrc: 2)], from: scene.caller)
    #expect(scene.taken().map(\.payload.count) == [300, 320, 310])
  }

  @Test func nothingIsCopiedOfASourceThatIsNotRecorded() throws {
    var scene = try Scene(recorded: false)
    scene.world.send(scene.stream.frame(keyframe: true), from: scene.caller)
    #expect(scene.taken().isEmpty)
  }

  @Test func senderReportsAreTold() throws {
    var scene = try Scene()
    scene.world.send(scene.stream.frame(keyframe: true), from: scene.caller)
    let report = SenderReport(
      ssrc: SSRC(1), ntpTime: NTPTimestamp(bits: 0x1234_5678_9abc_def0), rtpTimestamp: 77, packetCount: 1,
      octetCount: 1, reports: [])
    scene.world.sendRTCP([.senderReport(report)], from: scene.caller)
    let taken = scene.taken().map(\.entry)
    #expect(taken.map(\.kind) == [.packet, .report])
    #expect(taken[1].ntpTime == report.ntpTime)
    #expect(taken[1].timestamp == 77)
  }

  @Test func aKeyframeIsAskedForOfTheStreamThatIsRecorded() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(
      of: caller, announced: [1, 3, 5].map { (media: SSRC($0), retransmission: SSRC($0 + 1)) })
    world.relay.record(source, as: 9)
    for number: UInt32 in [1, 3, 5] {
      var stream = TestStream(number)
      world.send(stream.frame(keyframe: true), from: caller)
    }
    world.advance(1_000)
    _ = world.takeFeedback(to: caller)
    world.relay.requestKeyframe(ofRecorded: 9, stream: SSRC(3), now: world.now)
    world.relay.requestKeyframe(ofRecorded: 8, stream: SSRC(5), now: world.now)
    world.advance(100)
    let asked = world.takeFeedback(to: caller).compactMap {
      if case .pictureLossIndication(let request) = $0 { request.mediaSSRC } else { nil }
    }
    #expect(asked == [SSRC(3)])
  }

  @Test func aFullRingCostsNoViewerAnything() throws {
    var scene = try Scene(capacity: 4_096)
    let viewer = try scene.world.addViewer()
    scene.world.connect(viewer, to: scene.source)
    scene.world.send(scene.stream.frame(keyframe: true), from: scene.caller)
    for _ in 0..<100 { scene.world.send(scene.stream.frame(sizes: [1_000]), from: scene.caller) }
    #expect(viewer.media().count == 101)
    #expect(scene.ring.dropped > 90)
  }
}
