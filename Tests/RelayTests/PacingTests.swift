import Primitives
import RTP
import Relay
import Testing

/// Pictures of viewers whose link is measured leave no faster than the link takes them.
@Suite struct PacingTests {
  @Test func whatTheLinkDoesNotTakeAtOnceWaits() throws {
    let stage = try Stage()
    stage.viewer.forgetReceived()
    stage.send(large: 20)
    #expect(stage.sizes.count < 30, "a burst of 40 packets of a thousand bytes is more than 25 ms of the link")
    stage.world.advance(500)
    #expect(stage.sizes.count == 40)
    #expect(stage.viewer.media().isContinuous)
  }

  /// Else the larger picture, which the link no longer bears, takes the line from the smaller one that is to replace it.
  @Test func whileASmallerPictureWaitsTheLargerOneIsOver() throws {
    let stage = try Stage()
    stage.world.relay.setHeight(90, of: stage.viewer.slots[0].handle)
    stage.world.advance(200)
    stage.viewer.forgetReceived()
    stage.send(large: 20)
    let before = stage.sizes.count
    #expect(before < 30, "the line is full")
    stage.sendSmallKeyframe()
    stage.send(large: 20)
    #expect(stage.sizes.count == before, "nothing more of the larger one")
    stage.world.advance(500)
    #expect(stage.sizes.dropFirst(before) == [100, 100], "but the smaller one")
    stage.send(large: 1)
    #expect(stage.sizes.count == before + 2)
  }

  /// A caller of two sizes, the larger one shown, and a viewer whose feedback says that everything arrives.
  private final class Stage {
    let world: World
    let caller: PeerHandle
    let viewer: Viewer
    private var small = LayeredStream(0x11, size: 100, rid: "l")
    private var large = LayeredStream(0x33, size: 1_000, rid: "h")
    private var arrivals = TransportFeedbackRecorder()
    private var told = 0

    init() throws {
      world = try World()
      caller = world.addCaller()
      let source = try world.addSource(of: caller)
      viewer = try world.addViewer(transportExtension: 5)
      world.connect(viewer, to: source)
      for picture in 0..<120 {
        world.send(small.next(keyframe: picture % 30 == 0), from: caller)
        world.send(large.next(keyframe: picture % 30 == 0), from: caller)
        world.advance(LayeredStream.interval)
        tellArrivals()
      }
      try #require(sizes.suffix(10).allSatisfy { $0 == 1_000 }, "the larger one is shown")
    }

    var sizes: [Int] { viewer.media().map(\.payload.count) }

    /// Pictures of the larger size, in one turn of the media thread.
    func send(large count: Int) {
      world.send((0..<count).flatMap { _ in large.next() }, from: caller)
    }

    func sendSmallKeyframe() {
      world.send(small.next(keyframe: true), from: caller)
    }

    private func tellArrivals() {
      for packet in viewer.received.dropFirst(told) {
        guard let number = packet.extensionNumber(5) else { continue }
        arrivals.record(SequenceNumber(number), arrival: packet.arrival)
      }
      told = viewer.received.count
      let feedback = arrivals.takeFeedback(senderSSRC: SSRC(1), mediaSSRC: SSRC(2))
      world.sendRTCP(feedback.map(RTCPPacket.transportFeedback), from: viewer.peer)
    }
  }
}
