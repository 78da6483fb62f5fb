import Primitives

/// A demand's rungs as numbers: 0 is no picture, 1 stills, 2 the base layer, 3 the next layer, and so on.
enum Ladder {
  static let audioOnly = 0
  static let stills = 1
  static let base = 2
}

extension Demand {
  /// The best level that the source offers: stills while no layer is known.
  var bestLevel: Int { Ladder.stills + layers.count }

  /// The best level that the viewer wants.
  var wantedLevel: Int {
    guard let wanted, !layers.isEmpty else { return bestLevel }
    return Ladder.base + min(max(wanted, 0), layers.count - 1)
  }

  /// The demand without the layers of which nothing comes: to switch to one would freeze the picture.
  ///
  /// When nothing comes at all, the source has just begun or is interrupted: what is shown stays, else it is the poorest.
  var live: Demand {
    guard let poorest = layers.first, layers.contains(where: { $0.bitsPerSecond <= 0 }) else { return self }
    var live = self
    live.layers = layers.filter { $0.bitsPerSecond > 0 }
    if live.layers.isEmpty { live.layers = [layers.first { .layer($0.layer) == current } ?? poorest] }
    live.wanted = wanted.map { wanted in
      layers.prefix(min(max(wanted, 0), layers.count - 1) + 1).count { $0.bitsPerSecond > 0 } - 1
    }
    return live
  }

  /// The level without which the slot has no moving picture.
  var baseLevel: Int { min(Ladder.base, bestLevel) }

  /// Stills that cost as much as the base layer are no rung of their own.
  var hasStills: Bool {
    guard let base = layers.first else { return true }
    return stillBitsPerSecond < base.bitsPerSecond
  }

  /// What `level` costs by itself, bits per second.
  func rate(at level: Int) -> Int {
    switch level {
    case ...Ladder.audioOnly: 0
    case Ladder.stills: Self.bounded(stillBitsPerSecond)
    default: Self.bounded(layers[level - Ladder.base].bitsPerSecond)
    }
  }

  /// What a rung costs by itself, bits per second; 0 for a layer that is not offered.
  func bitsPerSecond(of rung: Rung) -> Int {
    switch rung {
    case .audioOnly: 0
    case .stills: rate(at: Ladder.stills)
    case .layer(let layer): layers.firstIndex { $0.layer == layer }.map { rate(at: Ladder.base + $0) } ?? 0
    }
  }

  /// What the viewer's best level costs, bits per second: a better layer never counts for less than a poorer one.
  var wantedBitsPerSecond: Int {
    guard !layers.isEmpty else { return rate(at: Ladder.stills) }
    return (Ladder.base...wantedLevel).reduce(0) { max($0, rate(at: $1)) }
  }

  func rung(at level: Int) -> Rung {
    switch level {
    case ...Ladder.audioOnly: .audioOnly
    case Ladder.stills: .stills
    default: .layer(layers[level - Ladder.base].layer)
    }
  }

  /// The level of the rung decided last; nil if there is none, or if its layer is no longer offered.
  var currentLevel: Int? {
    switch current {
    case nil: nil
    case .audioOnly: Ladder.audioOnly
    case .stills: Ladder.stills
    case .layer(let layer): layers.firstIndex { $0.layer == layer }.map { Ladder.base + $0 }
    }
  }

  /// Up to which level the slot only keeps what it has.
  ///
  /// A picture whose layer has gone counts as the base layer. Stills that are no rung any more count as the base layer,
  /// which costs no more.
  var heldLevel: Int {
    guard let current else { return Ladder.audioOnly }
    let level =
      switch current {
      case .audioOnly: Ladder.audioOnly
      case .stills: hasStills ? Ladder.stills : Ladder.base
      case .layer: currentLevel ?? Ladder.base
      }
    return min(level, wantedLevel)
  }

  /// Whether raising needs much room: something changed a moment ago and shows its effect only now, or the last raise did
  /// not last.
  var isWary: Bool {
    guard current != nil else { return false }
    if min(sinceLowered, sinceRaised) < Allocator.restAfterChange { return true }
    guard sinceLowered < Allocator.memoryOfFailure, sinceRaised > sinceLowered else { return false }
    return sinceRaised - sinceLowered < Allocator.trialOfRaise
  }

  private static func bounded(_ rate: Int) -> Int { min(max(rate, 0), Allocator.maximumRate) }
}
