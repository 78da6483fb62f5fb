import MediaServer
import Primitives
import Relay
import Testing

/// What a node may send, shared out among its media threads.
@Suite struct EgressLedgerTests {
  private func demands(_ byTier: [Int: Int]) -> [Int] { (0..<Tier.count).map { byTier[$0] ?? 0 } }

  @Test func urgentTiersAreServedOnWhicheverThreadTheyAre() {
    let all = [demands([0: 4_000, 12: 8_000]), demands([4: 4_000])]
    let shares = (0..<2).map { EgressLedger.share(of: $0, of: 10_000, among: all) }
    #expect(shares[0] == 5_000)
    #expect(shares[1] == 5_000)
  }

  @Test func aTierThatDoesNotFitIsSharedInProportion() {
    let all = [demands([8: 30_000]), demands([8: 10_000])]
    let shares = (0..<2).map { EgressLedger.share(of: $0, of: 20_000, among: all) }
    #expect(shares == [15_000, 5_000])
  }

  @Test func whatNobodyNeedsIsThereForWhoeverComes() {
    let all = [demands([0: 1_000]), demands([:])]
    let shares = (0..<2).map { EgressLedger.share(of: $0, of: 9_250, among: all) }
    #expect(shares == [5_250, 4_000])
  }

  @Test(arguments: 0..<50) func sharesNeverExceedTheLimit(seed: Int) {
    var random = RandomSource.seeded(UInt64(seed))
    let all = (0..<4).map { _ in (0..<Tier.count).map { _ in Int(random.next() % 5_000_000) } }
    let limit = Int(random.next() % 100_000_000)
    let shares = all.indices.map { EgressLedger.share(of: $0, of: limit, among: all) }
    #expect(shares.reduce(0, +) <= limit)
    #expect(shares.allSatisfy { $0 >= 0 })
  }

  @Test func threadsReadWhatTheOthersWrote() {
    let ledger = EgressLedger(bitsPerSecond: 10_000, shards: 2)
    #expect(ledger.exchange(demands([12: 20_000]), shard: 0) == 10_000)
    #expect(ledger.exchange(demands([0: 8_000]), shard: 1) == 10_000)
    #expect(ledger.exchange(demands([12: 20_000]), shard: 0) == 0)
  }
}

@Suite struct ThreadLoadTests {
  private func second(_ number: Int) -> MonotonicTime { MonotonicTime(nanoseconds: UInt64(number) * 1_000_000_000) }

  @Test func aThreadWithTimeToSpareHasNoLimit() {
    var load = ThreadLoad(now: .zero)
    load.update(processorTime: 600_000_000, bytesSent: 1_000_000, now: second(1))
    #expect(load.bitsPerSecond == nil)
  }

  @Test func aBusyThreadMaySendWhatLeavesItSomeTime() throws {
    var load = ThreadLoad(now: .zero)
    load.update(processorTime: 1_000_000_000, bytesSent: 10_000_000, now: second(1))
    let limit = try #require(load.bitsPerSecond)
    #expect((67_000_000...69_000_000).contains(limit))
    load.update(processorTime: 1_800_000_000, bytesSent: 18_000_000, now: second(2))
    #expect(load.bitsPerSecond == limit, "neither too busy nor idle: nothing changes")
  }

  @Test func theLimitGrowsAndGoesWhenTheLoadIsGone() {
    var load = ThreadLoad(now: .zero)
    load.update(processorTime: 950_000_000, bytesSent: 10_000_000, now: second(1))
    #expect(load.bitsPerSecond != nil)
    for number in 2...12 {
      load.update(
        processorTime: 950_000_000 + UInt64(number) * 100_000_000, bytesSent: 10_000_000 + UInt64(number) * 1_000_000,
        now: second(number))
    }
    #expect(load.bitsPerSecond == nil)
  }
}
