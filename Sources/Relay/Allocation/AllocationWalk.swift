/// One walk through all tiers, step by step: the working state of ``Allocator/decide(_:)``.
struct AllocationWalk {
  private let demands: [Demand]
  private var node: RateBudget
  private let nodeReason: ReductionReason
  private var links: [RateBudget]
  private var climbs: [Climb]
  /// Places in `demands`: by tier, then by slot.
  private let order: [Int]
  /// A slot lacks its base layer because the node's budget is used up: lower tiers get no picture.
  private var isBlocked = false
  /// Somebody has a moving picture: the next one is not the only one.
  private var hasPicture = false
  /// The last tier in which somebody has a picture now.
  private let lastTierWithPicture: Tier?
  private var steps: [Step] = []

  /// Where one slot has got to.
  private struct Climb {
    var level = Ladder.audioOnly
    /// What it uses, bits per second.
    var cost = 0
    let held: Int
    let top: Int
    let isWary: Bool
    /// What ended it, if not its top.
    var obstacle: ReductionReason?
  }

  init(_ input: AllocationInput) {
    demands = input.demands.map(\.live)
    let sound = input.viewers.reduce(0) { Self.sum($0, $1.audioBitsPerSecond) }
    let (limit, reason) = Self.nodeLimit(input)
    node = RateBudget(limit.map { max($0, 0) - sound })
    nodeReason = reason
    links = input.viewers.map { viewer in
      RateBudget(viewer.bitsPerSecond.map { max($0, 0) - Self.sum(0, viewer.audioBitsPerSecond) })
    }
    climbs = demands.map { Climb(held: $0.heldLevel, top: $0.wantedLevel, isWary: $0.isWary) }
    order = Self.order(of: demands)
    lastTierWithPicture = demands.lazy.filter { ($0.current ?? .audioOnly) != .audioOnly }.map(\.tier).max()
    steps.reserveCapacity(demands.count)
  }

  mutating func serveAllTiers() {
    var start = 0
    while start < order.count {
      let tier = demands[order[start]].tier
      var end = start + 1
      while end < order.count, demands[order[end]].tier == tier { end += 1 }
      serve(tier, order[start..<end])
      start = end
    }
  }

  /// One round for each level; a slot that cannot take a step is out of the rounds that follow.
  private mutating func serve(_ tier: Tier, _ slots: ArraySlice<Int>) {
    let top = slots.reduce(0) { max($0, climbs[$1].top) }
    var level = Ladder.stills
    while level <= top {
      steps.removeAll(keepingCapacity: true)
      for (position, demand) in zip(slots.indices, slots) { gather(demand, position, to: level, in: tier) }
      steps.sort()
      for step in steps { take(step, to: level, in: tier) }
      level += 1
    }
    isBlocked = isBlocked || slots.contains { lacksBase($0) }
  }

  /// Notes the step of one slot to `level`, if it has one.
  private mutating func gather(_ demand: Int, _ position: Int, to level: Int, in tier: Tier) {
    let climb = climbs[demand]
    guard climb.obstacle == nil, level <= climb.top else { return }
    if level == Ladder.stills, !demands[demand].hasStills { return }
    let cost = max(climb.cost, demands[demand].rate(at: level))
    steps.append(Step(allowance(of: climb, to: level), cost: cost - climb.cost, position: position))
  }

  private func allowance(of climb: Climb, to level: Int) -> Allowance {
    if level <= climb.held { return .hold }
    if climb.isWary { return .retry }
    return level <= Ladder.base ? .begin : .improve
  }

  private mutating func take(_ step: Step, to level: Int, in tier: Tier) {
    let demand = order[step.position]
    let viewer = demands[demand].viewer
    let isLastPicture = step.allowance == .hold && level == Ladder.base
    let isOnLink =
      linkBears(step.cost, step.allowance, to: viewer) || (isLastPicture && linkStrains(under: step.cost, to: viewer))
    let isNearlyOnLink = isOnLink || linkBears(step.cost, .hold, to: viewer)
    // A base layer that comes as soon as the link has proven itself: nobody settles in its place on the node.
    let isPending = !isOnLink && isNearlyOnLink && level <= Ladder.base
    let isOnNode = !isBlocked && nodeBears(step.cost, isPending ? .begin : step.allowance, to: level, in: tier)
    guard isOnNode, isOnLink else {
      // The link is to blame if it forces this by itself; not when it only wants more room than it would need in the end.
      climbs[demand].obstacle = isOnNode || !isNearlyOnLink ? .link : nodeReason
      if isOnNode, isPending { node.use(step.cost) }
      return
    }
    if links.indices.contains(viewer) { links[viewer].use(step.cost) }
    node.use(step.cost)
    climbs[demand].level = level
    climbs[demand].cost += step.cost
    if level == Ladder.base { hasPicture = true }
  }

  private func linkBears(_ cost: Int, _ allowance: Allowance, to viewer: Int) -> Bool {
    !links.indices.contains(viewer) || links[viewer].bears(cost, allowance)
  }

  /// Whether the link may bear the poorest picture after all.
  private func linkStrains(under cost: Int, to viewer: Int) -> Bool {
    links.indices.contains(viewer) && links[viewer].bears(cost, thousandths: Allocator.lastPictureThousandths)
  }

  private func nodeBears(_ cost: Int, _ wanted: Allowance, to level: Int, in tier: Tier) -> Bool {
    if level == Ladder.base, !hasPicture, wanted == .hold, tier.priority == 1 {
      // Nobody would be served by what the most urgent picture of all is denied: it goes on beyond its budget, but not far.
      return node.bears(cost, thousandths: Allocator.lastPictureThousandths)
    }
    var allowance = wanted
    if allowance == .retry, level <= Ladder.base, isFirstInNeed(tier) { allowance = .begin }
    guard tier.priority >= Allocator.firstPriorityLeavingReserve else { return node.bears(cost, allowance) }
    // Everybody's wavering ends here, in what is left over: not even a base layer is worth a try without head room.
    if allowance == .begin { allowance = .improve }
    return node.bears(cost, allowance, reserve: Allocator.reserveThousandths)
  }

  /// Whether waiting for head room would serve nobody: no picture was given yet, so that there is none below either until
  /// this one comes; or lower tiers have pictures, which tells that there is room, and waiting would cost them all theirs.
  private func isFirstInNeed(_ tier: Tier) -> Bool {
    !hasPicture || lastTierWithPicture.map { tier < $0 } ?? false
  }

  private func lacksBase(_ demand: Int) -> Bool {
    guard let obstacle = climbs[demand].obstacle, obstacle != .link else { return false }
    return climbs[demand].level < demands[demand].baseLevel
  }

  /// One decision a demand, in their order.
  func decisions() -> [Decision] {
    zip(demands, climbs).map { demand, climb in
      let capped: ReductionReason? = climb.level < demand.bestLevel ? .wanted : nil
      return Decision(
        slot: demand.slot, rung: demand.rung(at: climb.level), reason: climb.obstacle ?? capped,
        bestBitsPerSecond: demand.wantedBitsPerSecond, change: Self.change(from: demand.currentLevel, to: climb.level))
    }
  }

  private static func change(from old: Int?, to new: Int) -> RungChange {
    guard let old else { return .first }
    return old == new ? .kept : old < new ? .raised : .lowered
  }

  /// The narrower of the node's limits, and its name.
  static func nodeLimit(_ input: AllocationInput) -> (bitsPerSecond: Int?, reason: ReductionReason) {
    guard let processing = input.processingBitsPerSecond else { return (input.egressBitsPerSecond, .egress) }
    guard let egress = input.egressBitsPerSecond, egress <= processing else { return (processing, .processing) }
    return (egress, .egress)
  }

  /// Adds a rate that may be absurd.
  static func sum(_ left: Int, _ right: Int) -> Int {
    min(left + min(max(right, 0), Allocator.maximumRate), RateBudget.maximum)
  }

  private static func order(of demands: [Demand]) -> [Int] {
    // One word a demand: sorting words is many times faster than sorting demands.
    let keys = demands.enumerated().map { index, demand in
      UInt64(demand.tier.rawValue) << 54 | UInt64(UInt32(bitPattern: demand.slot.index)) << 22 | UInt64(index)
    }
    return keys.sorted().map { Int($0 & (1 << 22 - 1)) }
  }
}

/// One slot's step to the next rung, ready to be sorted: what is held before what is new, then the cheapest.
private struct Step: Comparable {
  /// Allowance, cost and position, most significant first.
  private let key: UInt64

  init(_ allowance: Allowance, cost: Int, position: Int) {
    key = allowance.rawValue << 62 | UInt64(cost) << 22 | UInt64(position)
  }

  var allowance: Allowance { Allowance(rawValue: key >> 62) ?? .retry }
  /// Bits per second.
  var cost: Int { Int(key >> 22 & (1 << 40 - 1)) }
  /// In the walk's order.
  var position: Int { Int(key & (1 << 22 - 1)) }

  static func < (left: Step, right: Step) -> Bool { left.key < right.key }
}
