import Primitives
import RTP
import Relay
import Testing

/// What a viewer would take whom nothing reaches is left to others, on its node and on its line, until it answers again.
@Suite struct SilentViewerTests {
  @Test(
    "a viewer without sound is tried again, and sees the picture soon after its line is back",
    arguments: [1, 2, 3, 4, 5, 6, 12],
    [20_000_000, nil])
  func comesBack(seconds: Int, limit: Int?) throws {
    let stage = try Stage(limit: limit)
    stage.run(pictures: 90)
    try #require(stage.takeCount() > 150, "it sees the picture")
    stage.isDeaf = true
    stage.run(pictures: 30 * seconds)
    let sentToNobody = stage.takeCount()
    // A second until it is noticed, or two, and a tenth of one every two seconds.
    #expect(sentToNobody < (limit == nil ? 160 : 100) + 15 * seconds, "\(sentToNobody)")
    stage.isDeaf = false
    stage.run(pictures: 30 * 5)
    _ = stage.takeCount()
    stage.run(pictures: 30)
    #expect(stage.takeCount() == 60)
    #expect(stage.reason == nil)
  }

  @Test("when the caller begins after a pause, nobody is taken for silent before the answers can be there")
  func afterAPause() throws {
    let stage = try Stage()
    stage.run(pictures: 90)
    // It answers whatever its link is probed with meanwhile.
    for _ in 0..<150 {
      stage.world.advance(LayeredStream.interval)
      stage.tellArrivals()
    }
    _ = stage.takeCount()
    // Four tenths of a second, which is a long way: the source is measured before the first answer comes.
    for picture in 0..<12 {
      stage.send(pictures: 1, keyframe: picture == 0)
      stage.world.advance(LayeredStream.interval)
    }
    #expect(stage.reason == nil)
    stage.tellArrivals()
    stage.run(pictures: 30)
    #expect(stage.takeCount() == 84)
    #expect(stage.reason == nil)
  }

  /// One caller and one viewer, without sound, on a node with more than enough room, or without any limit.
  private final class Stage {
    let world: World
    var isDeaf = false
    private let caller: PeerHandle
    private let source: SourceHandle
    private let viewer: Viewer
    private var stream = LayeredStream(0x11, size: 1_000)
    private var arrivals = TransportFeedbackRecorder()
    private var told = 0
    private var counted = 0

    /// - Parameter limit: Bits per second that the node may send.
    init(limit: Int? = 20_000_000) throws {
      world = try World()
      world.relay.egressBitsPerSecond = limit
      caller = world.addCaller()
      source = try world.addSource(of: caller)
      viewer = try world.addViewer(transportExtension: 5)
      world.relay.setTier(Tier(priority: 1, audience: .control), of: viewer.peer)
      world.connect(viewer, to: source)
      send(pictures: 1, keyframe: true)
    }

    func run(pictures: Int) {
      for _ in 0..<pictures {
        // Where one is asked for, a keyframe comes.
        let isWanted = world.takeFeedback(to: caller).contains {
          if case .pictureLossIndication = $0 { true } else { false }
        }
        send(pictures: 1, keyframe: isWanted)
        world.advance(LayeredStream.interval)
        tellArrivals()
      }
    }

    func send(pictures: Int, keyframe: Bool) {
      for picture in 0..<pictures { world.send(stream.next(keyframe: keyframe && picture == 0), from: caller) }
    }

    func tellArrivals() {
      let new = viewer.received.dropFirst(told)
      told = viewer.received.count
      guard !isDeaf else { return }
      for packet in new {
        guard let number = packet.extensionNumber(5) else { continue }
        arrivals.record(SequenceNumber(number), arrival: packet.arrival)
      }
      let feedback = arrivals.takeFeedback(senderSSRC: SSRC(1), mediaSSRC: SSRC(2))
      world.sendRTCP(feedback.map(RTCPPacket.transportFeedback), from: viewer.peer)
    }

    /// Packets of the picture since the last call.
    func takeCount() -> Int {
      defer { counted = viewer.media().count }
      return viewer.media().count - counted
    }

    var reason: ReductionReason? {
      world.relay.status(of: viewer.slots[0].handle, showing: source, now: world.now)?.reason
    }
  }
}
