import Primitives
import Relay

/// A node whose allocator decides every 100 ms, with rates that waver and a count of what changes.
struct SimulatedNode {
  static let interval = TimeInterval64.milliseconds(100)

  private(set) var input: AllocationInput
  private(set) var decisions: [Decision] = []
  /// Changes of each demand's rung so far.
  private(set) var changes: [Int]
  /// What the sources send without wavering.
  private let layers: [[LayerRate]]
  private let sources: [Int]
  private var random: RandomSource

  /// - Parameter sources: Whose picture each demand shows: the rates of one source waver together.
  init(_ input: AllocationInput, sources: [Int], seed: UInt64) {
    self.input = input
    self.sources = sources
    layers = input.demands.map(\.layers)
    changes = [Int](repeating: 0, count: input.demands.count)
    random = .seeded(seed)
  }

  /// One decision, with every source's rates up to `wavering` off, each way.
  mutating func decide(wavering: Double = 0) {
    let factors = (0...(sources.max() ?? 0)).map { _ in
      1 + (wavering == 0 ? 0 : Double.random(in: -wavering...wavering, using: &random))
    }
    for demand in layers.indices {
      input.demands[demand].layers = layers[demand].map { layer in
        LayerRate(
          layer: layer.layer, bitsPerSecond: Int(Double(layer.bitsPerSecond) * factors[sources[demand]]))
      }
    }
    decisions = Allocator.decide(input)
    for (demand, decision) in decisions.enumerated() where decision.change != .kept && decision.change != .first {
      changes[demand] += 1
    }
    input = input.after(decisions, Self.interval)
  }

  mutating func run(
    _ time: TimeInterval64, wavering: Double = 0, each: (inout AllocationInput, [Decision]) -> Void = { _, _ in }
  ) {
    for _ in 0..<(time.nanoseconds / Self.interval.nanoseconds) {
      decide(wavering: wavering)
      each(&input, decisions)
    }
  }

  /// Makes all demands of one tier those of another.
  mutating func lower(_ tier: Tier, to other: Tier) {
    for demand in input.demands.indices where input.demands[demand].tier == tier { input.demands[demand].tier = other }
  }

  mutating func setEgress(_ bitsPerSecond: Int?) { input.egressBitsPerSecond = bitsPerSecond }
  mutating func setLink(_ bitsPerSecond: Int?, of viewer: Int) { input.viewers[viewer].bitsPerSecond = bitsPerSecond }
}
