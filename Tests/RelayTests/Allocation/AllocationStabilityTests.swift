import Primitives
import Relay
import Testing

/// What must hold over time: nothing flaps, and what was taken comes back.
@Suite("Allocation: over time")
struct AllocationStabilityTests {
  static let simulcast = [150_000, 500_000, 1_500_000]

  /// `count` incidents with a source each, watched by four viewers; a quarter of them of each priority.
  private static func node(_ count: Int, egress: Int?, seed: UInt64) -> SimulatedNode {
    let demands = (0..<count * 4).map { slot in
      Demand.slot(
        slot, simulcast, of: slot, Tier(priority: slot / 4 % 4 + 1, audience: .control), stills: 30_000)
    }
    let viewers = [ViewerLink](repeating: .of(nil, sound: 40_000), count: demands.count)
    return SimulatedNode(
      AllocationInput(viewers: viewers, demands: demands, egressBitsPerSecond: egress),
      sources: demands.indices.map { $0 / 4 }, seed: seed)
  }

  @Test("a rate that wavers by 15 % about any link changes the rung a few times a minute at most", arguments: 0..<40)
  func waveringRate(_ case: Int) {
    let link = 100_000 + `case` * 50_000
    var node = SimulatedNode(
      AllocationInput(
        viewers: [.of(link)], demands: [.slot(0, Self.simulcast, stills: 30_000)]),
      sources: [0], seed: UInt64(`case`))
    node.run(.seconds(60), wavering: 0.15)
    #expect(node.changes[0] <= 12)
  }

  @Test("a full node whose sources waver by 15 % stays calm", arguments: 0..<8)
  func waveringNode(_ seed: UInt64) {
    var node = Self.node(8, egress: 20_000_000, seed: seed)
    node.run(.seconds(60), wavering: 0.15)
    #expect((node.changes.max() ?? 0) <= 12)
    #expect(node.changes.reduce(0, +) <= node.changes.count * 6)
  }

  @Test("60 s of random priority changes break no rule and change nobody all the time", arguments: 0..<8)
  func randomPriorities(_ seed: UInt64) {
    var inputs = RandomInputs(seed: seed)
    var node = Self.node(8, egress: 20_000_000, seed: seed)
    var broken = 0
    node.run(.seconds(60), wavering: 0.15) { input, decisions in
      if !Self.isStrict(input, decisions) { broken += 1 }
      guard inputs.chance(0.1) else { return }
      let incident = Int.random(in: 0..<8, using: &inputs.random)
      let tier = Tier(priority: Int.random(in: 1...4, using: &inputs.random), audience: .control)
      for demand in incident * 4..<incident * 4 + 4 { input.demands[demand].tier = tier }
    }
    #expect(broken == 0)
    #expect((node.changes.max() ?? 0) <= 40)
  }

  /// No lower tier has a picture while a higher one lacks its base layer, and the budget holds.
  private static func isStrict(_ input: AllocationInput, _ decisions: [Decision]) -> Bool {
    let both = zip(input.demands, decisions)
    let lacking = both.filter { !$1.isPicture(of: $0) }.map(\.0.tier).min()
    let used = Double(input.total(decisions))
    let limit = Double(input.nodeLimit ?? .max) * AllocationPropertyTests.margin
    return used <= limit && both.allSatisfy { $0.tier <= lacking ?? $0.tier || $1.rung == .audioOnly }
  }

  @Test("while the node has a third of what is wanted, priority 1 keeps everything", arguments: 0..<8)
  func urgentKeepsEverything(_ seed: UInt64) {
    var node = Self.node(8, egress: nil, seed: seed)
    node.run(.seconds(5), wavering: 0.15)
    node.setEgress(8 * 4 * 1_500_000 / 3)
    node.run(.seconds(30), wavering: 0.15)
    let urgent = node.input.demands.indices.filter { node.input.demands[$0].tier == .p1 }
    #expect(urgent.allSatisfy { node.changes[$0] == 0 && node.decisions[$0].rung == .at(2) })
    #expect(node.decisions.contains { $0.rung == .audioOnly || $0.rung == .stills })
  }

  @Test(
    "a new priority 1 viewer has its base layer at once, on a node full of others", arguments: 0..<8 as Range<UInt64>)
  func newcomer(_ seed: UInt64) {
    var node = Self.node(8, egress: 12_000_000, seed: seed)
    node.lower(.p1, to: .p2)
    node.run(.seconds(20), wavering: 0.15)
    let urgent = Demand.slot(99, Self.simulcast, of: 0, .p1, stills: 30_000)
    var input = node.input
    input.demands.append(urgent)
    let decisions = Allocator.decide(input)
    #expect(decisions.last?.rung == .at(2))
    #expect(input.total(decisions) <= Int(Double(input.nodeLimit ?? .max) * AllocationPropertyTests.margin))
  }

  @Test("a lifted limit brings everything back within 5 s", arguments: [0.0, 0.15], 0..<8 as Range<UInt64>)
  func restored(_ wavering: Double, _ seed: UInt64) {
    var node = Self.node(8, egress: nil, seed: seed)
    var random = RandomSource.seeded(seed)
    for _ in 0..<5 {
      node.setEgress(Int.random(in: 0...20_000_000, using: &random))
      node.run(.milliseconds(Int64.random(in: 100...20_000, using: &random)), wavering: wavering)
    }
    node.setEgress(seed.isMultiple(of: 2) ? nil : 80_000_000)
    node.run(.seconds(5), wavering: wavering)
    #expect(node.decisions.allSatisfy { $0.rung == .at(2) && $0.reason == nil })
  }

  @Test(
    "a link that opens brings the best layer, one that closes takes it, each at once", arguments: 0..<8 as Range<UInt64>
  )
  func linkChanges(_ seed: UInt64) {
    var node = SimulatedNode(
      AllocationInput(
        viewers: [.of(600_000, sound: 40_000), .of(5_000_000)],
        demands: [.slot(0, Self.simulcast, stills: 30_000), .slot(1, Self.simulcast, of: 1, stills: 30_000)]),
      sources: [0, 0], seed: seed)
    node.run(.seconds(20), wavering: 0.1)
    #expect(node.decisions[0].rung != .at(2))
    node.setLink(3_000_000, of: 0)
    node.run(.seconds(5), wavering: 0.1)
    #expect(node.decisions[0].rung == .at(2))
    node.setLink(100_000, of: 0)
    node.decide(wavering: 0.1)
    #expect(node.decisions[0].rung == .stills)
    #expect(node.changes[1] == 0)
  }
}
