import Primitives
import Relay
import Testing

@Suite("Allocation: rules")
struct AllocatorTests {
  static let three = [100, 300, 1000]

  @Test(
    "a new slot on its link: head room for quality, none for the base layer",
    arguments: [
      (nil, "2", nil), (5000, "2", nil), (1120, "2", nil), (1119, "1", .link), (336, "1", .link), (335, "0", .link),
      (100, "0", .link), (99, "s", .link), (10, "s", .link), (9, "-", .link), (0, "-", .link), (-5, "-", .link),
    ] as [(Int?, String, ReductionReason?)])
  func newSlot(_ link: Int?, _ rung: String, _ reason: ReductionReason?) {
    let decisions = Allocator.decide(AllocationInput(viewers: [.of(link)], demands: [.slot(0, Self.three)]))
    #expect(rungs(decisions) == rung)
    #expect(decisions.map(\.reason) == [reason])
    #expect(decisions.map(\.bestBitsPerSecond) == [1000])
    #expect(decisions.map(\.change) == [.first])
  }

  @Test(
    "what is shown is kept a little over the link, and taken at once when that is not enough",
    arguments: [
      (1000, "2", .kept), (962, "2", .kept), (961, "1", .lowered), (289, "1", .kept), (288, "0", .lowered),
      (96, "0", .kept), (67, "0", .kept), (66, "s", .lowered), (9, "-", .lowered),
    ] as [(Int, String, RungChange)])
  func kept(_ link: Int, _ rung: String, _ change: RungChange) {
    var current = Rung.at(2)
    if link < 900 { current = .at(1) }
    if link < 288 { current = .at(0) }
    let demand = Demand.slot(0, Self.three, current: current)
    let decisions = Allocator.decide(AllocationInput(viewers: [.of(link)], demands: [demand]))
    #expect(rungs(decisions) == rung)
    #expect(decisions.map(\.change) == [link == 288 ? .lowered : change])
  }

  @Test(
    "raising goes straight to the best that fits; soon after a lowering it needs much more room",
    arguments: [
      (1120, longAgo, longAgo, "2"), (1119, longAgo, longAgo, "1"),
      // A moment after a lowering.
      (1390, longAgo, .seconds(1.9), "0"), (1401, longAgo, .seconds(1.9), "2"), (1120, longAgo, .seconds(2), "2"),
      // The last raise held for 5 s only.
      (1390, .seconds(12), .seconds(7), "1"), (1401, .seconds(12), .seconds(7), "2"),
      (1120, .seconds(15), .seconds(10), "2"),
      // It held for 20 s.
      (1120, .seconds(25), .seconds(5), "2"),
    ] as [(Int, TimeInterval64, TimeInterval64, String)])
  func raised(_ link: Int, _ sinceRaised: TimeInterval64, _ sinceLowered: TimeInterval64, _ rung: String) {
    let rates = rung == "0" ? [100, 1000, 1000] : Self.three
    let demand = Demand.slot(0, rates, current: .at(0), sinceRaised: sinceRaised, sinceLowered: sinceLowered)
    let decisions = Allocator.decide(AllocationInput(viewers: [.of(link)], demands: [demand]))
    #expect(rungs(decisions) == rung)
    #expect(decisions.map(\.change) == [rung == "0" ? .kept : .raised])
  }

  @Test("sound is taken off the link and off the node before any picture")
  func soundFirst() {
    let slot = Demand.slot(0, Self.three)
    #expect(rungs(Allocator.decide(AllocationInput(viewers: [.of(1120, sound: 50)], demands: [slot]))) == "1")
    #expect(rungs(Allocator.decide(AllocationInput(viewers: [.of(50, sound: 50)], demands: [slot]))) == "-")
    let listeners = [ViewerLink](repeating: .of(nil, sound: 40), count: 10)
    let decisions = Allocator.decide(
      AllocationInput(viewers: listeners, demands: [slot], egressBitsPerSecond: 1500))
    #expect(rungs(decisions) == "1")
    #expect(decisions.map(\.reason) == [.egress])
  }

  @Test(
    "slots of one viewer share its link: all get a base layer before one gets quality, by tier",
    arguments: [
      ([.p1, .p1], 2240, "2 2"), ([.p1, .p1], 1456, "2 1"), ([.p1, .p1], 1455, "1 1"), ([.p1, .p1], 672, "1 1"),
      ([.p1, .p1], 448, "1 0"),
      ([.p1, .p1], 200, "0 0"), ([.p1, .p1], 199, "0 s"), ([.p2, .p1], 1120, "0 2"),
      ([.p1, .p2], 1100, "1 1"),
    ] as [([Tier], Int, String)])
  func sharedLink(_ tiers: [Tier], _ link: Int, _ expected: String) {
    let demands = tiers.enumerated().map { Demand.slot($0.offset, Self.three, $0.element) }
    #expect(rungs(Allocator.decide(AllocationInput(viewers: [.of(link)], demands: demands))) == expected)
  }

  @Test(
    "the node's budget serves tiers in order, and lower tiers step down to stills and sound",
    arguments: [
      (nil, "2 2 2 2"), (20000, "2 2 2 2"), (3500, "2 2 1 1"), (2300, "2 2 - -"), (1800, "2 1 0 s"),
      (1300, "2 0 - -"), (1130, "2 0 - -"), (1070, "1 1 0 0"), (400, "1 0 - -"), (112, "0 s - -"), (99, "s - - -"),
      (0, "- - - -"),
    ] as [(Int?, String)])
  func tiersInOrder(_ egress: Int?, _ expected: String) {
    let demands = [Tier.p1, .p2, .p3, .p4].enumerated().map {
      Demand.slot($0.offset, Self.three, of: $0.offset, $0.element)
    }
    let viewers = [ViewerLink](repeating: .wide, count: 4)
    let input = AllocationInput(viewers: viewers, demands: demands, egressBitsPerSecond: egress)
    #expect(rungs(Allocator.decide(input)) == expected)
  }

  @Test("what a higher tier cannot use because of its link goes down")
  func unusedGoesDown() {
    let input = AllocationInput(
      viewers: [.of(120), .wide], demands: [.slot(0, Self.three), .slot(1, Self.three, of: 1, .p2)],
      egressBitsPerSecond: 1300)
    let decisions = Allocator.decide(input)
    #expect(rungs(decisions) == "0 2")
    #expect(decisions.map(\.reason) == [.link, nil])
  }

  @Test("equals are treated alike: a base layer for all, then a layer more for all")
  func equals() {
    func decided(_ egress: Int) -> String {
      let demands = (0..<4).map { Demand.slot($0, Self.three, of: $0) }
      let viewers = [ViewerLink](repeating: .wide, count: 4)
      return rungs(
        Allocator.decide(AllocationInput(viewers: viewers, demands: demands, egressBitsPerSecond: egress)))
    }
    #expect(decided(4480) == "2 2 2 2")
    #expect(decided(2200) == "2 1 1 1")
    #expect(decided(1344) == "1 1 1 1")
    #expect(decided(700) == "1 0 0 0")
    #expect(decided(400) == "0 0 0 0")
    #expect(decided(399) == "0 0 0 s")
    #expect(decided(40) == "s s s s")
    #expect(decided(39) == "s s s -")
  }

  @Test("who has a picture keeps it before an equal gets one")
  func incumbents() {
    let viewers = [ViewerLink](repeating: .wide, count: 3)
    let demands = [
      Demand.slot(0, Self.three, of: 0), .slot(1, Self.three, of: 1, current: .at(0)),
      .slot(2, Self.three, of: 2, current: .at(0)),
    ]
    let input = AllocationInput(viewers: viewers, demands: demands, egressBitsPerSecond: 250)
    #expect(rungs(Allocator.decide(input)) == "s 0 0")
  }

  @Test("a base layer for a new equal is taken from the others' quality")
  func continuityBeforeQuality() {
    let viewers = [ViewerLink](repeating: .wide, count: 2)
    let demands = [Demand.slot(0, Self.three, of: 0, current: .at(2)), .slot(1, Self.three, of: 1)]
    let input = AllocationInput(viewers: viewers, demands: demands, egressBitsPerSecond: 1040)
    #expect(rungs(Allocator.decide(input)) == "1 1")
  }

  @Test("priorities 3 and 4 leave a reserve for more urgent ones, and head room")
  func reserve() {
    func decided(_ tier: Tier, _ egress: Int) -> String {
      rungs(
        Allocator.decide(
          AllocationInput(viewers: [.wide], demands: [.slot(0, [100], tier)], egressBitsPerSecond: egress)))
    }
    #expect(decided(.p2, 100) == "0")
    #expect(decided(.p3, 123) == "s")
    #expect(decided(.p3, 124) == "0")
    #expect(decided(.p4, 124) == "0")
  }

  @Test("a lower tier gets no picture while a higher one lacks its base layer for the node's sake")
  func nobodyOvertakes() {
    let viewers = [ViewerLink](repeating: .wide, count: 2)
    let demands = [Demand.slot(0, [500], of: 0), .slot(1, [20], of: 1, .p2, current: .at(0))]
    let input = AllocationInput(viewers: viewers, demands: demands, egressBitsPerSecond: 450)
    let decisions = Allocator.decide(input)
    #expect(rungs(decisions) == "s -")
    #expect(decisions.map(\.reason) == [.egress, .egress])
  }

  @Test("a higher tier that lacks its base layer because of its link holds nobody up")
  func narrowLinkHoldsNobodyUp() {
    let demands = [Demand.slot(0, [500], of: 0), .slot(1, Self.three, of: 1, .p2)]
    let input = AllocationInput(viewers: [.of(50), .wide], demands: demands, egressBitsPerSecond: 1200)
    #expect(rungs(Allocator.decide(input)) == "s 2")
  }

  @Test("a base layer that only waits for its link keeps its place on the node, and holds nobody up")
  func placeIsKept() {
    let demands = [
      Demand.slot(0, [1000], of: 0, current: .stills, sinceLowered: .seconds(1)),
      .slot(1, [600, 1200], of: 1), .slot(2, [500], of: 2, .p2),
    ]
    let viewers = [ViewerLink.of(1100), .wide, .wide]
    let input = AllocationInput(viewers: viewers, demands: demands, egressBitsPerSecond: 1700)
    let decisions = Allocator.decide(input)
    #expect(rungs(decisions) == "s 0 s")
    #expect(decisions.map(\.reason) == [.link, .egress, .egress])
  }

  @Test("a slot that became more urgent does not wait while less urgent ones have pictures")
  func promotion() {
    let viewers = [ViewerLink](repeating: .wide, count: 2)
    var demands = [
      Demand.slot(0, [500], of: 0, current: .audioOnly, sinceLowered: .milliseconds(300)),
      .slot(1, [400], of: 1, .p2, current: .at(0)),
    ]
    let input = AllocationInput(viewers: viewers, demands: demands, egressBitsPerSecond: 550)
    #expect(rungs(Allocator.decide(input)) == "0 s")
    demands[1] = .slot(1, [10], of: 1, .p1, stills: 5, current: .at(0))
    demands[0].tier = .p2
    let alone = AllocationInput(viewers: viewers, demands: demands, egressBitsPerSecond: 550)
    #expect(rungs(Allocator.decide(alone)) == "s 0", "nobody would lose anything by the wait")
  }
}
