import Primitives
import RTP
import Relay
import Testing

/// Retransmissions to viewers and from senders.
@Suite struct RepairTests {
  struct Scene {
    let world: World
    let caller: PeerHandle
    let source: SourceHandle
    let viewer: Viewer
    var stream = TestStream(1)

    init(slot: [RelayedFormat] = [.at(120, .vp8)]) throws {
      world = try World()
      caller = world.addCaller()
      source = try world.addSource(of: caller)
      viewer = try world.addViewer([(.video, slot)])
      world.connect(viewer, to: source)
      world.send(stream.frame(keyframe: true), from: caller)
    }

    func nack(_ lost: [UInt16], ssrc: SSRC? = nil) {
      world.sendRTCP(
        [
          .genericNACK(
            GenericNACK(
              senderSSRC: SSRC(1), mediaSSRC: ssrc ?? viewer.slots[0].ssrc, lost: lost.map { SequenceNumber($0) }))
        ], from: viewer.peer)
    }
  }

  @Test func aLostPacketIsSentAgainAsARetransmission() throws {
    var scene = try Scene()
    for _ in 0..<20 { scene.world.send(scene.stream.frame(sizes: [1_000, 999]), from: scene.caller) }
    let media = scene.viewer.media()
    scene.nack([media[5].sequence, media[6].sequence, media[40].sequence])
    let repairs = scene.viewer.retransmissions()
    #expect(repairs.count == 3)
    for lost in [media[5], media[6], media[40]] {
      let repair = try #require(repairs.first { $0.original == lost.sequence })
      #expect(repair.payload.dropFirst(2).elementsEqual(lost.payload))
      #expect(repair.header.timestamp == lost.header.timestamp)
      #expect(repair.header.marker == lost.header.marker)
      #expect(repair.header.payloadType == PayloadType(121))
    }
    #expect(repairs.isContinuous)
    #expect(scene.world.relay.counters.retransmitted == 3)
    #expect(scene.viewer.rejections.isEmpty)
  }

  @Test func withoutRetransmissionFormatNothingIsSentTwice() throws {
    let plain = RelayedFormat(payloadType: PayloadType(120), format: .vp8)
    let scene = try Scene(slot: [plain])
    scene.nack([scene.viewer.media()[0].sequence])
    #expect(scene.viewer.received.count == 1)
  }

  @Test func packetsThatAreGoneOrNeverWereAreMisses() throws {
    var scene = try Scene()
    for _ in 0..<600 { scene.world.send(scene.stream.frame(ticks: 300), from: scene.caller) }
    let media = scene.viewer.media()
    scene.nack([media[1].sequence, media[0].sequence &- 1, media[600].sequence &+ 1, media[600].sequence &+ 9_999])
    #expect(scene.viewer.retransmissions().isEmpty)
    #expect(scene.world.relay.counters.retransmissionsMissed == 4)
    scene.nack([media[200].sequence])
    #expect(scene.viewer.retransmissions().map(\.original) == [media[200].sequence])
  }

  @Test func theBudgetOfAnIntervalIsKept() throws {
    var scene = try Scene()
    for _ in 0..<200 { scene.world.send(scene.stream.frame(ticks: 300), from: scene.caller) }
    scene.world.advance(100)
    let numbers = scene.viewer.media().map(\.sequence)
    for _ in 0..<10 { scene.nack(numbers) }
    #expect(scene.viewer.retransmissions().count == 128)
    #expect(scene.world.relay.counters.retransmissionsOverBudget == UInt64(201 * 10 - 128))
    scene.world.advance(100)
    scene.nack([numbers[0]])
    #expect(scene.viewer.retransmissions().count == 129)
  }

  @Test func aRepairThatWouldComeTooLateIsNotSent() throws {
    var scene = try Scene()
    for _ in 0..<100 { scene.world.send(scene.stream.frame(ticks: 3_000), from: scene.caller) }
    let media = scene.viewer.media()
    scene.nack([media[10].sequence, media[90].sequence])
    #expect(scene.viewer.retransmissions().map(\.original) == [media[90].sequence])
    #expect(scene.world.relay.counters.retransmissionsLate == 1)
  }

  @Test func packetsOfTheSourceBeforeASwitchAreStillThere() throws {
    let scene = try Scene()
    let world = scene.world
    let other = world.addCaller()
    let otherSource = try world.addSource(of: other)
    var otherStream = TestStream(2, sequence: 500, firstTag: 900)
    world.connect(scene.viewer, to: otherSource)
    world.send(otherStream.frame(keyframe: true), from: other)
    let media = scene.viewer.media()
    #expect(media.tags == [0, 900])
    scene.nack([media[0].sequence, media[1].sequence])
    let repairs = scene.viewer.retransmissions()
    #expect(Set(repairs.map { TestStream.tag(of: Array($0.payload.dropFirst(2))) }) == [0, 900])
    for repair in repairs {
      let original = try #require(media.first { $0.sequence == repair.original })
      #expect(repair.header.timestamp == original.header.timestamp)
    }
  }

  @Test func requestsForTheRetransmissionStreamMeanNothing() throws {
    let scene = try Scene()
    scene.nack([scene.viewer.media()[0].sequence], ssrc: scene.viewer.slots[0].retransmissionSSRC)
    #expect(scene.viewer.retransmissions().isEmpty)
  }

  @Test func theSenderIsAskedForWhatIsMissing() throws {
    var scene = try Scene()
    let world = scene.world
    let lost = scene.stream.frame()
    world.send(scene.stream.frame(), from: scene.caller)
    #expect(world.takeFeedback(to: scene.caller).lost.isEmpty)
    world.advance(20)
    #expect(world.takeFeedback(to: scene.caller).lost == [1_001])
    world.send([scene.stream.retransmission(of: lost[0], ssrc: 2)], from: scene.caller)
    let media = scene.viewer.media()
    #expect(media.tags == [0, 2, 1])
    #expect(media[2].sequence == media[0].sequence &+ 1)
    #expect(media[2].header.timestamp == media[0].header.timestamp &+ 3_000)
    #expect(world.relay.counters.recovered == 1)
    world.advance(2_000)
    #expect(world.takeFeedback(to: scene.caller).lost.isEmpty)
  }

  @Test func onlyWhatWasMissingCountsAsRecovered() throws {
    var scene = try Scene()
    let sent = scene.stream.frame()
    scene.world.send(sent, from: scene.caller)
    scene.world.send([scene.stream.retransmission(of: sent[0], ssrc: 2)], from: scene.caller)
    #expect(scene.world.relay.counters.recovered == 0)
    #expect(scene.viewer.media().tags == [0, 1])
  }

  @Test func whatStaysMissingEndsInAKeyframeRequest() throws {
    var scene = try Scene()
    let world = scene.world
    world.advance(1_000)
    _ = scene.stream.frame()
    world.send(scene.stream.frame(), from: scene.caller)
    _ = world.takeFeedback(to: scene.caller)
    world.advance(900)
    #expect(world.takeFeedback(to: scene.caller).keyframeRequests == 0)
    world.advance(200)
    #expect(world.takeFeedback(to: scene.caller).keyframeRequests == 1)
  }

  @Test func aKeyframeEndsTheWaitForWhatWasBefore() throws {
    var scene = try Scene()
    let world = scene.world
    _ = scene.stream.frame()
    world.send(scene.stream.frame(), from: scene.caller)
    world.advance(20)
    world.send(scene.stream.frame(keyframe: true), from: scene.caller)
    _ = world.takeFeedback(to: scene.caller)
    world.advance(3_000)
    let feedback = world.takeFeedback(to: scene.caller)
    #expect(feedback.lost.isEmpty)
    #expect(feedback.keyframeRequests == 0)
  }

  @Test func aSenderWithoutNACKIsNotAsked() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller, acceptsNACK: false)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    _ = stream.frame()
    world.send(stream.frame(), from: caller)
    world.advance(200)
    #expect(world.takeFeedback(to: caller).lost.isEmpty)
  }
}
