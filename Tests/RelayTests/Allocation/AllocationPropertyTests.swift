import Primitives
import Relay
import Testing

/// What must hold whatever the input: thousands of invented ones, from seeds.
@Suite("Allocation: properties")
struct AllocationPropertyTests {
  static let cases = 3000
  /// How much more than a budget may stay in use by what is shown already.
  static let margin = 1.04

  private func forAll(_ check: (AllocationInput, [Decision]) -> Bool) -> Int? {
    for seed in 0..<Self.cases {
      var inputs = RandomInputs(seed: UInt64(seed))
      let input = inputs.next()
      guard check(input, Allocator.decide(input)) else { return seed }
    }
    return nil
  }

  @Test("one decision a demand, in their order; the same input gives the same answer")
  func deterministic() {
    let failing = forAll { input, decisions in
      decisions.map(\.slot) == input.demands.map(\.slot) && decisions == Allocator.decide(input)
    }
    #expect(failing == nil)
  }

  @Test("the order of the demands does not matter")
  func orderless() {
    let failing = forAll { input, decisions in
      var turned = input
      turned.demands.reverse()
      return Allocator.decide(turned) == Array(decisions.reversed())
    }
    #expect(failing == nil)
  }

  @Test("the node's budget holds but for the margin of what is shown already, and of an only picture")
  func nodeBudget() {
    var strained = 0
    let failing = forAll { input, decisions in
      guard let limit = input.nodeLimit else { return true }
      let total = Double(input.total(decisions))
      if total <= Double(limit) * (input.isFresh ? 1 : Self.margin) { return true }
      strained += 1
      let moving = zip(input.demands, decisions).filter { demand, decision in
        if case .layer = decision.rung { input.rate(of: decision.rung, for: demand) > 0 } else { false }
      }
      return moving.count == 1 && moving[0].0.current != nil
        && total <= Double(limit) * Double(Allocator.lastPictureThousandths) / 1000
    }
    #expect(failing == nil)
    #expect((1...Self.cases / 20).contains(strained), "seldom, but seen: \(strained)")
  }

  @Test("every link holds but for the margin of what is shown already, and of a last picture")
  func links() {
    let failing = forAll { input, decisions in
      var used = [Int](repeating: 0, count: input.viewers.count)
      var hasHeldBase = [Bool](repeating: false, count: input.viewers.count)
      for (demand, decision) in zip(input.demands, decisions) {
        used[demand.viewer] += input.rate(of: decision.rung, for: demand)
        if demand.current != nil, demand.current != .audioOnly { hasHeldBase[demand.viewer] = true }
      }
      return zip(zip(input.viewers, hasHeldBase), used).allSatisfy { viewer, used in
        guard let link = viewer.0.bitsPerSecond else { return true }
        let margin = viewer.1 ? Double(Allocator.lastPictureThousandths) / 1000 : Self.margin
        return Double(used) <= Double(max(link - viewer.0.audioBitsPerSecond, 0)) * margin
      }
    }
    #expect(failing == nil)
  }

  @Test("no lower tier has a picture while a higher one lacks its base layer for the node's sake")
  func strictTiers() {
    let failing = forAll { input, decisions in
      let both = Array(zip(input.demands, decisions))
      let lacking = both.filter { demand, decision in
        (decision.reason == .egress || decision.reason == .processing) && !decision.isPicture(of: demand)
      }
      guard let highest = lacking.map(\.0.tier).min() else { return true }
      return both.allSatisfy { demand, decision in demand.tier <= highest || decision.rung == .audioOnly }
    }
    #expect(failing == nil)
  }

  @Test("lower tiers take nothing from higher ones")
  func lowerTiersTakeNothing() {
    let failing = forAll { input, _ in
      guard let last = input.demands.map(\.tier).max() else { return true }
      // Who rests after a change rests less while lower tiers have pictures: that they are there may only help.
      let all = input.rested
      var without = all
      without.demands.removeAll { $0.tier == last }
      let kept = zip(all.demands, Allocator.decide(all)).filter { $0.0.tier != last }.map(\.1)
      return Allocator.decide(without) == kept
    }
    #expect(failing == nil)
  }

  @Test("what wavers in a lower tier changes nothing in a higher one")
  func lowerTiersDoNotDisturb() {
    let failing = forAll { input, _ in
      guard let last = input.demands.map(\.tier).max() else { return true }
      let all = input.rested
      var other = all
      for index in other.demands.indices where other.demands[index].tier == last {
        other.demands[index].current = index.isMultiple(of: 2) ? .stills : .audioOnly
        for layer in other.demands[index].layers.indices { other.demands[index].layers[layer].bitsPerSecond *= 3 }
      }
      let both = zip(all.demands, zip(Allocator.decide(all), Allocator.decide(other)))
      return both.allSatisfy { $0.tier == last || $1.0 == $1.1 }
    }
    #expect(failing == nil)
  }

  @Test("with more for the node, the most urgent tier gets more: first of pictures, then of quality")
  func monotone() {
    for seed in 0..<Self.cases {
      var inputs = RandomInputs(seed: UInt64(seed))
      var input = inputs.next(isFresh: true)
      guard let tier = input.demands.map(\.tier).min(), let egress = input.egressBitsPerSecond else { continue }
      input.processingBitsPerSecond = nil
      let sound = input.viewers.reduce(0) { $0 + $1.audioBitsPerSecond }
      var before: [Int] = []
      for step in 0...10 {
        input.egressBitsPerSecond = sound + egress * step / 10
        let counts = input.levelCounts(Allocator.decide(input), of: tier)
        #expect(!counts.lexicographicallyPrecedes(before), "seed \(seed), step \(step)")
        before = counts
      }
    }
  }

  @Test("decisions are at rest: taken as what is shown, they are decided again")
  func idempotent() {
    var late = 0
    let failing = forAll { input, decisions in
      let next = input.after(decisions, .zero)
      let second = Allocator.decide(next)
      if decisions.map(\.rung) != second.map(\.rung) { late += 1 }
      let third = Allocator.decide(next.after(second, .zero))
      return second.map(\.rung) == third.map(\.rung) && second.map(\.reason) == third.map(\.reason)
    }
    #expect(failing == nil)
    // Two slots of one viewer may change places in what they blame: one in a thousand takes one step more.
    #expect(late <= Self.cases / 1000)
  }

  @Test("a reason is given exactly when less than the best is shown")
  func reasons() {
    let failing = forAll { input, decisions in
      zip(input.demands, decisions).allSatisfy { demand, decision in
        let best = demand.layers.last.map { Rung.layer($0.layer) } ?? .stills
        return (decision.rung == best) == (decision.reason == nil)
      }
    }
    #expect(failing == nil)
  }
}

extension AllocationInput {
  /// What pictures may use of the node; nil for no limit.
  var nodeLimit: Int? {
    let sound = viewers.reduce(0) { $0 + $1.audioBitsPerSecond }
    guard let limit = [egressBitsPerSecond, processingBitsPerSecond].compactMap({ $0 }).min() else { return nil }
    return max(limit - sound, 0)
  }

  /// With all changes long ago.
  var rested: AllocationInput {
    var rested = self
    for index in demands.indices {
      rested.demands[index].sinceRaised = longAgo
      rested.demands[index].sinceLowered = longAgo
    }
    return rested
  }

  var isFresh: Bool { demands.allSatisfy { $0.current == nil } }

  /// How many slots of a tier have at least stills, at least a base layer, at least the next one, and so on.
  func levelCounts(_ decisions: [Decision], of tier: Tier) -> [Int] {
    let levels = zip(demands, decisions).filter { $0.0.tier == tier }.map { demand, decision in
      switch decision.rung {
      case .audioOnly: 0
      case .stills: 1
      case .layer(let layer): 2 + Int(layer.stream.index)
      }
    }
    return (1...7).map { level in levels.count { $0 >= level } }
  }
}

extension Decision {
  /// A moving picture, or the stills of a source of which no layer is known.
  func isPicture(of demand: Demand) -> Bool {
    switch rung {
    case .audioOnly: false
    case .stills: demand.layers.isEmpty
    case .layer: true
    }
  }
}
