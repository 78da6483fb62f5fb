import Primitives
import Relay
import Testing

/// What repairs may take of a viewer's link.
@Suite struct RepairBudgetTests {
  private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

  /// Bytes that a viewer gets who asks every millisecond for another packet of 1,000 bytes.
  private func repaired(in time: TimeInterval64, of bitsPerSecond: Int, isFull: Bool = false) -> Int {
    var budget = RepairBudget()
    return (0..<time.milliseconds).reduce(0) { sum, millisecond in
      guard budget.bears(bitsPerSecond, isFull: isFull, now: Self.start + .milliseconds(millisecond)) else {
        return sum
      }
      budget.spend(1_000)
      return sum + 1_000
    }
  }

  @Test func aLostFrameIsRepairedAtOnce() {
    #expect(repaired(in: .milliseconds(20), of: 600_000) >= 12_000)
  }

  @Test func aFirstPictureIsRepairedOverAFullLinkToo() {
    // Some time after the budget was made, as a viewer's is.
    #expect(repaired(in: .milliseconds(20), of: 300_000, isFull: true) >= 20_000)
    // Once used it does not come back.
    var budget = RepairBudget()
    budget.spend(RepairBudget.first)
    var later = false
    for second in 0..<60 { later = budget.bears(300_000, isFull: true, now: Self.start + .seconds(Double(second))) }
    budget.spend(RepairBudget.minimumBurst)
    let after = budget.bears(300_000, isFull: true, now: Self.start + .seconds(59))
    #expect(later && !after)
  }

  @Test(arguments: [200_000, 600_000, 3_000_000]) func aStormTakesAQuarterOfTheLink(bitsPerSecond: Int) {
    let bits = repaired(in: .seconds(10), of: bitsPerSecond) * 8
    let burst = max(RepairBudget.first * 8, bitsPerSecond / 8)
    #expect(bits <= bitsPerSecond * 10 / 4 + burst + 8_000)
    #expect(bits >= bitsPerSecond * 9 / 4)
  }

  @Test func aFullLinkGivesLess() {
    let bits = repaired(in: .seconds(10), of: 600_000, isFull: true) * 8
    #expect(bits <= 600_000 + RepairBudget.first * 8 + 8_000)
  }
}
