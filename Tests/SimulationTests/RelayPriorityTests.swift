import Primitives
import Relay
import SimulationSupport
import Testing

/// A node that may send only a third of what its viewers could use: incidents of all four priorities, each watched by the
/// control room and by somebody in the field.
@Suite struct RelayPriorityTests {
  static let link = SimulatedNetwork.Quality.line(20_000_000)
  static let audiences = [Tier.Audience.control, .field]

  /// The node after 8 s, when everybody sees the largest size; viewers are in the order of their tiers.
  private func node(seed: UInt64) throws -> SimulatedNode {
    let node = try SimulatedNode(seed: seed)
    for priority in 1...4 {
      let caller = try node.addCaller()
      for audience in Self.audiences {
        try node.addViewer(of: caller, tier: Tier(priority: priority, audience: audience), link: Self.link)
      }
    }
    try #require(node.connect())
    node.simulator.run(for: .seconds(8))
    for viewer in node.viewers { #expect(viewer.size == 2, "\(viewer.course(from: node.simulator.now))") }
    return node
  }

  /// A third of what leaves now.
  private func third(of node: SimulatedNode) -> Int {
    let now = node.simulator.now
    return node.highestRate(from: now + TimeInterval64.seconds(-2), to: now, over: .seconds(2)) / 3
  }

  /// How good what a viewer gets is: 0 for sound, 1 for stills, more for layers.
  private static func level(_ status: SlotStatus?) -> Int {
    switch status?.rung {
    case nil: 0
    case .audioOnly: 0
    case .stills: 1
    case .layer: 2 + (status?.layer ?? 0)
    }
  }

  private func courses(_ node: SimulatedNode, from start: MonotonicTime) -> String {
    node.viewers.enumerated().map { "viewer \($0): \($1.course(from: start))" }.joined(separator: "\n")
  }

  @Test("the most urgent lose nothing, the others are reduced in order and get all back", arguments: 1...4)
  func thirdOfTheDemand(seed: UInt64) throws {
    let idle = try node(seed: seed)
    let node = try node(seed: seed)
    let (start, limit) = (node.simulator.now, third(of: node))
    node.relay.egressBitsPerSecond = limit
    node.simulator.run(for: .seconds(12))
    idle.simulator.run(for: .seconds(12))
    let end = node.simulator.now + TimeInterval64.milliseconds(-300)

    for (viewer, other) in zip(node.viewers, idle.viewers).prefix(2) {
      let pictures = viewer.decoder.pictures(capturedFrom: start, to: end)
      #expect(pictures.count == viewer.caller.taken.count { $0 >= start && $0 < end })
      #expect(pictures.allSatisfy { $0.encoding == 2 }, "\(viewer.course(from: start))")
      let delay = try #require(viewer.decoder.delay(share: 0.99, from: start, to: end))
      let idleDelay = try #require(other.decoder.delay(share: 0.99, from: start, to: end))
      #expect(delay.seconds <= idleDelay.seconds * 1.2, "\(delay.milliseconds) against \(idleDelay.milliseconds) ms")
    }
    let levels = node.viewers.map { Self.level(node.status(of: $0)) }
    #expect(levels == levels.sorted(by: >), "\(levels)")
    #expect(levels.last == 0, "\(levels)")
    for viewer in node.viewers {
      #expect(viewer.soundShare(from: start, to: end, within: .milliseconds(100)) == 1)
      #expect(viewer.decoder.torn + viewer.decoder.backward == 0)
      let status = try #require(node.status(of: viewer))
      guard Self.level(status) < 4 else { continue }
      #expect(status.reason == .egress, "\(viewer.course(from: start))")
      #expect(node.changes.contains { $0.slot == viewer.place.slot && $0.time > start }, "it is told")
    }
    let highest = node.highestRate(from: start + .seconds(1), to: node.simulator.now, over: .seconds(2))
    #expect(highest <= limit * 11 / 10, "\(highest) of \(limit)\n\(courses(node, from: start))")

    node.relay.egressBitsPerSecond = nil
    node.simulator.run(for: .seconds(5))
    for viewer in node.viewers {
      #expect(viewer.size == 2, "\(viewer.course(from: start))")
      #expect(node.status(of: viewer)?.reason == nil)
      #expect(viewer.decoder.torn + viewer.decoder.backward == 0)
    }
  }

  @Test("viewers whom nothing reaches make room for others, and have it back when they answer again", arguments: 1...4)
  func deadLines(seed: UInt64) throws {
    let node = try node(seed: seed)
    // For three largest pictures, and what changing to one costs.
    node.relay.egressBitsPerSecond = third(of: node) * 6 / 5
    node.simulator.run(for: .seconds(10))
    let (dead, waiting) = (node.viewers[0...1], node.viewers[2...3])
    #expect(dead.allSatisfy { node.status(of: $0)?.reason == nil })
    #expect(waiting.contains { node.status(of: $0)?.reason == .egress }, "\(courses(node, from: .zero))")

    var down = Self.link
    down.isUp = false
    for viewer in dead { node.setDownlink(of: viewer, down) }
    node.simulator.run(for: .seconds(5))
    for viewer in waiting { #expect(node.status(of: viewer)?.reason == nil, "\(courses(node, from: .zero))") }

    for viewer in dead { node.setDownlink(of: viewer, Self.link) }
    node.simulator.run(for: .seconds(10))
    for viewer in dead {
      #expect(viewer.size == 2, "\(courses(node, from: .zero))")
      #expect(node.status(of: viewer)?.reason == nil)
      #expect(viewer.decoder.torn + viewer.decoder.backward == 0)
    }
    #expect(waiting.contains { node.status(of: $0)?.reason == .egress })
  }

  @Test("an urgent call comes onto a full node: what leaves stays within the limit all the while", arguments: 1...4)
  func urgentCallArrives(seed: UInt64) throws {
    let node = try SimulatedNode(seed: seed)
    for priority in 2...4 {
      let caller = try node.addCaller()
      for audience in Self.audiences {
        try node.addViewer(of: caller, tier: Tier(priority: priority, audience: audience), link: Self.link)
      }
    }
    try #require(node.connect())
    node.simulator.run(for: .seconds(8))
    let limit = third(of: node)
    node.relay.egressBitsPerSecond = limit
    node.simulator.run(for: .seconds(15))

    let start = node.simulator.now
    let urgent = try node.addViewer(
      of: try node.addCaller(), tier: Tier(priority: 1, audience: .control), link: Self.link)
    try #require(node.connect())
    node.simulator.run(for: .seconds(6))
    let highest = node.highestRate(from: start, to: node.simulator.now, over: .seconds(1))
    #expect(highest <= limit * 12 / 10, "\(highest) of \(limit)\n\(courses(node, from: start))")
    #expect(urgent.size == 2, "\(urgent.course(from: start))")
    #expect(node.status(of: urgent)?.reason == nil)
    for viewer in node.viewers { #expect(viewer.decoder.torn + viewer.decoder.backward == 0) }
  }

  @Test("no less urgent picture is bought with a more urgent one while priorities change", arguments: 1...4)
  func randomPriorities(seed: UInt64) throws {
    var random = RandomSource.seeded(seed &* 77)
    let node = try node(seed: seed)
    let (start, limit) = (node.simulator.now, third(of: node))
    node.relay.egressBitsPerSecond = limit
    var tiers = node.viewers.indices.map {
      Tier(priority: $0 / 2 + 1, audience: Self.audiences[$0 % Self.audiences.count])
    }
    for second in 0..<60 {
      let incident = Int(random.next() % 4)
      let priority = Int(random.next() % 4) + 1
      for (place, audience) in Self.audiences.enumerated() {
        tiers[2 * incident + place] = Tier(priority: priority, audience: audience)
        node.relay.setTier(tiers[2 * incident + place], of: node.viewers[2 * incident + place].place.peer)
      }
      node.simulator.run(for: .seconds(1))
      let statuses = node.viewers.map { node.status(of: $0) }
      let lacking = zip(tiers, statuses).filter { Self.level($1) < 2 && $1?.reason == .egress }.map(\.0).min()
      let bought = zip(tiers, statuses).filter { tier, status in
        Self.level(status) >= 2 && lacking.map { $0 < tier } ?? false
      }
      #expect(bought.isEmpty, "second \(second): \(zip(tiers, statuses).map { ($0.rawValue, Self.level($1)) })")
    }
    let highest = node.highestRate(from: start + .seconds(1), to: node.simulator.now, over: .seconds(2))
    // Each change brings keyframes, and what is lowered goes on until its smaller size starts: more than in calm.
    #expect(highest <= limit * 13 / 10, "\(highest) of \(limit)\n\(courses(node, from: start))")
    for viewer in node.viewers {
      #expect(viewer.decoder.torn + viewer.decoder.backward + viewer.foreignPackets == 0)
      let end = node.simulator.now + TimeInterval64.milliseconds(-300)
      #expect(viewer.soundShare(from: start, to: end, within: .milliseconds(100)) == 1)
    }
  }
}
