import CongestionControl
import Primitives
import Testing

@Suite struct FirstBurstTests {
  /// Packets of 1,200 bytes that left together, and arrived at these times in milliseconds.
  private func burst(_ arrivals: [Double], at sent: Double = 0) -> FirstBurst {
    var burst = FirstBurst()
    add(arrivals, at: sent, to: &burst)
    return burst
  }

  private func add(_ arrivals: [Double], at sent: Double, to burst: inout FirstBurst) {
    for arrival in arrivals { burst.add(bytes: 1_200, sent: Int64(sent * 1e6), arrival: Int64(arrival * 1e6)) }
  }

  /// Evenly spaced.
  private func spaced(_ count: Int, _ milliseconds: Double) -> [Double] {
    (0..<count).map { 20 + Double($0) * milliseconds }
  }

  private func isPending(_ burst: FirstBurst, at seconds: Double) -> Bool {
    burst.isPending(roundTripTime: .milliseconds(100), now: .zero + .seconds(seconds))
  }

  private func measured(_ burst: FirstBurst) -> Double? {
    var burst = burst
    return burst.take()
  }

  @Test func theLinkSpacesItsPackets() {
    // 16 ms a packet are 600 kbit/s.
    var burst = burst(spaced(12, 16))
    let rate = burst.take() ?? 0
    #expect(abs(rate - 600_000) < 1)
    #expect(measured(burst) == nil, "once")
  }

  @Test func whatATokenBucketLetPassTellsNothing() throws {
    let rate = try #require(measured(burst([20, 20.1, 26, 42, 58, 74, 90, 106])))
    #expect(abs(rate - 600_000) < 1)
  }

  @Test func aReceiverThatWasBusyForAMomentIsNoNarrowLink() {
    let beforeAndAfter = [20, 20.25, 20.5, 20.75] + (0..<12).map { 150 + Double($0) / 4 }
    #expect(measured(burst(beforeAndAfter)) ?? 0 > 10_000_000)
    #expect(measured(burst([Double](repeating: 20, count: 16))) == .infinity)
    // Before so much has come it is not sure.
    #expect(measured(burst(Array(beforeAndAfter.prefix(9)))) == nil)
  }

  @Test func aReceiverThatBeganLateIsNoFastLink() throws {
    // Eight packets waited for it, then they come as the link lets them.
    let arrivals = [Double](repeating: 148, count: 8) + (1...12).map { 148 + Double($0) * 16 }
    for count in 8..<11 { #expect(measured(burst(Array(arrivals.prefix(count)))) == nil, "\(count)") }
    var short = burst(Array(arrivals.prefix(9)))
    add([170], at: 20, to: &short)
    #expect(measured(short) == nil, "nor when no more of it will come")
    let rate = try #require(measured(burst(arrivals)))
    #expect(abs(rate - 600_000) < 1)
  }

  @Test func aSlowLinkShowsEarly() throws {
    #expect(measured(burst(spaced(5, 64))) == nil)
    let rate = try #require(measured(burst(spaced(6, 64))))
    #expect(abs(rate - 150_000) < 1)
  }

  @Test func moreIsWaitedForWhileItMayCome() {
    #expect(!isPending(burst(spaced(2, 5)), at: 0.1))
    #expect(isPending(burst(spaced(3, 5)), at: 0.1))
    var burst = burst(spaced(7, 5))
    #expect(isPending(burst, at: 0.39))
    #expect(!isPending(burst, at: 0.5), "not for ever")
    #expect(measured(burst) == nil)
    // Sound that left later shows that no more of the burst is on its way.
    add([60], at: 20, to: &burst)
    let rate = burst.take() ?? 0
    #expect(abs(rate - 1_920_000) < 1)
    #expect(!isPending(burst, at: 0.05))
  }

  @Test func singlePacketsAreNoBurst() {
    var burst = FirstBurst()
    for step in 0..<100 { add([Double(step) * 50], at: Double(step) * 20, to: &burst) }
    #expect(measured(burst) == nil)
    #expect(!isPending(burst, at: 0.05))
    // Nor are a few small ones.
    for step in 0..<7 { burst.add(bytes: 300, sent: 3_000_000_000, arrival: 6_000_000_000 + Int64(step) * 1_000_000) }
    add([6_100], at: 3_100, to: &burst)
    #expect(measured(burst) == nil)
  }

  @Test func whatComesAsFastAsItIsSentShowsNoLimit() {
    // Several sources' sound, a packet every four milliseconds.
    var burst = FirstBurst()
    for step in 0..<30 {
      burst.add(bytes: 160, sent: Int64(step) * 4_000_000, arrival: 20_000_000 + Int64(step) * 4_000_000)
    }
    #expect(measured(burst) == .infinity)
  }

  @Test func absurdTimesTrapNothing() {
    var burst = burst([20, 20.5])
    for step in 0..<20 {
      burst.add(bytes: 1_200, sent: 0, arrival: step.isMultiple(of: 2) ? Int64.max / 2 : Int64.min / 2)
    }
    _ = measured(burst)
    #expect(!isPending(burst, at: 1e6))
  }

  @Test func nothingIsMeasuredTwice() {
    var burst = burst(spaced(12, 16))
    burst.end()
    #expect(measured(burst) == nil)
    #expect(!isPending(burst, at: 0.05))
  }
}
