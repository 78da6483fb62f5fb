import Primitives
import RTP
import Relay
import Testing

/// One source fanned out by two relays, as two media threads do.
@Suite struct MirrorTests {
  /// A home relay with a caller, and an annex that gets its source out of a ring.
  final class House {
    let home: World
    let annex: World
    let ring: HandoverRing
    let caller: PeerHandle
    let source: SourceHandle
    /// The source as the annex knows it.
    private(set) var mirror: SourceHandle
    private let description: SourceParameters
    /// Under which the source is announced to the annex.
    static let number: UInt32 = 7
    private static let thread = 1

    init(capacity: Int = 4 << 20, announced: [UInt32] = [1]) throws {
      home = try World(seed: 1)
      annex = try World(seed: 2)
      ring = HandoverRing(capacity: capacity)
      caller = home.addCaller()
      description = SourceParameters(
        peer: caller, kind: .video, mid: "0", formats: [.vp8], extensions: .test,
        announced: announced.map { (media: SSRC($0), retransmission: SSRC($0 + 1)) }, acceptsNACK: true)
      source = try #require(home.relay.addSource(description))
      // So that the two give formats different numbers, as the threads of a node do.
      _ = try annex.addViewer([(.video, [.at(100, .h264(profile: 0x42e0)), .vp8])])
      mirror = annex.relay.addMirrored(description)
      home.relay.setMirrorRing(ring.writer, of: Self.thread)
    }

    func start() { home.relay.startMirroring(source, as: Self.number, on: Self.thread) }
    func stop() { home.relay.stopMirroring(source, on: Self.thread) }

    func addViewer(transportExtension: UInt8 = 0) throws -> Viewer {
      let viewer = try annex.addViewer(transportExtension: transportExtension)
      annex.connect(viewer, to: mirror)
      return viewer
    }

    /// The annex reads what waits for it.
    func pass() {
      ring.drain { entry, payload in
        #expect(entry.source == Self.number)
        if !annex.relay.receiveMirrored(entry, payload, of: mirror, now: annex.now) { annex.flush() }
      }
      annex.flush()
    }

    func send(_ packets: [[UInt8]]) {
      home.send(packets, from: caller)
      pass()
    }

    /// Lets time pass in both, with what the annex wants passed on.
    func advance(_ milliseconds: Int64) {
      for _ in 0..<(milliseconds / 10) {
        home.advance(10)
        let before = annex.keyframesWanted.count
        annex.advance(10)
        for wanted in annex.keyframesWanted[before...] {
          home.relay.requestKeyframe(ofMirrored: source, stream: wanted.stream, now: home.now)
        }
        pass()
      }
    }
  }

  @Test func viewersOfBothThreadsSeeTheSame() throws {
    let house = try House()
    let near = try house.home.addViewer()
    house.home.connect(near, to: house.source)
    house.start()
    let far = try house.addViewer()
    var stream = TestStream(1)
    house.send(stream.frame(keyframe: true, sizes: [1_000, 700]))
    for _ in 0..<200 { house.send(stream.frame(sizes: [900, 901, 300])) }
    #expect(near.media().tags == Array(0..<602))
    #expect(far.media().tags == near.media().tags)
    #expect(far.media().map(\.payload) == near.media().map(\.payload))
    #expect(far.media().isContinuous)
    #expect(far.rejections.isEmpty)
    #expect(house.annex.relay.counters.mirrored == 602)
    #expect(house.home.relay.takeMirrorNews() == 2)
    #expect(house.home.relay.takeMirrorNews() == 0)
  }

  @Test func theFirstViewerElsewhereGetsThePictureAndAllSince() throws {
    let house = try House()
    var stream = TestStream(1, sequence: 65_530)
    house.send(stream.frame(keyframe: true, sizes: [1_000, 1_000, 500]))
    for _ in 0..<20 { house.send(stream.frame()) }
    let viewer = try house.addViewer()
    house.start()
    house.pass()
    #expect(viewer.media().tags == Array(0..<23))
    house.send(stream.frame())
    #expect(viewer.media().tags == Array(0..<24))
    #expect(viewer.media().isContinuous)
    house.advance(500)
    #expect(house.home.takeFeedback(to: house.caller).keyframeRequests == 0)
  }

  @Test func ofAnOldPictureTheKeyframeComesAtOnceAndAFreshOneIsAskedFor() throws {
    let house = try House()
    var stream = TestStream(1)
    house.send(stream.frame(keyframe: true, sizes: [1_000, 1_000, 500]))
    for _ in 0..<800 { house.send(stream.frame()) }
    house.advance(2_000)
    _ = house.home.takeFeedback(to: house.caller)
    let viewer = try house.addViewer()
    house.start()
    house.pass()
    #expect(viewer.media().tags == [0, 1, 2])
    // What follows refers to pictures that this viewer has never seen.
    house.send(stream.frame())
    #expect(viewer.media().tags == [0, 1, 2])
    house.advance(100)
    #expect(house.home.takeFeedback(to: house.caller).keyframeRequests == 1)
    house.send(stream.frame(keyframe: true))
    house.send(stream.frame())
    #expect(viewer.media().tags == [0, 1, 2, 804, 805])
    #expect(viewer.media().isContinuous)
  }

  @Test func aViewerElsewhereThatLostItsPictureIsHelpedByTheCaller() throws {
    let house = try House()
    house.start()
    let viewer = try house.addViewer()
    var stream = TestStream(1)
    house.send(stream.frame(keyframe: true))
    for _ in 0..<10 {
      house.send(stream.frame())
      house.advance(100)
    }
    _ = house.home.takeFeedback(to: house.caller)
    house.annex.sendRTCP(
      [.pictureLossIndication(PictureLossIndication(senderSSRC: SSRC(9), mediaSSRC: viewer.slots[0].ssrc))],
      from: viewer.peer)
    house.advance(100)
    #expect(house.home.takeFeedback(to: house.caller).keyframeRequests == 1)
    #expect(house.annex.relay.counters.keyframesRequested == 0, "only the home asks callers")
  }

  @Test func whatWasLostOnTheWayHereIsRepairedForAll() throws {
    let house = try House()
    house.start()
    let viewer = try house.addViewer()
    var stream = TestStream(1)
    house.send(stream.frame(keyframe: true))
    let lost = stream.frame(sizes: [500])
    house.send(stream.frame())
    house.advance(20)
    #expect(house.annex.relay.counters.nacksSent == 0)
    house.send([stream.retransmission(of: lost[0], ssrc: 2)])
    #expect(viewer.media().tags == [0, 2, 1])
    #expect(Set(viewer.media().map(\.sequence)).count == 3)
  }

  @Test func clocksAreTheSameEverywhere() throws {
    let house = try House()
    house.start()
    let near = try house.home.addViewer()
    house.home.connect(near, to: house.source)
    let far = try house.addViewer()
    var stream = TestStream(1)
    house.send(stream.frame(keyframe: true))
    let report = SenderReport(
      ssrc: SSRC(1), ntpTime: NTPTimestamp(bits: 0x1234_5678_9abc_def0), rtpTimestamp: 90_000, packetCount: 1,
      octetCount: 1, reports: [])
    house.home.sendRTCP([.senderReport(report)], from: house.caller)
    house.pass()
    house.advance(1_500)
    let clocks = try [(house.home, near), (house.annex, far)].map { world, viewer in
      let reports = world.takeFeedback(to: viewer.peer).compactMap { packet in
        if case .senderReport(let report) = packet { report } else { nil }
      }
      let last = try #require(reports.last)
      let offset = try #require(viewer.media().first).header.timestamp &- 90_000
      return (last.ntpTime, last.rtpTimestamp &- offset)
    }
    let apart = Double(Int64(bitPattern: clocks[1].0.bits &- clocks[0].0.bits)) / 0x1p32 * 90_000
    #expect(abs(Double(Int32(bitPattern: clocks[1].1 &- clocks[0].1)) - apart) < 2)
  }

  @Test func everySizeIsThereToo() throws {
    let house = try House(announced: [1, 3])
    house.start()
    let viewer = try house.addViewer()
    var small = TestStream(1)
    var large = TestStream(3, firstTag: 10_000)
    for index in 0..<40 {
      house.send(small.frame(keyframe: index % 10 == 0, sizes: [300]))
      house.send(large.frame(keyframe: index % 10 == 0, sizes: [1_000, 1_000]))
      house.advance(30)
    }
    let layers = house.annex.relay.layers(of: house.mirror, now: house.annex.now)
    #expect(layers.count == 2)
    #expect(viewer.media().tags.last.map { $0 >= 10_000 } == true, "the best is shown")
    #expect(viewer.media().isContinuous)
  }

  @Test func whatFindsNoRoomIsCountedAndTheHomeGoesOn() throws {
    let house = try House(capacity: 8_192)
    let near = try house.home.addViewer()
    house.home.connect(near, to: house.source)
    house.start()
    let far = try house.addViewer()
    var stream = TestStream(1)
    // The annex sleeps.
    house.home.send(stream.frame(keyframe: true), from: house.caller)
    for _ in 0..<50 { house.home.send(stream.frame(sizes: [1_000]), from: house.caller) }
    #expect(near.media().count == 51)
    #expect(house.home.relay.counters.mirrorsDropped > 0)
    house.pass()
    #expect(far.media().count < 51)
    house.send(stream.frame())
    house.advance(2_000)
    #expect(house.home.takeFeedback(to: house.caller).keyframeRequests > 0, "a picture to go on with")
    house.send(stream.frame(keyframe: true))
    #expect(far.media().tags.last == near.media().tags.last)
  }

  @Test func afterItsEndNothingIsCopied() throws {
    let house = try House()
    house.start()
    let viewer = try house.addViewer()
    var stream = TestStream(1)
    house.send(stream.frame(keyframe: true))
    house.stop()
    house.home.send(stream.frame(), from: house.caller)
    #expect(house.ring.waiting == 0)
    house.annex.relay.removeMirrored(house.mirror)
    house.annex.advance(200)
    #expect(viewer.media().count == 1)
    // Asked for by a thread that has not heard yet.
    house.home.relay.requestKeyframe(ofMirrored: house.source, stream: SSRC(77), now: house.home.now)
  }
}
