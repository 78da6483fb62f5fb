import Primitives
import Relay

/// Long enough ago not to matter any more.
let longAgo = TimeInterval64.seconds(3600)

extension Tier {
  static let p1 = Tier(priority: 1, audience: .control)
  static let p2 = Tier(priority: 2, audience: .control)
  static let p3 = Tier(priority: 3, audience: .control)
  static let p4 = Tier(priority: 4, audience: .control)
}

extension ViewerLink {
  /// Nothing known, no sound.
  static let wide = ViewerLink(bitsPerSecond: nil, audioBitsPerSecond: 0)
  static func of(_ bitsPerSecond: Int?, sound: Int = 0) -> ViewerLink {
    ViewerLink(bitsPerSecond: bitsPerSecond, audioBitsPerSecond: sound)
  }
}

extension Demand {
  /// A slot whose source offers layers with these rates, each a stream of its own.
  static func slot(
    _ slot: Int, _ rates: [Int], of viewer: Int = 0, _ tier: Tier = .p1, stills: Int = 10, current: Rung? = nil,
    wanted: Int? = nil, sinceRaised: TimeInterval64 = longAgo, sinceLowered: TimeInterval64 = longAgo
  ) -> Demand {
    Demand(
      slot: SlotHandle(slot), viewer: viewer, tier: tier,
      layers: rates.enumerated().map { LayerRate(layer: .test($0.offset), bitsPerSecond: $0.element) },
      stillBitsPerSecond: stills, current: current, sinceRaised: sinceRaised, sinceLowered: sinceLowered,
      wanted: wanted)
  }
}

extension Layer {
  static func test(_ index: Int) -> Layer { Layer(stream: StreamHandle(index), spatial: 0, temporal: 0) }
}

extension Rung {
  static func at(_ index: Int) -> Rung { .layer(.test(index)) }
}

extension AllocationInput {
  /// What a rung costs by itself.
  func rate(of rung: Rung, for demand: Demand) -> Int {
    switch rung {
    case .audioOnly: 0
    case .stills: demand.stillBitsPerSecond
    case .layer(let layer): demand.layers.first { $0.layer == layer }?.bitsPerSecond ?? 0
    }
  }

  /// What all decisions together cost.
  func total(_ decisions: [Decision]) -> Int {
    zip(demands, decisions).reduce(0) { $0 + rate(of: $1.1.rung, for: $1.0) }
  }

  /// The same input some time later, with the decisions as what is shown.
  func after(_ decisions: [Decision], _ time: TimeInterval64) -> AllocationInput {
    var next = self
    for (index, decision) in decisions.enumerated() {
      next.demands[index].current = decision.rung
      next.demands[index].sinceRaised = (decision.change == .raised ? .zero : demands[index].sinceRaised) + time
      next.demands[index].sinceLowered = (decision.change == .lowered ? .zero : demands[index].sinceLowered) + time
    }
    return next
  }
}

/// Rung names for tables: `-` sound only, `s` stills, else the layer's place.
func rungs(_ decisions: [Decision]) -> String {
  decisions.map { decision in
    switch decision.rung {
    case .audioOnly: "-"
    case .stills: "s"
    case .layer(let layer): String(layer.stream.index)
    }
  }.joined(separator: " ")
}
