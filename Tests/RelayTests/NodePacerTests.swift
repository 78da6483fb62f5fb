import Primitives
import RTP
import Relay
import Testing

/// On a node with a limit, pictures that are less urgent leave no faster than the node may send.
@Suite struct NodePacerTests {
  /// Bits per second: a burst of 60 ms is some 16 packets of a thousand bytes.
  static let limit = 2_000_000

  @Test(
    "of a burst the most urgent sends all at once, others what is left of the line; in the end everything arrives",
    arguments: [(1, 40...40), (2, 12...24), (3, 8...18), (4, 4...12)])
  func bursts(priority: Int, atOnce: ClosedRange<Int>) throws {
    let stage = try Stage(limit: Self.limit, priorities: [priority])
    stage.send(pictures: 20, of: 0)
    #expect(atOnce.contains(stage.count(0)), "\(stage.count(0))")
    stage.world.advance(500)
    #expect(stage.count(0) == 40)
    #expect(stage.viewers[0].media().isContinuous)
  }

  @Test("without a limit nothing waits")
  func unlimited() throws {
    let stage = try Stage(limit: nil, priorities: [4])
    stage.send(pictures: 20, of: 0)
    #expect(stage.count(0) == 40)
  }

  @Test("when the limit is lifted, what waits leaves")
  func lifted() throws {
    let stage = try Stage(limit: Self.limit, priorities: [4])
    stage.send(pictures: 20, of: 0)
    stage.world.relay.egressBitsPerSecond = nil
    stage.world.advance(110)
    #expect(stage.count(0) == 40)
  }

  @Test("an urgent burst is not held up by others, and they wait for it: the more urgent ones less")
  func order() throws {
    let stage = try Stage(limit: 2 * Self.limit, priorities: [4, 2, 1])
    stage.send(pictures: 20, of: 0, 1, 2)
    #expect(stage.count(2) == 40, "all of it at once")
    #expect(stage.count(0) < 40 && stage.count(1) < 40)
    var finished: [Int] = []
    for _ in 0..<50 {
      stage.world.advance(10)
      for viewer in [0, 1] where stage.count(viewer) == 40 && !finished.contains(viewer) { finished.append(viewer) }
    }
    #expect(finished == [1, 0])
    for viewer in stage.viewers { #expect(viewer.media().isContinuous) }
  }

  /// Calls of some priorities, each with one viewer who tells nothing of its link.
  private final class Stage {
    let world: World
    var callers: [PeerHandle] = []
    var viewers: [Viewer] = []
    private var streams: [LayeredStream] = []

    init(limit: Int?, priorities: [Int]) throws {
      world = try World()
      world.relay.egressBitsPerSecond = limit
      for (place, priority) in priorities.enumerated() {
        let caller = world.addCaller()
        let source = try world.addSource(of: caller)
        let viewer = try world.addViewer()
        world.relay.setTier(Tier(priority: priority, audience: .control), of: viewer.peer)
        world.connect(viewer, to: source)
        callers.append(caller)
        viewers.append(viewer)
        streams.append(LayeredStream(UInt32(0x11 + place), size: 1_000))
      }
      for picture in 0..<90 {
        for place in streams.indices { world.send(streams[place].next(keyframe: picture == 0), from: callers[place]) }
        world.advance(LayeredStream.interval)
      }
      for viewer in viewers { viewer.forgetReceived() }
    }

    /// In one turn of the media thread.
    func send(pictures: Int, of places: Int...) {
      world.send(
        places.flatMap { place in
          (0..<pictures).flatMap { _ in streams[place].next() }.map { (packet: $0, peer: callers[place]) }
        })
    }

    func count(_ viewer: Int) -> Int { viewers[viewer].media().count }
  }
}
