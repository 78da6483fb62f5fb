import Primitives
import Relay

/// Invents inputs: a few viewers with one to three slots each, all tiers, budgets from nothing to plenty.
struct RandomInputs {
  var random: RandomSource

  init(seed: UInt64) {
    random = .seeded(seed)
  }

  /// - Parameter isFresh: No slot was decided on before.
  mutating func next(isFresh: Bool = false) -> AllocationInput {
    let viewers = (0..<Int.random(in: 1...12, using: &random)).map { _ in viewer() }
    var slot = 0
    var demands: [Demand] = []
    for viewer in viewers.indices {
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        demands.append(demand(slot, of: viewer, isFresh: isFresh))
        slot += 1
      }
    }
    demands.shuffle(using: &random)
    return AllocationInput(
      viewers: viewers, demands: demands, egressBitsPerSecond: budget(demands),
      processingBitsPerSecond: chance(0.3) ? budget(demands) : nil)
  }

  mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }

  mutating func tier() -> Tier {
    Tier(
      priority: Int.random(in: 1...4, using: &random),
      audience: Tier.Audience.allCases.randomElement(using: &random) ?? .field)
  }

  private mutating func viewer() -> ViewerLink {
    let link = chance(0.2) ? nil : Int.random(in: 0...4_000_000, using: &random)
    return ViewerLink(bitsPerSecond: link, audioBitsPerSecond: Int.random(in: 0...120_000, using: &random))
  }

  private mutating func budget(_ demands: [Demand]) -> Int? {
    guard !chance(0.1) else { return nil }
    let all = demands.reduce(0) { $0 + ($1.layers.last?.bitsPerSecond ?? 0) }
    return Int(Double(all) * Double.random(in: 0...1.3, using: &random))
  }

  private mutating func demand(_ slot: Int, of viewer: Int, isFresh: Bool) -> Demand {
    var rate = Int.random(in: 50_000...400_000, using: &random)
    let rates = (0..<Int.random(in: 0...5, using: &random)).map { _ in
      rate = rate * Int.random(in: 95...300, using: &random) / 100
      return rate
    }
    return .slot(
      slot, rates, of: viewer, tier(), stills: Int.random(in: 5_000...80_000, using: &random),
      current: isFresh ? nil : rung(rates.count), wanted: chance(0.2) ? Int.random(in: 0...5, using: &random) : nil,
      sinceRaised: .seconds(Double.random(in: 0...30, using: &random)),
      sinceLowered: .seconds(Double.random(in: 0...30, using: &random)))
  }

  private mutating func rung(_ layers: Int) -> Rung? {
    switch Int.random(in: 0...(layers + 3), using: &random) {
    case 0: nil
    case 1: .audioOnly
    case 2: .stills
    case let other: .at(other - 3)
    }
  }
}
