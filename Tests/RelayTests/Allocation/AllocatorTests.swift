import Primitives
import Relay
import Testing

@Suite("Allocation: tables")
struct AllocatorTests {
  static let three = [100, 300, 1000]

  @Test(
    "one slot on its link",
    arguments: [
      (nil, "2", nil), (5000, "2", nil), (1120, "2", nil), (1119, "1", .link), (336, "1", .link), (335, "0", .link),
      (100, "0", .link), (99, "s", .link), (10, "s", .link), (9, "-", .link), (0, "-", .link), (-5, "-", .link),
    ] as [(Int?, String, ReductionReason?)])
  func oneSlot(_ link: Int?, _ rung: String, _ reason: ReductionReason?) {
    let decisions = Allocator.decide(AllocationInput(viewers: [.of(link)], demands: [.slot(0, Self.three)]))
    #expect(rungs(decisions) == rung)
    #expect(decisions.first?.reason == reason)
    #expect(decisions.first?.bestBitsPerSecond == 1000)
  }
}
