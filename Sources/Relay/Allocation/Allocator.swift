/// Decides what every video slot of a node shows: a pure function of what is demanded, measured and allowed.
///
/// In short (<doc:Allocation> has the whole and the reasons):
///
/// 1. **Sound first.** The sound to every viewer is taken off the node's budget and off that viewer's link.
/// 2. **Tiers strictly in order.** A tier is served to the end before the next one gets anything. What it cannot use,
///    because its viewers' links are narrow, goes down.
/// 3. **Within a tier, rounds.** Stills for all, then the base layer for all, then one layer more for all, and so on. A
///    slot that cannot take a step stays where it is. In a round, who shows the rung already comes first, then the
///    cheapest step, then the lowest slot.
/// 4. **Two budgets a step.** It must fit into the viewer's link, which the viewer's slots share, and into the node's.
/// 5. **Nobody overtakes.** Once a slot lacks its base layer for want of the node's budget, lower tiers get sound only.
/// 6. **Steadiness.** How much of a budget a step may fill depends on where the slot stands: see ``Allowance``.
///
/// Costs O(n log n) for each layer of the deepest source.
package enum Allocator {
  /// Demands in one input.
  package static let maximumDemands = 1 << 22
  /// Higher rates count as this one, bits per second, so that sums cannot overflow.
  static let maximumRate = 1 << 40 - 1

  /// What each slot shows from now on, in the order of the demands.
  package static func decide(_ input: AllocationInput) -> [Decision] {
    precondition(input.demands.count <= maximumDemands, "\(input.demands.count) demands")
    var walk = AllocationWalk(input)
    walk.serveAllTiers()
    return walk.decisions()
  }
}
