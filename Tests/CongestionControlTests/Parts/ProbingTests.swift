import CongestionControl
import Primitives
import Testing

@Suite struct ProbingTests {
  private func at(_ seconds: Double) -> MonotonicTime { .zero + .seconds(seconds) }
  private let most = 100_000_000

  // MARK: - When and how far

  @Test func startsWithThreeAndSixTimesTheFirstTarget() {
    let plan = Planner(ProbePlan(initial: 300_000, now: .zero))
    let first = plan.take(target: 300_000, maximum: most, isCalm: true, now: .zero)
    #expect(first == BandwidthEstimator.Probe(id: 1, bitsPerSecond: 900_000, bytes: 3_750, isSmall: true))
    #expect(plan.take(target: 300_000, maximum: most, isCalm: true, now: .zero) == nil)
    let second = plan.take(target: 300_000, maximum: most, isCalm: true, now: at(0.05))
    #expect(second == BandwidthEstimator.Probe(id: 2, bitsPerSecond: 1_800_000, bytes: 3_750, isSmall: true))
    #expect(plan.take(target: 300_000, maximum: most, isCalm: true, now: at(9)) == nil)
  }

  /// A plan that expectations may change.
  private final class Planner {
    var plan: ProbePlan

    init(_ plan: ProbePlan) { self.plan = plan }

    func take(
      target: Int, maximum: Int, isCalm: Bool, hasMetLimit: Bool = false, now: MonotonicTime
    ) -> BandwidthEstimator.Probe? {
      plan.take(target: target, maximum: maximum, isCalm: isCalm, hasMetLimit: hasMetLimit, now: now)
    }

    func finished(_ probe: BandwidthEstimator.Probe, measured: Double?, now: MonotonicTime) {
      plan.finished(probe, measured: measured, now: now)
    }
  }

  @Test func theStartGoesNoFurtherThanWantedEither() {
    let plan = Planner(ProbePlan(initial: 1_500_000, now: .zero))
    plan.plan.setWanted(2_000_000, now: .zero)
    let rates = (0..<5).map {
      plan.take(target: 1_500_000, maximum: most, isCalm: true, now: at(Double($0) / 10))?.bitsPerSecond
    }
    #expect(rates == [2_500_000, nil, nil, nil, nil])
  }

  private func started(wanted: Int) -> Planner {
    let plan = Planner(ProbePlan(initial: 300_000, now: .zero))
    let probes = [0.0, 0.1].compactMap { plan.take(target: 300_000, maximum: most, isCalm: true, now: at($0)) }
    for probe in probes { plan.finished(probe, measured: nil, now: at(0.2)) }
    plan.plan.setWanted(wanted, now: at(0.2))
    return plan
  }

  @Test func probesTwiceTheTargetWhileMoreIsWanted() {
    let plan = started(wanted: 9_000_000)
    let probe = plan.take(target: 2_000_000, maximum: most, isCalm: true, now: at(10))
    #expect(probe?.bitsPerSecond == 4_000_000)
  }

  @Test func goesNoFurtherThanWanted() {
    var plan = started(wanted: 1_000_000)
    #expect(plan.take(target: 900_000, maximum: most, isCalm: true, now: at(10))?.bitsPerSecond == 1_250_000)
    plan = started(wanted: 1_000_000)
    #expect(plan.take(target: 1_000_000, maximum: most, isCalm: true, now: at(10)) == nil)
    plan = started(wanted: 0)
    #expect(plan.take(target: 300_000, maximum: most, isCalm: true, now: at(10)) == nil)
  }

  @Test func goesNoFurtherThanTheReceiverAllows() {
    var plan = started(wanted: 3_000_000)
    #expect(plan.take(target: 600_000, maximum: 700_000, isCalm: true, now: at(10))?.bitsPerSecond == 700_000)
    plan = started(wanted: 3_000_000)
    #expect(plan.take(target: 600_000, maximum: 500_000, isCalm: true, now: at(10)) == nil)
  }

  @Test func waitsForCalmAndForTheLastProbe() {
    let plan = started(wanted: 3_000_000)
    #expect(plan.take(target: 600_000, maximum: most, isCalm: false, now: at(10)) == nil)
    #expect(plan.take(target: 600_000, maximum: most, isCalm: true, now: at(10)) != nil)
    #expect(plan.take(target: 600_000, maximum: most, isCalm: true, now: at(20)) == nil)
  }

  @Test func goesOnAtOnceAfterSuccessAndLaterAfterFailure() throws {
    let plan = started(wanted: 3_000_000)
    let probe = try #require(plan.take(target: 600_000, maximum: most, isCalm: true, now: at(10)))
    plan.finished(probe, measured: 1_300_000, now: at(10.2))
    let next = try #require(plan.take(target: 1_100_000, maximum: most, isCalm: true, now: at(10.2)))
    plan.finished(next, measured: 1_150_000, now: at(10.5))
    #expect(plan.take(target: 1_100_000, maximum: most, isCalm: true, now: at(12.4)) == nil)
    let third = try #require(plan.take(target: 1_100_000, maximum: most, isCalm: true, now: at(12.5)))
    plan.finished(third, measured: nil, now: at(13))
    #expect(plan.take(target: 1_100_000, maximum: most, isCalm: true, now: at(15.4)) == nil)
    #expect(plan.take(target: 1_100_000, maximum: most, isCalm: true, now: at(15.5)) != nil)
  }

  @Test("beyond a limit that was met the second probe is the larger one", arguments: [false, true])
  func confirmsWithMore(hasMetLimit: Bool) throws {
    let plan = started(wanted: 3_000_000)
    let first = try #require(
      plan.take(target: 600_000, maximum: most, isCalm: true, hasMetLimit: hasMetLimit, now: at(10)))
    #expect(first.bytes == 6_000)
    plan.finished(first, measured: 1_300_000, now: at(10.2))
    let second = try #require(
      plan.take(target: 650_000, maximum: most, isCalm: true, hasMetLimit: hasMetLimit, now: at(10.2)))
    let usual = max(6_000, Int(Double(second.bitsPerSecond) * ProbePlan.length.seconds / 8))
    #expect(second.bytes == (hasMetLimit ? 2 * usual : usual))
  }

  @Test func aSlowLinkIsProbedWithLittleAndThoroughlyOnlyAfterThat() throws {
    let plan = started(wanted: 3_000_000)
    func take(_ seconds: Double) -> BandwidthEstimator.Probe? {
      plan.take(target: 100_000, maximum: most, isCalm: true, hasMetLimit: true, now: at(seconds))
    }
    let small = try #require(take(10))
    #expect(small.bytes == 1_250 && small.isSmall)
    plan.finished(small, measured: 300_000, now: at(10.2))
    var thorough = try #require(take(10.2))
    #expect(thorough.bytes == ProbePlan.thoroughBytes && thorough.isSmall)
    #expect(thorough.bitsPerSecond == ProbePlan.thoroughRate)
    plan.finished(thorough, measured: 800_000, now: at(10.4))
    thorough = try #require(take(10.4))
    #expect(thorough.bytes == 2 * ProbePlan.thoroughBytes && thorough.isSmall, "a larger one confirms it, or not")
    plan.finished(thorough, measured: 120_000, now: at(10.6))
    // Not soon again, whatever small ones find.
    let next = try #require(take(13))
    #expect(next.bytes == 1_250)
    plan.finished(next, measured: 300_000, now: at(13.1))
    #expect(take(13.2) == nil)
    let third = try #require(take(17))
    #expect(third.bytes == 1_250)
    plan.finished(third, measured: 300_000, now: at(17.1))
    #expect(take(17.2)?.bytes == ProbePlan.thoroughBytes)
  }

  @Test func afterAFirstBurstThereIsNoStart() throws {
    let plan = Planner(ProbePlan(initial: 300_000, now: .zero))
    plan.plan.skipStart(next: at(1))
    plan.plan.setWanted(3_000_000, now: .zero)
    #expect(plan.take(target: 500_000, maximum: most, isCalm: true, now: at(0.9)) == nil)
    let probe = try #require(plan.take(target: 500_000, maximum: most, isCalm: true, now: at(1)))
    #expect(probe.bitsPerSecond == 1_500_000)
  }

  @Test func neverGivesTheNumberThatMeansNone() {
    let plan = started(wanted: 90_000_000)
    for step in 0..<600 {
      let probe = plan.take(target: 600_000, maximum: most, isCalm: true, now: at(Double(10 + step * 5)))
      #expect(probe.map { $0.id > 0 } ?? false)
      if let probe { plan.finished(probe, measured: nil, now: at(Double(10 + step * 5))) }
    }
  }

  // MARK: - What a probe finds

  private static let probe = BandwidthEstimator.Probe(id: 9, bitsPerSecond: 1_200_000, bytes: 6_000)

  /// Ten packets of 600 bytes, sent 4 ms apart, that arrive so many milliseconds apart.
  private func measure(
    spacing: Double, packets: Int = 10, sentSpacing: Double = 4, between: Int = 0
  ) -> ProbeMeasurements.Result? {
    var measurements = ProbeMeasurements()
    measurements.begin(Self.probe, now: .zero)
    for index in 0..<packets {
      let sent = Int64(Double(index) * sentSpacing * 1e6)
      let arrival = Int64((50 + Double(index) * spacing) * 1e6)
      measurements.add(9, bytes: 600, sent: sent, arrival: arrival)
      if between > 0 { measurements.add(0, bytes: between, sent: sent, arrival: arrival) }
    }
    return measurements.takeResult(roundTripTime: .milliseconds(100), now: at(5))
  }

  @Test func whatPassesUnhinderedIsProved() {
    let result = measure(spacing: 4)
    #expect(result?.measured == .init(bitsPerSecond: 1_200_000, isSaturated: false))
  }

  @Test func whatFillsTheLinkShowsItsRate() {
    let result = measure(spacing: 8)
    #expect(result?.measured == .init(bitsPerSecond: 570_000, isSaturated: true))
  }

  @Test func whatGoesBetweenTakesItsPart() throws {
    let measured = try #require(measure(spacing: 8, between: 600)?.measured)
    // Twice the bytes but for those after the probe's last packet.
    #expect((1_100_000...1_150_000).contains(measured.bitsPerSecond))
  }

  @Test func noProbeProvesMuchMoreThanItsRate() throws {
    let measured = try #require(measure(spacing: 0.5, sentSpacing: 0.5)?.measured)
    #expect(measured.bitsPerSecond == 1_500_000)
  }

  @Test func whatATokenBucketLetPassTellsNothing() {
    // Five packets at 2 Mbit/s over a link of 600 kbit/s behind a bucket of 3,000 bytes.
    var measurements = ProbeMeasurements()
    let probe = BandwidthEstimator.Probe(id: 9, bitsPerSecond: 2_000_000, bytes: 6_000)
    measurements.begin(probe, now: .zero)
    for (index, arrival) in [50.0, 54.8, 60, 76, 92].enumerated() {
      measurements.add(9, bytes: 1_200, sent: Int64(Double(index) * 4.8e6), arrival: Int64(arrival * 1e6))
    }
    let result = measurements.takeResult(roundTripTime: .milliseconds(100), now: at(5))
    #expect(result?.measured == .init(bitsPerSecond: 570_000, isSaturated: true))
  }

  @Test func fewBytesAreCalledBrief() throws {
    var measurements = ProbeMeasurements()
    measurements.begin(.init(id: 9, bitsPerSecond: 300_000, bytes: 1_200), now: .zero)
    for index in 0..<4 {
      measurements.add(9, bytes: 300, sent: Int64(index) * 8_000_000, arrival: Int64(50 + 8 * index) * 1_000_000)
    }
    let result = measurements.takeResult(roundTripTime: .milliseconds(100), now: at(5))
    #expect(result?.measured == .init(bitsPerSecond: 300_000, isSaturated: false, isBrief: true))
  }

  @Test func compressedArrivalsProveNothing() {
    #expect(measure(spacing: 1)?.measured == nil)
    #expect(measure(spacing: 0)?.measured == nil)
  }

  @Test func fewPacketsProveNothing() {
    #expect(measure(spacing: 4, packets: 5)?.measured == nil)
    #expect(measure(spacing: 4, packets: 6)?.measured != nil)
  }

  @Test func isOverWhenAllCameOrNothingMoreWillCome() {
    var measurements = ProbeMeasurements()
    measurements.begin(Self.probe, now: .zero)
    let isOver = [0.6, 0.61, 9].map {
      measurements.takeResult(roundTripTime: .milliseconds(100), now: at($0)) != nil
    }
    #expect(isOver == [false, true, false])
    measurements.begin(Self.probe, now: at(10))
    measurements.addLost(9, bytes: 6_000)
    let result = measurements.takeResult(roundTripTime: .milliseconds(100), now: at(10))
    #expect(result == .init(probe: Self.probe, startedAt: at(10), measured: nil))
  }

  @Test func packetsOfAnotherProbeDoNotCount() {
    var measurements = ProbeMeasurements()
    measurements.begin(Self.probe, now: .zero)
    for index in 0..<10 { measurements.add(13, bytes: 600, sent: Int64(index), arrival: Int64(index)) }
    let result = measurements.takeResult(roundTripTime: .zero, now: .zero)
    #expect(result == nil)
  }
}
