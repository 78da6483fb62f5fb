import Primitives
import Relay
import Testing

@Suite("Allocation: reasons and odd input")
struct AllocationReasonTests {
  static let three = [100, 300, 1000]

  @Test(
    "the reason names what forces the reduction",
    arguments: [
      (nil, nil, nil, nil, "2", nil),
      (500, nil, nil, nil, "1", .link), (nil, 500, nil, nil, "1", .egress), (nil, nil, 500, nil, "1", .processing),
      (nil, 500, 400, nil, "1", .processing), (nil, 400, 500, nil, "1", .egress),
      // The link alone would force it: that the node is short as well is not the viewer's reason.
      (500, 500, nil, nil, "1", .link), (500, 200, nil, nil, "0", .egress),
      (nil, nil, nil, 1, "1", .wanted), (nil, nil, nil, 0, "0", .wanted), (nil, nil, nil, 2, "2", nil),
      (150, nil, nil, 1, "0", .link), (nil, 150, nil, 1, "0", .egress),
      // Nonsense counts as the nearest.
      (nil, nil, nil, 99, "2", nil), (nil, nil, nil, -7, "0", .wanted),
    ] as [(Int?, Int?, Int?, Int?, String, ReductionReason?)])
  func reasons(
    _ link: Int?, _ egress: Int?, _ processing: Int?, _ wanted: Int?, _ rung: String, _ reason: ReductionReason?
  ) {
    let decisions = Allocator.decide(
      AllocationInput(
        viewers: [.of(link)], demands: [.slot(0, Self.three, wanted: wanted)], egressBitsPerSecond: egress,
        processingBitsPerSecond: processing))
    #expect(rungs(decisions) == rung)
    #expect(decisions.map(\.reason) == [reason])
  }

  @Test(
    "the best rung is the best that the viewer wants", arguments: [(nil, 1000), (1, 300), (0, 100)] as [(Int?, Int)])
  func best(_ wanted: Int?, _ expected: Int) {
    let input = AllocationInput(viewers: [.of(0)], demands: [.slot(0, Self.three, wanted: wanted)])
    #expect(Allocator.decide(input).map(\.bestBitsPerSecond) == [expected])
  }

  @Test("a source of which no layer is known yet shows stills, and that is its best")
  func noLayers() {
    let input = AllocationInput(viewers: [.of(20)], demands: [.slot(0, [])])
    #expect(
      Allocator.decide(input) == [
        Decision(slot: SlotHandle(0), rung: .stills, reason: nil, bestBitsPerSecond: 10, change: .first)
      ])
    let narrow = AllocationInput(viewers: [.of(9)], demands: [.slot(0, [])])
    #expect(Allocator.decide(narrow).map(\.reason) == [.link])
  }

  @Test(
    "a source with one layer has that, stills and sound",
    arguments: [(500, "0"), (499, "s"), (9, "-")])
  func oneLayer(_ link: Int, _ rung: String) {
    #expect(rungs(Allocator.decide(AllocationInput(viewers: [.of(link)], demands: [.slot(0, [500])]))) == rung)
  }

  @Test("stills that cost more than the base layer are no rung")
  func dearStills() {
    func decided(_ link: Int, _ current: Rung?) -> String {
      rungs(
        Allocator.decide(
          AllocationInput(
            viewers: [.of(link)], demands: [.slot(0, [100], stills: 150, current: current, sinceLowered: .zero)])))
    }
    #expect(decided(120, nil) == "0")
    #expect(decided(99, nil) == "-")
    // Whoever has them gets the base layer, which costs less, even a moment after a lowering.
    #expect(decided(120, .stills) == "0")
  }

  @Test("a better layer never counts for less than a poorer one")
  func risingRates() {
    func decided(_ link: Int) -> String {
      rungs(Allocator.decide(AllocationInput(viewers: [.of(link)], demands: [.slot(0, [100, 300, 20])])))
    }
    #expect(decided(335) == "0")
    #expect(decided(336) == "2")
  }

  @Test(
    "a layer of which nothing comes is not offered; when nothing comes at all, what is shown stays",
    arguments: [
      ([100, 300, 0], nil, nil, "1", nil), ([0, 300, 1000], nil, nil, "2", nil),
      ([100, 0, 1000], nil, 1, "0", .wanted),
      ([100, 0, 1000], nil, 2, "2", nil), ([0, 300, 1000], nil, 0, "1", .wanted),
      ([100, 300, 0], .at(2), nil, "1", nil),
      ([0, 0, 0], nil, nil, "0", nil), ([0, 0, 0], .at(1), nil, "1", nil), ([0, 0, 0], .at(2), 0, "2", nil),
    ] as [([Int], Rung?, Int?, String, ReductionReason?)])
  func silentLayers(
    _ rates: [Int], _ current: Rung?, _ wanted: Int?, _ rung: String, _ reason: ReductionReason?
  ) {
    let demand = Demand.slot(0, rates, current: current, wanted: wanted)
    let decisions = Allocator.decide(AllocationInput(viewers: [.wide], demands: [demand]))
    #expect(rungs(decisions) == rung)
    #expect(decisions.map(\.reason) == [reason])
  }

  @Test("a picture whose layer is no longer offered stays a picture, and that is no raise")
  func vanishedLayer() {
    let demand = Demand.slot(0, Self.three, current: .at(7), sinceLowered: .zero)
    let decisions = Allocator.decide(AllocationInput(viewers: [.of(98)], demands: [demand]))
    #expect(rungs(decisions) == "0")
    #expect(decisions.map(\.change) == [.first])
  }

  @Test("absurd input does not trap", arguments: [Int.min, -1, 0, 1, 1 << 40, 1 << 50, Int.max])
  func absurd(_ value: Int) {
    for other in [Int.min, 0, Int.max] {
      let demands = (0..<3).map { slot in
        Demand(
          slot: SlotHandle(slot - 1), viewer: slot == 0 ? value : slot, tier: Tier(rawValue: slot == 1 ? 255 : 0),
          layers: [LayerRate(layer: .test(0), bitsPerSecond: value), LayerRate(layer: .test(1), bitsPerSecond: other)],
          stillBitsPerSecond: other, current: slot == 2 ? .at(1) : nil,
          sinceRaised: TimeInterval64(nanoseconds: Int64(value)),
          sinceLowered: TimeInterval64(nanoseconds: Int64(other)), wanted: value)
      }
      let viewers = [ViewerLink](repeating: .of(other, sound: value), count: 3) + [.of(value, sound: other)]
      let input = AllocationInput(
        viewers: viewers, demands: demands, egressBitsPerSecond: other, processingBitsPerSecond: value)
      #expect(Allocator.decide(input).count == 3)
      let newcomer = NewViewer(tier: .p3, pictureBitsPerSecond: value, audioBitsPerSecond: other)
      #expect(Admission.allCases.contains(Allocator.admission(of: newcomer, to: input)))
    }
  }
}
