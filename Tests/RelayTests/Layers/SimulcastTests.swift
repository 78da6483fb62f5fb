import Primitives
import RTP
import Relay
import Testing

/// Several encodings of one picture: each viewer gets the one that fits.
@Suite struct SimulcastTests {
  @Test func theBestIsShownWhileNothingLimits() throws {
    let stage = try Stage()
    stage.run(pictures: 120)
    #expect(stage.sizes.suffix(10).allSatisfy { $0 == 1_000 })
    #expect(stage.viewer.media().isContinuous)
    let layers = stage.world.relay.layers(of: stage.source, now: stage.world.now)
    #expect(layers.map(\.rid).filter { $0 == "h" }.count == 2, "\(layers)")
    #expect(layers.map(\.bitsPerSecond) == layers.map(\.bitsPerSecond).sorted())
    #expect(layers.first?.height == 360)
  }

  @Test func aSmallerOneIsShownAtItsKeyframeAndTheBestComesBack() throws {
    let stage = try Stage()
    stage.run(pictures: 120)
    stage.world.relay.egressBitsPerSecond = 60_000
    stage.run(pictures: 90)
    stage.viewer.forgetReceived()
    stage.run(pictures: 30)
    #expect(stage.sizes.allSatisfy { $0 == 100 })
    #expect(stage.world.views.contains(stage.viewer.slots[0].handle), "the viewer is told")
    #expect(stage.status?.reason == .egress)

    stage.world.relay.egressBitsPerSecond = nil
    stage.run(pictures: 150)
    #expect(stage.sizes.suffix(10).allSatisfy { $0 == 1_000 }, "within five seconds")
    #expect(stage.viewer.media().isContinuous)
    #expect(stage.status?.reason == nil)
  }

  @Test func withoutRoomForAnyLayerStillsComeAndThenSoundAlone() throws {
    let stage = try Stage()
    stage.run(pictures: 120)
    stage.world.relay.egressBitsPerSecond = 9_000
    stage.run(pictures: 60)
    stage.viewer.forgetReceived()
    stage.run(pictures: 300)
    let keyframes = stage.viewer.media().filter { $0.descriptor?.isKeyframeStart == true }
    #expect((3...4).contains(keyframes.count), "one every three seconds")
    #expect(stage.viewer.media().count == 2 * keyframes.count, "and nothing else")
    #expect(stage.status?.rung == .stills)
    #expect(stage.viewer.media().isContinuous)

    stage.world.relay.egressBitsPerSecond = 0
    stage.run(pictures: 30)
    stage.viewer.forgetReceived()
    stage.run(pictures: 120)
    #expect(stage.viewer.media().isEmpty)
    #expect(stage.status?.rung == .audioOnly)

    stage.world.relay.egressBitsPerSecond = nil
    stage.run(pictures: 150)
    #expect(stage.sizes.suffix(10).allSatisfy { $0 == 1_000 })
  }

  /// Receivers drop a picture whose running numbers (RFC 7741 §4.2) are behind those of what they have.
  @Test func pictureNumbersGoOnFromOneEncodingToTheNext() throws {
    let stage = try Stage()
    stage.run(pictures: 120)
    stage.world.relay.egressBitsPerSecond = 60_000
    stage.run(pictures: 120)
    stage.world.relay.egressBitsPerSecond = 180_000
    stage.run(pictures: 180)
    stage.world.relay.egressBitsPerSecond = nil
    stage.run(pictures: 180)
    let media = stage.viewer.media()
    #expect(Set(media.map(\.payload.count)) == [100, 400, 1_000])
    // The senders of this test themselves skip up to three numbers before a keyframe.
    let jumps = zip(media.pictureIDs, media.pictureIDs.dropFirst()).filter { !(1...4).contains(($1 &- $0) & 0x7fff) }
    #expect(jumps.isEmpty, "\(jumps)")
    let baseLayers = media.filter { $0.temporal == 0 }.compactMap { $0.descriptor?.baseLayerIndex }
    #expect(zip(baseLayers, baseLayers.dropFirst()).allSatisfy { $1 == $0 || $1 == $0 &+ 1 })
  }

  @Test func aViewerWhoWantsLessGetsLess() throws {
    let stage = try Stage()
    stage.run(pictures: 120)
    stage.world.relay.setHeight(90, of: stage.viewer.slots[0].handle)
    stage.run(pictures: 60)
    stage.viewer.forgetReceived()
    stage.run(pictures: 30)
    #expect(stage.status?.reason == .wanted)
    #expect(stage.sizes.allSatisfy { $0 < 1_000 })
  }

  @Test func anEncodingThatVanishesIsReplaced() throws {
    let stage = try Stage()
    stage.run(pictures: 120)
    stage.encodings.removeLast()
    stage.run(pictures: 120)
    #expect(stage.sizes.suffix(10).allSatisfy { $0 == 400 })
    #expect(stage.viewer.media().isContinuous)
  }

  /// Most senders answer a request for a keyframe of one size with keyframes of all: the size that is seen would pay.
  @Test func aSizeThatPausesIsNotAskedForKeyframes() throws {
    let stage = try Stage()
    stage.run(pictures: 120)
    let paused = stage.encodings.removeFirst()
    stage.run(pictures: 45)
    // Somebody still waits for a picture of it, who is not told that there is none.
    stage.world.relay.requestKeyframe(ofRecorded: 7, stream: SSRC(paused.ssrc), now: stage.world.now)
    stage.asked.removeAll()
    stage.run(pictures: 120)
    #expect(stage.asked.isEmpty, "\(stage.asked)")
    stage.encodings.insert(paused, at: 0)
    stage.run(pictures: 2)
    stage.world.relay.requestKeyframe(ofRecorded: 7, stream: SSRC(paused.ssrc), now: stage.world.now)
    stage.run(pictures: 30)
    #expect(stage.asked == [paused.ssrc], "when it sends again it is asked")
  }

  @Test func keyframesOfSeveralSizesAreAskedForTogether() throws {
    let stage = try Stage()
    stage.run(pictures: 120)
    stage.asked.removeAll()
    for encoding in stage.encodings {
      stage.world.relay.requestKeyframe(ofRecorded: 7, stream: SSRC(encoding.ssrc), now: stage.world.now)
    }
    stage.run(pictures: 30)
    #expect(stage.asked.count == 1, "\(stage.asked)")
  }

  @Test func whatIsLostOfASizeThatNobodySeesCostsNoKeyframe() throws {
    let stage = try Stage()
    stage.run(pictures: 120)
    stage.asked.removeAll()
    stage.lossless = [0x22, 0x33]
    stage.run(pictures: 1)
    stage.lossless = [0x11, 0x22, 0x33]
    stage.run(pictures: 90)
    #expect(stage.asked.isEmpty, "\(stage.asked)")
    // Who comes to see it is not shown what is torn.
    stage.world.relay.setHeight(90, of: stage.viewer.slots[0].handle)
    stage.run(pictures: 60)
    #expect(!stage.asked.isEmpty)
    #expect(stage.sizes.suffix(10).allSatisfy { $0 < 1_000 })
    #expect(stage.viewer.media().isContinuous)
  }

  /// Else a new call looks small for seconds, and everybody's pictures together are more than the node may send.
  @Test func whatASourceSendsIsKnownAMomentAfterItBegins() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(0x77)
    var known: [Int: Int] = [:]
    for picture in 0..<90 {
      world.send(stream.frame(keyframe: picture == 0, sizes: [1_000, 1_000], ticks: 3_000), from: caller)
      world.advance(33)
      known[(picture + 1) * 33] = world.relay.layers(of: source, now: world.now).last?.bitsPerSecond
    }
    let rate = 2_000 * 8 * 1_000 / 33 * 105 / 100
    let early = try #require(known.filter { $0.key >= 330 }.map(\.value).min())
    #expect(early > rate * 8 / 10, "\(known.sorted { $0.key < $1.key })")
    let most = try #require(known.values.max())
    #expect(most < rate * 14 / 10, "\(most)")
    let late = known.filter { $0.key >= 1_000 }.map(\.value)
    #expect(late.allSatisfy { (rate * 9 / 10...rate * 11 / 10).contains($0) }, "\(late)")
  }

  @Test("a keyframe does not make its layer look too large, however rare", arguments: [(60, 15), (122, 35), (300, 20)])
  func keyframesAreSpread(every: Int, packets: Int) throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(0x77)
    var rates: [Int] = []
    for picture in 0..<1_080 {
      // Every two, four or ten seconds one as large as many others.
      let isKey = picture % every == 30
      let sizes = [Int](repeating: 1_000, count: isKey ? packets : 1)
      world.send(stream.frame(keyframe: isKey, sizes: sizes, ticks: 3_000), from: caller)
      world.advance(33)
      if picture > 720 { rates += world.relay.layers(of: source, now: world.now).map(\.bitsPerSecond) }
    }
    #expect(rates.count == 359)
    let (least, most) = (rates.min() ?? 0, rates.max() ?? 0)
    #expect(most < least * 11 / 10, "\(least) to \(most)")
    let mean = (every - 1 + packets) * 1_000 * 8 * 105 / (every * 33) * 10
    #expect(most > mean * 95 / 100, "the keyframes count: \(most) of \(mean)")
  }

  /// A caller who sends three encodings and makes keyframes when asked, and a viewer.
  private final class Stage {
    let world: World
    let caller: PeerHandle
    let source: SourceHandle
    let viewer: Viewer
    var encodings = [
      LayeredStream(0x11, size: 100, rid: "l", picture: 32_760), LayeredStream(0x22, size: 400, rid: "m"),
      LayeredStream(0x33, size: 1_000, rid: "h", picture: 400),
    ]

    init() throws {
      world = try World()
      caller = world.addCaller()
      source = try world.addSource(of: caller)
      world.relay.record(source, as: 7)
      viewer = try world.addViewer()
      world.connect(viewer, to: source)
      run(pictures: 1, keyframe: true)
    }

    var status: SlotStatus? { world.relay.status(of: viewer.slots[0].handle, showing: source, now: world.now) }
    var sizes: [Int] { viewer.media().map(\.payload.count) }

    /// Of which stream a keyframe was asked for, in order.
    var asked: [UInt32] = []
    /// Streams that lose no packet.
    var lossless: Set<UInt32> = [0x11, 0x22, 0x33]

    func run(pictures: Int, keyframe: Bool = false) {
      for _ in 0..<pictures {
        let requests = world.takeFeedback(to: caller).compactMap { packet in
          if case .pictureLossIndication(let request) = packet { request.mediaSSRC.rawValue } else { nil }
        }
        asked += requests
        for place in encodings.indices {
          let packets = encodings[place].next(keyframe: keyframe || !requests.isEmpty)
          if lossless.contains(encodings[place].ssrc) { world.send(packets, from: caller) }
        }
        world.advance(LayeredStream.interval)
      }
    }
  }
}
