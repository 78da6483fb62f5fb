import CongestionControl
import Primitives
import RTP
import Testing

/// The estimator as its owner sees it.
@Suite struct BandwidthEstimatorTests {
  private func at(_ seconds: Double) -> MonotonicTime { .zero + .seconds(seconds) }

  /// What a receiver would say of packets that were sent `spacing` milliseconds apart from `start` on.
  private func feedback(from base: UInt16, start: Double, count: Int, ticks: Int16 = 40) -> TransportFeedback {
    TransportFeedback(
      senderSSRC: SSRC(1), mediaSSRC: SSRC(2), baseSequence: SequenceNumber(base),
      referenceTime: UInt32(start * 1_000 / 64), feedbackCount: 0,
      statuses: Array(repeating: .received(delta: ticks), count: count))
  }

  /// Sends packets of 1,250 bytes 10 ms apart, a megabit per second, with feedback every 100 ms.
  ///
  /// - Parameter waiting: How long a packet waits in the link's queue that was sent at a time, both in seconds.
  private func run(
    _ estimator: inout BandwidthEstimator, seconds: Range<Double>, answers: Bool = true,
    waiting: (Double) -> Double = { _ in 0 }
  ) {
    /// Arrivals in ticks of 250 microseconds.
    var arrivals: [Int] = []
    for step in Int(seconds.lowerBound * 100)..<Int(seconds.upperBound * 100) {
      let now = at(Double(step) / 100)
      estimator.noteSent(UInt16(truncatingIfNeeded: step), bytes: 1_250, probe: 0, now: now)
      estimator.tick(now: now)
      arrivals.append(step * 40 + Int(waiting(Double(step) / 100) * 4_000))
      guard step % 10 == 9 else { continue }
      defer { arrivals.removeAll() }
      guard answers else { continue }
      var feedback = feedback(
        from: UInt16(truncatingIfNeeded: step - 9), start: Double(arrivals[0]) / 4_000, count: arrivals.count)
      // The reference comes in steps of 64 ms; the first delta makes up for it.
      var last = Int(feedback.referenceTime) * 256
      feedback.statuses = arrivals.map { arrival in
        defer { last = arrival }
        return .received(delta: Int16(arrival - last))
      }
      estimator.receive(feedback, now: now + .milliseconds(50))
    }
  }

  @Test("a trend alone is no queue: the rate falls once there is one", arguments: [(0.02, false), (0.08, true)])
  func aTrendAloneIsNoQueue(longest: Double, falls: Bool) {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    run(&estimator, seconds: 0..<10)
    let before = estimator.target
    var lowest = before
    for tenth in 100..<120 {
      // A little later, so that a step is not missed by rounding.
      let start = Double(tenth) / 10 + 0.001
      run(&estimator, seconds: start..<start + 0.1) { min(($0 - 10) * longest / 0.3, longest) }
      lowest = min(lowest, estimator.target)
    }
    #expect((lowest < before * 95 / 100) == falls, "\(lowest) of \(before)")
  }

  @Test func startsAtItsInitialTarget() {
    let estimator = BandwidthEstimator(initial: 300_000, now: .zero)
    defer { estimator.deallocate() }
    #expect(estimator.target == 300_000)
    // Hardly faster than what nothing has shown to be borne yet.
    #expect(estimator.pacingRate == 360_000)
    #expect(estimator.roundTripTime == nil)
  }

  @Test(arguments: [(-5, 30_000), (0, 30_000), (Int.max, 100_000_000)])
  func keepsTheInitialTargetWithinBounds(initial: Int, target: Int) {
    let estimator = BandwidthEstimator(initial: initial, now: .zero)
    defer { estimator.deallocate() }
    #expect(estimator.target == target)
  }

  @Test func growsWhileAllArrivesInTime() {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    run(&estimator, seconds: 0..<10)
    #expect((1_400_000...1_530_000).contains(estimator.target))
    #expect(estimator.absurdFeedback == 0)
    #expect(estimator.queueDelay == .zero)
    #expect(estimator.roundTripTime?.milliseconds == 50)
    #expect(estimator.acknowledgedRate.map { (950_000...1_050_000).contains($0) } == true)
    #expect(estimator.isCongested == false)
  }

  @Test func beginsAnewOnAnotherPath() {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    run(&estimator, seconds: 0..<5)
    run(&estimator, seconds: 5..<30, answers: false)
    #expect(estimator.target == BandwidthEstimator.minimum)
    estimator.restart(initial: 900_000, now: at(30))
    #expect(estimator.target == 900_000)
    #expect(estimator.hasMetLimit == false)
    // What is still told of the old path is no lie and no news.
    estimator.receive(feedback(from: 2_900, start: 29, count: 50), now: at(30))
    #expect(estimator.absurdFeedback == 0)
    #expect(estimator.acknowledgedRate == nil)
    run(&estimator, seconds: 30..<40)
    #expect((1_400_000...1_530_000).contains(estimator.target))
  }

  @Test func stepsDownWhenNothingIsHeard() {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    run(&estimator, seconds: 0..<5)
    let before = estimator.target
    run(&estimator, seconds: 5..<6.8, answers: false)
    #expect(estimator.target == before)
    run(&estimator, seconds: 6.8..<9, answers: false)
    #expect(estimator.target < before / 2)
    run(&estimator, seconds: 9..<60, answers: false)
    #expect(estimator.target == BandwidthEstimator.minimum)
  }

  @Test func aPauseIsNoSilence() {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    run(&estimator, seconds: 0..<5)
    let before = estimator.target
    for step in 500..<3_000 { estimator.tick(now: at(Double(step) / 100)) }
    run(&estimator, seconds: 30..<31)
    #expect(estimator.target >= before)
  }

  // MARK: - Receivers' own estimates

  @Test func aReceiversEstimateCapsTheTargetWhileItIsFresh() {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    estimator.receive(maximum: 200_000, now: at(1))
    #expect(estimator.target == 200_000)
    estimator.tick(now: at(5.9))
    #expect(estimator.target == 200_000)
    estimator.tick(now: at(6.1))
    #expect(estimator.target == 900_000)
  }

  @Test(arguments: [(UInt64(0), 30_000), (1_000_000_000_000_000_000, 900_000), (.max, 900_000)])
  func absurdEstimatesDoNoHarm(estimate: UInt64, target: Int) {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    estimator.receive(maximum: estimate, now: at(1))
    #expect(estimator.target == target)
  }

  // MARK: - Receivers that only report loss

  @Test func reportsOfNoLossLeadToWhatIsWanted() {
    var estimator = BandwidthEstimator(initial: 300_000, now: .zero)
    defer { estimator.deallocate() }
    estimator.setWanted(1_000_000)
    for second in 1...60 { estimator.receive(loss: 0, roundTripTime: .milliseconds(80), now: at(Double(second))) }
    #expect(estimator.target == 1_250_000)
    #expect(estimator.roundTripTime?.milliseconds == 80)
  }

  @Test func aReceiversEstimateIsFollowedFaster() {
    var estimator = BandwidthEstimator(initial: 300_000, now: .zero)
    defer { estimator.deallocate() }
    estimator.setWanted(2_500_000)
    for second in 1...6 {
      estimator.receive(maximum: 2_000_000, now: at(Double(second)))
      estimator.receive(loss: 0, roundTripTime: nil, now: at(Double(second)))
    }
    #expect(estimator.target == 2_000_000)
  }

  @Test func reportsOfHeavyLossLowerTheTarget() {
    var estimator = BandwidthEstimator(initial: 2_000_000, now: .zero)
    defer { estimator.deallocate() }
    estimator.setWanted(2_000_000)
    estimator.receive(loss: 128, roundTripTime: .milliseconds(80), now: at(1))
    #expect(estimator.target == 1_000_000)
  }

  @Test func reportsAreLeftAsideOnceTransportFeedbackIsThere() {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    run(&estimator, seconds: 0..<2)
    let before = estimator.target
    estimator.receive(loss: 255, roundTripTime: .zero, now: at(2))
    #expect(estimator.target == before)
  }

  // MARK: - Feedback that cannot be true

  @Test func feedbackOnPacketsNeverSentIsCountedAndIgnored() {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    estimator.receive(feedback(from: 0, start: 0, count: 5), now: at(1))
    #expect(estimator.absurdFeedback == 1)
    run(&estimator, seconds: 0..<2)
    let before = estimator.target
    for base in [UInt16(200), 199, 40_000, 60_000] {
      estimator.receive(feedback(from: base, start: 2, count: 5), now: at(2))
    }
    #expect(estimator.absurdFeedback == 5)
    #expect(estimator.target == before)
  }

  @Test func thousandsOfStatusesOfNonsenseAreCountedAndIgnored() {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    run(&estimator, seconds: 0..<2)
    estimator.receive(feedback(from: 0, start: 2, count: 8_192), now: at(2))
    estimator.receive(feedback(from: 0, start: 2, count: 100, ticks: .max), now: at(2))
    estimator.receive(feedback(from: 0, start: 2, count: 100, ticks: .min), now: at(2))
    estimator.receive(feedback(from: 0, start: 2, count: 0), now: at(2))
    #expect(estimator.absurdFeedback == 4)
  }

  @Test func timesThatLeapAreCountedAndIgnored() {
    var estimator = BandwidthEstimator(initial: 900_000, now: .zero)
    defer { estimator.deallocate() }
    run(&estimator, seconds: 0..<2)
    estimator.receive(feedback(from: 190, start: 500_000, count: 5), now: at(2.1))
    #expect(estimator.absurdFeedback == 1)
  }

  @Test func tellingTheSameTwiceChangesNothing() {
    var once = BandwidthEstimator(initial: 900_000, now: .zero)
    var twice = BandwidthEstimator(initial: 900_000, now: .zero)
    defer {
      once.deallocate()
      twice.deallocate()
    }
    run(&once, seconds: 0..<2)
    run(&twice, seconds: 0..<2)
    for _ in 0..<50 { twice.receive(feedback(from: 150, start: 1.5, count: 10), now: at(1.99)) }
    #expect(once.acknowledgedRate == twice.acknowledgedRate)
    #expect(abs(once.target - twice.target) < 10_000)
  }
}
