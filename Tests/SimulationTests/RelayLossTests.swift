import Primitives
import SimulationSupport
import Testing

/// One packet of ten lost either way, and 100 ms each way: what repair saves.
@Suite struct RelayLossTests {
  static let lossy = SimulatedNetwork.Quality(delay: .milliseconds(100), loss: 0.10)

  struct Course {
    var share: Double
    var frozen: Double
    var sound: Double
    var text: String
  }

  /// The half minute after the first ten seconds, as the viewer saw it.
  private func watch(seed: UInt64, caller: SimulatedNetwork.Quality, viewer: SimulatedNetwork.Quality) throws -> Course
  {
    let node = try SimulatedNode(seed: seed)
    let viewer = try node.addViewer(of: node.addCaller(link: caller), link: viewer)
    try #require(node.connect())
    let start = node.simulator.now
    node.simulator.run(for: .seconds(40))
    let (from, to) = (start + .seconds(10), node.simulator.now + TimeInterval64.seconds(-1))
    #expect(viewer.decoder.torn + viewer.decoder.backward + viewer.foreignPackets == 0)
    let frozen = viewer.decoder.frozenTime(from: from, to: to, beyond: .milliseconds(500))
    let sizes = (0...2).map { size in
      viewer.decoder.pictures(capturedFrom: from, to: to).count { $0.encoding == size }
    }
    let delays = [0.5, 0.9, 0.99].map { viewer.decoder.delay(share: $0, from: from, to: to)?.milliseconds ?? -1 }
    return Course(
      share: viewer.pictureShare(from: from, to: to, within: .milliseconds(1_000)), frozen: frozen.seconds,
      sound: viewer.soundShare(from: from, to: to, within: .milliseconds(400)),
      text: """
        sizes \(sizes), delays \(delays) ms, keyframes asked for \(viewer.keyframesRequested), frozen \(frozen.seconds) s,
        \(viewer.course(from: start))
        """)
  }

  @Test("on the viewer's link", arguments: 1...4)
  func viewersLink(seed: UInt64) throws {
    let course = try watch(seed: seed, caller: SimulatedNetwork.Quality(), viewer: Self.lossy)
    #expect(course.share > 0.95, "\(course.share) \(course.text)")
    #expect(course.frozen < 1.5, "\(course.text)")
    #expect(course.sound > 0.85)
  }

  @Test("on the caller's link", arguments: 1...4)
  func callersLink(seed: UInt64) throws {
    let course = try watch(seed: seed, caller: Self.lossy, viewer: SimulatedNetwork.Quality())
    #expect(course.share > 0.95, "\(course.share) \(course.text)")
    #expect(course.frozen < 1.5, "\(course.text)")
    #expect(course.sound > 0.85)
  }

  @Test("on both", arguments: 1...4)
  func bothLinks(seed: UInt64) throws {
    let course = try watch(seed: seed, caller: Self.lossy, viewer: Self.lossy)
    #expect(course.share > 0.90, "\(course.share) \(course.text)")
    #expect(course.frozen < 2.5, "\(course.text)")
    #expect(course.sound > 0.75)
  }
}
