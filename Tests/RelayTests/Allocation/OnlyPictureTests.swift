import Primitives
import Relay
import Testing

/// The most urgent picture of a node that needs about all of its budget by itself.
@Suite("Allocation: the only picture")
struct OnlyPictureTests {
  private static let limit = 3600

  @Test(
    "it goes on beyond the budget while its rate wavers, but not far",
    arguments: [(3600, "0"), (3744, "0"), (3745, "0"), (5400, "0"), (5401, "s")])
  func goesOn(rate: Int, rung: String) {
    let demand = Demand.slot(0, [rate], current: .at(0))
    #expect(rungs(decide([demand])) == rung)
  }

  @Test(
    "it comes back as soon as it fits: while it waits, nobody has a picture", arguments: [(3600, "0"), (3601, "s")])
  func comesBack(rate: Int, rung: String) {
    let demand = Demand.slot(0, [rate], current: .stills, sinceRaised: .seconds(3), sinceLowered: .seconds(0.1))
    #expect(rungs(decide([demand])) == rung)
  }

  @Test("a better layer gets no such allowance")
  func betterLayer() {
    #expect(rungs(decide([.slot(0, [300, 3745], current: .at(1))])) == "0")
  }

  @Test("nor does a second picture, of an equal or of somebody less urgent", arguments: [Tier.p1, .p2])
  func second(tier: Tier) {
    let demands = [Demand.slot(0, [2000], current: .at(0)), .slot(1, [2100], of: 1, tier, current: .at(0))]
    #expect(rungs(decide(demands)) == "0 s")
  }

  private func decide(_ demands: [Demand]) -> [Decision] {
    Allocator.decide(
      AllocationInput(viewers: [.wide, .wide], demands: demands, egressBitsPerSecond: Self.limit))
  }
}
