import Primitives
import Relay
import SimulationSupport
import Testing

/// A viewer behind a narrow line beside one behind a fast line, on the same call.
@Suite struct RelayNarrowLinkTests {
  /// A call with two viewers, the first behind a line of 600 kbit/s, and when both were connected.
  private func call(seed: UInt64) throws -> (node: SimulatedNode, start: MonotonicTime) {
    let node = try SimulatedNode(seed: seed)
    let caller = try node.addCaller()
    try node.addViewer(of: caller, link: .line(600_000))
    try node.addViewer(of: caller)
    try #require(node.connect())
    return (node, node.simulator.now)
  }

  @Test("within 5 s it has a size that fits and runs smoothly from then on", arguments: 1...6)
  func settles(seed: UInt64) throws {
    let (node, start) = try call(seed: seed)
    let (narrow, fast) = (node.viewers[0], node.viewers[1])
    node.simulator.run(for: .seconds(5))
    let settled = node.simulator.now
    node.simulator.run(for: .seconds(25))
    let end = node.simulator.now
    let course = narrow.course(from: start)
    let freeze = narrow.decoder.longestFreeze(from: settled, to: end)
    #expect(freeze <= .milliseconds(500), "\(freeze.milliseconds) ms; \(course)")
    // The middle size fits; it may be taken back while what it takes and what the line bears are still being learnt.
    let sizes = narrow.decoder.pictures(capturedFrom: settled, to: end).map(\.encoding)
    #expect(sizes.allSatisfy { $0 <= 1 }, "\(course)")
    #expect(zip(sizes, sizes.dropFirst()).count { $0 != $1 } <= 3, "\(course)")
    #expect(sizes.suffix(300).allSatisfy { $0 == 1 }, "\(course)")
    let sound = narrow.soundShare(from: settled, to: end, within: .milliseconds(400))
    #expect(sound > 0.98, "\(sound); \(course)")
    #expect(narrow.decoder.torn + narrow.decoder.backward == 0)
    // The other one loses nothing.
    let last = end + TimeInterval64.milliseconds(-200)
    let large = fast.decoder.pictures(capturedFrom: settled, to: last).filter { $0.encoding == 2 }
    #expect(large.count == fast.caller.taken.count { $0 >= settled && $0 < last }, "\(fast.course(from: start))")
    #expect(fast.pictureShare(from: settled, to: last, within: .milliseconds(60)) == 1)
    #expect(fast.soundShare(from: start + .seconds(1), to: last, within: .milliseconds(60)) == 1)
    #expect(fast.decoder.torn + fast.decoder.backward + fast.foreignPackets == 0)
  }

  @Test("who joins a call behind a narrow line loses little of the first picture", arguments: 1...8, [600, 1_200])
  func joins(seed: UInt64, kilobits: Int) throws {
    let node = try SimulatedNode(seed: seed)
    let caller = try node.addCaller()
    // As large as a browser's: the middle size takes some 18 packets.
    caller.keyframeFactor = 14
    try node.addViewer(of: caller)
    try #require(node.connect())
    // At another place between two keyframes each time.
    node.simulator.run(for: .milliseconds(2_000 + 370 * Int64(seed)))
    var line = SimulatedNetwork.Quality.line(kilobits * 1_000)
    line.queueLimit = .milliseconds(300)
    let narrow = try node.addViewer(of: caller, link: line)
    let lost = node.simulator.network.lost
    try #require(node.connect())
    let connected = node.simulator.now
    node.simulator.run(for: .milliseconds(2_000))
    let course = narrow.course(from: connected)
    #expect(node.simulator.network.lost <= lost + 12, "\(course)")
    let first = try #require(narrow.decoder.shown.first)
    #expect(first.shownAt - connected <= .milliseconds(500), "\(course)")
    let freeze = narrow.decoder.longestFreeze(from: first.shownAt, to: node.simulator.now)
    #expect(freeze <= .milliseconds(900), "\(freeze.milliseconds) ms; \(course)")
  }

  @Test("a line that opens to 3 Mbit/s brings the largest size within 10 s", arguments: 1...6)
  func opens(seed: UInt64) throws {
    let (node, start) = try call(seed: seed)
    let narrow = node.viewers[0]
    node.simulator.run(for: .seconds(20))
    node.setDownlink(of: narrow, .line(3_000_000))
    let opened = node.simulator.now
    node.simulator.run(for: .seconds(10)) { narrow.size == 2 }
    let course = narrow.course(from: start)
    #expect(narrow.size == 2, "\(course)")
    node.simulator.run(for: .seconds(10))
    #expect(narrow.size == 2, "it stays; \(narrow.course(from: start))")
    let freeze = narrow.decoder.longestFreeze(from: opened, to: node.simulator.now)
    #expect(freeze <= .milliseconds(500), "\(freeze.milliseconds) ms; \(course)")
    #expect(narrow.decoder.torn + narrow.decoder.backward == 0)
  }

  @Test("on a line of 150 kbit/s sound goes on unbroken", arguments: 1...6)
  func drops(seed: UInt64) throws {
    let (node, start) = try call(seed: seed)
    let (narrow, fast) = (node.viewers[0], node.viewers[1])
    node.setDownlink(of: narrow, .line(3_000_000))
    node.simulator.run(for: .seconds(20))
    node.setDownlink(of: narrow, .line(150_000))
    let dropped = node.simulator.now
    node.simulator.run(for: .seconds(30))
    let end = node.simulator.now + TimeInterval64.milliseconds(-500)
    let sound = narrow.soundShare(from: dropped + .seconds(1), to: end, within: .milliseconds(400))
    #expect(sound > 0.99, "\(sound); \(narrow.course(from: start))")
    #expect(narrow.decoder.torn + narrow.decoder.backward == 0)
    #expect(fast.pictureShare(from: dropped, to: end, within: .milliseconds(60)) == 1)
  }

  @Test("another network brings the picture back at once and is measured anew", arguments: 1...6)
  func changesNetwork(seed: UInt64) throws {
    let (node, start) = try call(seed: seed)
    let narrow = node.viewers[0]
    node.simulator.run(for: .seconds(10))
    node.setDownlink(of: narrow, .init(delay: .milliseconds(20), loss: 1))
    node.simulator.run(for: .seconds(6))
    node.setDownlink(of: narrow, .line(8_000_000))
    let changed = node.simulator.now
    node.relay.pathChanged(of: narrow.place.peer, now: changed)
    node.simulator.run(for: .seconds(10))
    let course = narrow.course(from: start)
    let first = try #require(narrow.decoder.shown.first { $0.shownAt >= changed })
    #expect(first.shownAt - changed <= .milliseconds(300), "\(course)")
    #expect(narrow.size == 2, "\(course)")
    let freeze = narrow.decoder.longestFreeze(from: first.shownAt, to: node.simulator.now)
    #expect(freeze <= .milliseconds(500), "\(freeze.milliseconds) ms; \(course)")
    #expect(narrow.decoder.torn + narrow.decoder.backward == 0)
  }

  @Test("one seed is one course of events")
  func isRepeatable() throws {
    let traces = try [UInt64]([7, 7, 8]).map { seed in
      let node = try call(seed: seed).node
      node.simulator.run(for: .seconds(6))
      return node.trace
    }
    #expect(traces[0] == traces[1])
    #expect(traces[0] != traces[2])
  }
}
