import CongestionControl
import Primitives
import Testing

@Suite struct RateTests {
  private func at(_ seconds: Double) -> MonotonicTime { .zero + .seconds(seconds) }

  private func observation(
    arrives: Double?, latest: Double? = nil, sent: Double? = nil, queue: Int64 = 0, at seconds: Double
  ) -> RateControl.Observation {
    RateControl.Observation(
      acknowledged: arrives, latest: latest, sent: sent ?? arrives, queueDelay: .milliseconds(queue),
      roundTripTime: .milliseconds(100), now: at(seconds))
  }

  /// What a probe has shown that began a moment before, or at another time; nil for nothing.
  private func prove(
    _ rate: inout RateControl, _ bitsPerSecond: Double?, isSaturated: Bool = false, isBrief: Bool = false,
    bytes: Int = 12_000, arrives: Double? = nil, from start: Double? = nil, at seconds: Double
  ) {
    let measured = bitsPerSecond.map {
      ProbeMeasurements.Measurement(bitsPerSecond: $0, isSaturated: isSaturated, isBrief: isBrief)
    }
    rate.prove(
      .init(
        probe: .init(id: 1, bitsPerSecond: 2_000_000, bytes: bytes), startedAt: at(start ?? seconds - 0.15),
        measured: measured), arrives: arrives, now: at(seconds))
  }

  // MARK: - The window

  @Test func countsTheLastHalfSecond() {
    var window = RateWindow()
    for step in 0..<200 { window.add(1_250, at: Int64(step) * 10_000_000) }
    #expect(abs((window.bitsPerSecond ?? 0) - 1_000_000) < 60_000)
    for step in 200..<300 { window.add(125, at: Int64(step) * 10_000_000) }
    #expect(abs((window.bitsPerSecond ?? 0) - 100_000) < 6_000)
  }

  @Test func aWindowNeedsSomeTime() {
    var window = RateWindow()
    #expect(window.bitsPerSecond == nil)
    window.add(1_000, at: 0)
    window.add(1_000, at: 100_000_000)
    #expect(window.bitsPerSecond == nil)
    window.add(1_000, at: 160_000_000)
    #expect(window.bitsPerSecond != nil)
  }

  @Test func knowsTheLastMoment() {
    var window = RateWindow()
    #expect(window.latestBitsPerSecond == nil)
    for step in 0..<50 { window.add(125, at: Int64(step) * 10_000_000) }
    for step in 50..<70 { window.add(1_250, at: Int64(step) * 10_000_000) }
    #expect(abs((window.latestBitsPerSecond ?? 0) - 1_000_000) < 100_000)
    #expect((window.bitsPerSecond ?? 0) < 600_000)
  }

  @Test func aWindowStandsLeapsOfTime() {
    var window = RateWindow()
    for time in [0, 10_000_000_000, -5_000_000_000, Int64.max, Int64.min, 0] { window.add(1_200, at: time) }
    #expect(window.bitsPerSecond.map { $0.isFinite } ?? true)
  }

  // MARK: - The link's limit

  @Test func isNearWhatWasSeen() {
    var capacity = LinkCapacity()
    #expect(capacity.near == nil)
    capacity.observe(1_000_000)
    #expect(capacity.near?.contains(1_050_000) == true)
    #expect(capacity.near?.contains(1_300_000) == false)
  }

  @Test func aFarObservationIsAnotherLink() {
    var capacity = LinkCapacity()
    capacity.observe(1_000_000)
    capacity.observe(300_000)
    #expect(capacity.mean == 300_000)
  }

  // MARK: - Up and down

  @Test func growsByEightPercentASecondFarFromTheLimit() {
    var rate = RateControl(rate: 1_000_000)
    for step in 0...10 { rate.increase(observation(arrives: 1_000_000, at: Double(step) / 10)) }
    #expect((1_075_000...1_090_000).contains(rate.rate))
  }

  @Test func growsByAPacketAResponseTimeNearTheLimit() {
    var rate = RateControl(rate: 1_000_000)
    rate.decrease(observation(arrives: 1_000_000, at: 0))
    #expect(rate.rate == 850_000)
    for step in 1...5 { rate.increase(observation(arrives: 850_000, at: Double(step) / 10)) }
    // On the way back to where the limit is near: faster.
    #expect(rate.rate > 900_000)
    let before = rate.rate
    for step in 6...15 { rate.increase(observation(arrives: 900_000, at: Double(step) / 10)) }
    #expect((40_000...60_000).contains(rate.rate - before))
  }

  @Test func staysWithinReachOfWhatArrives() {
    var rate = RateControl(rate: 300_000)
    for step in 0...600 { rate.increase(observation(arrives: 250_000, at: Double(step) / 10)) }
    #expect(rate.rate == 385_000)
  }

  @Test func doesNotBelieveThatMoreArrivesThanIsSent() {
    var rate = RateControl(rate: 300_000)
    for step in 0...600 { rate.increase(observation(arrives: 50_000_000, sent: 250_000, at: Double(step) / 10)) }
    #expect(rate.rate == 385_000)
  }

  @Test func doesNotFallBecauseLittleIsSent() {
    var rate = RateControl(rate: 2_000_000)
    for step in 0...100 { rate.increase(observation(arrives: 50_000, at: Double(step) / 10)) }
    #expect(rate.rate == 2_000_000)
    rate.decrease(observation(arrives: 50_000, at: 11))
    #expect(rate.rate == 1_700_000)
  }

  @Test func fallsToWhatArrivesWhenLessArrivesThanIsSent() {
    var rate = RateControl(rate: 2_000_000)
    rate.decrease(observation(arrives: 150_000, sent: 600_000, at: 0))
    #expect(rate.rate == 127_500)
  }

  @Test func fallsToWhatTheFullLinkCarriesNotToWhatItCarriedBefore() {
    var rate = RateControl(rate: 600_000)
    rate.decrease(observation(arrives: 300_000, latest: 580_000, sent: 500_000, at: 0))
    #expect(rate.rate == 580_000 * RateControl.backOff)
    // A burst that arrives faster than anything was sent is no reason to stay.
    rate.decrease(observation(arrives: 300_000, latest: 5_000_000, sent: 500_000, at: 1))
    #expect(rate.rate == 580_000 * RateControl.backOff * RateControl.backOff)
  }

  @Test func fallsOncePerResponseTime() {
    var rate = RateControl(rate: 1_000_000)
    rate.decrease(observation(arrives: 900_000, at: 0))
    rate.decrease(observation(arrives: 400_000, sent: 800_000, at: 0.1))
    #expect(rate.rate == 765_000)
    rate.decrease(observation(arrives: 400_000, sent: 800_000, at: 0.25))
    #expect(rate.rate == 340_000)
  }

  @Test func emptiesALongQueueAndComesBack() {
    var rate = RateControl(rate: 1_000_000)
    rate.decrease(observation(arrives: 600_000, sent: 1_000_000, queue: 500, at: 0))
    #expect(rate.rate == 300_000)
    rate.restore(observation(arrives: 300_000, queue: 200, at: 0.5))
    #expect(rate.rate == 300_000)
    rate.restore(observation(arrives: 300_000, queue: 20, at: 1))
    #expect(rate.rate == 510_000)
  }

  @Test func waitsForAQueueToGoButNotForOthersQueues() {
    var rate = RateControl(rate: 1_000_000)
    rate.decrease(observation(arrives: 1_000_000, at: 0))
    for step in 1..<15 { rate.increase(observation(arrives: 850_000, queue: 150, at: Double(step) / 10)) }
    #expect(rate.rate == 850_000)
    for step in 15..<45 { rate.increase(observation(arrives: 850_000, queue: 150, at: Double(step) / 10)) }
    #expect(rate.rate > 900_000)
  }

  @Test func aProbeThatFilledAKnownLinkProvesLittle() {
    var rate = RateControl(rate: 1_000_000)
    rate.decrease(observation(arrives: 1_000_000, at: 0))
    prove(&rate, 1_600_000, isSaturated: true, at: 3)
    #expect(rate.rate == 900_000)
  }

  /// At 850 kbit/s, of a link that was full at a million and is near that up to 1.09.
  private func limited() -> RateControl {
    var rate = RateControl(rate: 1_000_000)
    rate.decrease(observation(arrives: 1_000_000, at: 0))
    return rate
  }

  @Test func beyondALimitThatWasMetASecondProbeMustConfirmTheFirst() {
    var rate = limited()
    prove(&rate, 1_600_000, at: 3)
    #expect(abs(rate.rate - 1_090_000) < 1)
    prove(&rate, 2_500_000, at: 3.2)
    #expect(rate.rate == 1_600_000, "no further than both have shown")
    prove(&rate, 2_300_000, isSaturated: true, at: 3.4)
    #expect(rate.rate == 2_300_000, "one that fills the link shows where it ends")
  }

  @Test func whatTheSecondProbeDoesNotConfirmIsForgotten() {
    var rate = limited()
    prove(&rate, 1_600_000, at: 3)
    prove(&rate, 950_000, isSaturated: true, at: 3.2)
    #expect(rate.rate == 950_000)
    prove(&rate, 1_600_000, at: 3.4)
    #expect(rate.rate < 1_100_000)
    // Nor does one that begins long afterwards, or after the path has shown its limit again.
    prove(&rate, 1_600_000, from: 14, at: 14.1)
    #expect(rate.rate < 1_100_000)
    rate.decrease(observation(arrives: 1_000_000, at: 15))
    prove(&rate, 1_600_000, at: 17.1)
    #expect(rate.rate < 1_100_000)
  }

  @Test("a second probe may come late, over a long way or when others probe first") func confirmsLate() {
    var rate = limited()
    prove(&rate, 1_600_000, from: 2, at: 5)
    prove(&rate, 1_600_000, from: 9, at: 12)
    #expect(rate.rate == 1_600_000)
  }

  @Test("a second probe that is no larger, or one after another that showed nothing, confirms none")
  func confirmsLittle() {
    var rate = limited()
    prove(&rate, 1_600_000, bytes: 6_000, at: 3)
    prove(&rate, 1_600_000, bytes: 6_000, at: 3.2)
    #expect(rate.rate < 1_100_000)
    prove(&rate, nil, at: 3.4)
    prove(&rate, 1_600_000, bytes: 12_000, at: 3.6)
    #expect(rate.rate < 1_100_000)
    prove(&rate, 1_600_000, bytes: 12_000, at: 3.8)
    #expect(rate.rate == 1_600_000)
  }

  @Test func comesBackAfterSilenceAndHasMetNoLimitThere() {
    var rate = RateControl(rate: 1_000_000)
    for step in 0..<5 { rate.scale(by: 0.7, atLeast: 30_000, now: at(2 + Double(step) / 2)) }
    #expect(rate.rate < 200_000)
    rate.endSilence(at(5))
    #expect(rate.rate == 850_000 && !rate.hasMetLimit)
    rate.endSilence(at(6))
    #expect(rate.rate == 850_000)
  }

  @Test func aBriefProbeProvesNothingBeyondAKnownLimit() {
    var rate = RateControl(rate: 100_000)
    rate.decrease(observation(arrives: 130_000, at: 0))
    rate.decrease(observation(arrives: 130_000, queue: 400, at: 2))
    prove(&rate, 300_000, isBrief: true, at: 3)
    #expect((125_000...150_000).contains(rate.rate))
    // Where no limit is known there is nothing better to go by.
    var fresh = RateControl(rate: 100_000)
    prove(&fresh, 300_000, isBrief: true, at: 3)
    #expect(fresh.rate == 300_000)
  }

  @Test func whatAProbeProvedTheNextMayRefute() {
    var rate = RateControl(rate: 500_000)
    prove(&rate, 1_300_000, arrives: 350_000, at: 1)
    #expect(rate.rate == 1_300_000)
    prove(&rate, 570_000, isSaturated: true, arrives: 350_000, at: 1.3)
    #expect(rate.rate == 570_000)
    // What is used by now is borne, and what was proved a while ago is not taken back.
    prove(&rate, 1_300_000, arrives: 350_000, at: 2)
    prove(&rate, 570_000, isSaturated: true, arrives: 800_000, at: 2.3)
    #expect(rate.rate == 1_200_000)
    prove(&rate, 2_000_000, arrives: 800_000, at: 4)
    prove(&rate, 570_000, isSaturated: true, arrives: 800_000, at: 6)
    #expect(rate.rate == 2_000_000)
  }

  @Test func beginsWithWhatTheFirstBurstShowed() {
    var wide = RateControl(rate: 500_000)
    let isLimit = wide.begin(arrived: .infinity, now: at(0.1))
    #expect(!isLimit && wide.rate == 500_000)
    #expect(!wide.hasMetLimit && wide.isUntried)
    var middle = RateControl(rate: 500_000)
    _ = middle.begin(arrived: 1_000_000, now: at(0.1))
    #expect(middle.rate == 950_000)
    #expect(middle.hasMetLimit && middle.isUntried && middle.lastDecrease == nil)
    var narrow = RateControl(rate: 500_000)
    _ = narrow.begin(arrived: 300_000, now: at(0.1))
    #expect(narrow.rate == 285_000)
    #expect(narrow.hasMetLimit && narrow.lastDecrease != nil)
    // A queue that was met before knows better.
    var met = RateControl(rate: 500_000)
    met.decrease(observation(arrives: 400_000, at: 0))
    _ = met.begin(arrived: 600_000, now: at(0.1))
    #expect(met.rate == 340_000)
  }

  @Test func comesBackToTheLinksRateThoughLoweredTwiceForOneQueue() {
    var rate = RateControl(rate: 1_000_000)
    rate.decrease(observation(arrives: 500_000, sent: 1_000_000, queue: 400, at: 0))
    #expect(rate.rate == 250_000)
    rate.decrease(observation(arrives: 500_000, sent: 500_000, queue: 400, at: 2))
    rate.restore(observation(arrives: 300_000, sent: 300_000, queue: 10, at: 3))
    #expect(rate.rate == 425_000)
  }
}
