import CongestionControl
import Primitives
import Testing

@Suite struct LossTests {
  private func observation(
    rate: Double, sent: Double? = nil, arrives: Double? = nil, queue: Int64 = 0, at seconds: Double
  ) -> LossControl.Observation {
    LossControl.Observation(
      rate: rate, sent: sent ?? rate, acknowledged: arrives, queueDelay: .milliseconds(queue),
      roundTripTime: .milliseconds(100), now: .zero + .seconds(seconds))
  }

  @Test(arguments: [(0.0, true, false), (0.02, true, false), (0.07, false, false), (0.15, false, true)])
  func aboveATenthDownBelowAFiftiethUp(share: Double, grows: Bool, lowers: Bool) {
    var loss = LossControl()
    let verdict = loss.judge(
      share, of: 1_000, observation(rate: 1e6, arrives: (1 - share) * 1e6, at: 10))
    #expect(loss.allowsGrowth == grows)
    #expect((verdict != .undecided) == lowers)
  }

  @Test func goesDownToWhatGetsThrough() {
    var loss = LossControl()
    let verdict = loss.judge(0.5, of: 200, observation(rate: 2e6, arrives: 1e6, at: 10))
    #expect(verdict == .lower(to: 1e6))
  }

  @Test func fewPacketsDoNotDecide() {
    var loss = LossControl()
    #expect(loss.judge(0.12, of: 25, observation(rate: 1e6, arrives: 0.88e6, at: 10)) == .undecided)
    for _ in 0..<5 { loss.addLost() }
    #expect(loss.evaluate(observation(rate: 1e6, at: 11)) == .undecided)
  }

  @Test func lossThatStaysWhenLessIsSentIsTheWaysOwn() {
    var loss = LossControl()
    var rate = 2e6
    var time = 10.0
    for _ in 0..<40 {
      if case .lower(let lowered) = loss.judge(
        0.15, of: 100, observation(rate: rate, arrives: rate * 0.85, at: time))
      {
        rate = min(rate, lowered)
      }
      time += 0.4
    }
    #expect(loss.inherent > 0.12)
    #expect(loss.allowsGrowth)
    #expect(rate > 1e6)
  }

  @Test func lossThatGoesAwayWhenLessIsSentIsTheLinks() {
    var loss = LossControl()
    var rate = 2e6
    var time = 10.0
    for _ in 0..<40 {
      let share = max(0, 1 - 1e6 / rate)
      if case .lower(let lowered) = loss.judge(
        share, of: 200, observation(rate: rate, arrives: min(rate, 1e6), at: time))
      {
        rate = min(rate, lowered)
      } else if loss.allowsGrowth {
        rate *= 1.03
      }
      time += 0.4
    }
    #expect(loss.inherent < 0.03)
    #expect((0.85e6...1.2e6).contains(rate))
  }

  @Test func lossFromAQueueIsNeverTheWaysOwn() {
    var loss = LossControl()
    for step in 0..<40 {
      _ = loss.judge(0.2, of: 100, observation(rate: 1e6, arrives: 0.8e6, queue: 200, at: Double(step)))
    }
    #expect(loss.inherent == 0)
  }

  @Test func aPacketThatCameAfterAllWasNotLost() {
    var loss = LossControl()
    _ = loss.evaluate(observation(rate: 1e6, at: 0))
    for _ in 0..<50 { loss.addLost() }
    for _ in 0..<50 { loss.addReceived(wasLost: true) }
    #expect(loss.evaluate(observation(rate: 1e6, arrives: 1e6, at: 1)) == .undecided)
    #expect(loss.allowsGrowth)
  }
}
