import Primitives
import Relay
import Testing

/// What repairs may take of a viewer's link.
@Suite struct RepairBudgetTests {
  private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

  /// Bytes that a viewer gets who asks every millisecond for another packet of 1,000 bytes.
  private func repaired(in time: TimeInterval64, of bitsPerSecond: Int, _ budget: inout RepairBudget) -> Int {
    (0..<time.milliseconds).reduce(0) { sum, millisecond in
      guard budget.bears(bitsPerSecond, now: Self.start + .milliseconds(millisecond)) else { return sum }
      budget.spend(1_000)
      return sum + 1_000
    }
  }

  @Test func aLostFrameIsRepairedAtOnce() {
    var budget = RepairBudget()
    #expect(repaired(in: .milliseconds(20), of: 600_000, &budget) >= 12_000)
  }

  @Test(arguments: [200_000, 600_000, 3_000_000]) func aStormTakesAQuarterOfTheLink(bitsPerSecond: Int) {
    var budget = RepairBudget()
    let bits = repaired(in: .seconds(10), of: bitsPerSecond, &budget) * 8
    let burst = max(RepairBudget.minimumBurst * 8, bitsPerSecond / 8)
    #expect(bits <= bitsPerSecond * 10 / 4 + burst + 8_000)
    #expect(bits >= bitsPerSecond * 9 / 4)
  }
}
