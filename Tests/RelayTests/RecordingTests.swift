import Primitives
import RTP
import Relay
import Testing

/// What the relay copies for the recorder.
@Suite struct RecordingTests {
  struct Scene {
    let world: World
    let ring: RecordingRing
    let caller: PeerHandle
    let source: SourceHandle
    var stream = TestStream(1)

    init(capacity: Int = 1 << 20, recorded: Bool = true) throws {
      world = try World()
      ring = RecordingRing(capacity: capacity)
      world.relay.recorder = ring.writer
      caller = world.addCaller()
      source = try world.addSource(of: caller, announced: [(media: SSRC(1), retransmission: SSRC(2))])
      if recorded { world.relay.record(source, as: 9) }
    }

    func taken() -> [(entry: RecordingEntry, payload: [UInt8])] {
      var taken: [(RecordingEntry, [UInt8])] = []
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

  @Test func aRecordedPictureIsAskedForAKeyframeNowAndThen() throws {
    var scene = try Scene()
    scene.world.send(scene.stream.frame(keyframe: true), from: scene.caller)
    var requests = 0
    for second in 1...20 {
      scene.world.advance(500)
      let asked = scene.world.takeFeedback(to: scene.caller).contains {
        if case .pictureLossIndication = $0 { true } else { false }
      }
      if asked { requests += 1 }
      scene.world.send(scene.stream.frame(keyframe: asked), from: scene.caller)
      if second < 8 { #expect(requests == 0) }
    }
    #expect(requests == 2)
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
