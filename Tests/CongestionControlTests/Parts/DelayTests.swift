import CongestionControl
import Primitives
import Testing

/// From packets to a verdict on the queue.
@Suite struct DelayTests {
  private static let millisecond: Int64 = 1_000_000

  @Test func packetsOfABurstAreOneGroup() {
    var groups = ArrivalGroups()
    let packets: [(Int64, Int64)] = [(0, 50), (1, 51), (5, 53), (30, 82), (31, 84), (60, 115)]
    let variations = packets.compactMap {
      groups.add(sent: $0.0 * Self.millisecond, arrival: $0.1 * Self.millisecond)
    }
    // The third group is still open.
    #expect(variations == [ArrivalGroups.Variation(sent: 26, arrived: 31, arrival: 84)])
    #expect(variations.first?.delay == 5)
  }

  @Test func whatAQueueLetsGoAtOnceIsOneGroup() {
    var groups = ArrivalGroups()
    // Sent 10 ms apart, arrived within 2 ms: the queue emptied, and the gaps say nothing.
    let variations = (0..<4).compactMap {
      groups.add(sent: Int64($0) * 10 * Self.millisecond, arrival: (200 + Int64($0)) * Self.millisecond / 2)
    }
    #expect(variations.isEmpty)
  }

  @Test func latePacketsAreLeftOut() {
    var groups = ArrivalGroups()
    _ = groups.add(sent: 100 * Self.millisecond, arrival: 150 * Self.millisecond)
    let variation = groups.add(sent: 50 * Self.millisecond, arrival: 160 * Self.millisecond)
    #expect(variation == nil)
  }

  /// The slope is how much faster than the link packets come: 0.2 for a fifth.
  @Test(arguments: [0.2, -0.1, 0.0]) func theTrendIsTheSlopeOfTheDelay(slope: Double) {
    var trend = DelayTrend()
    var last: Double?
    for index in 1...200 {
      let arrived = 10 * (1 + slope)
      last = trend.add(
        ArrivalGroups.Variation(sent: 10, arrived: arrived, arrival: Double(index) * arrived))
    }
    let expected = slope / (1 + slope)
    #expect(abs((last ?? 9) - expected) < 0.001)
  }

  @Test func aTrendNeedsSomeGroups() {
    var trend = DelayTrend()
    let slopes = (1...8).map {
      trend.add(ArrivalGroups.Variation(sent: 10, arrived: 12, arrival: Double($0) * 12))
    }
    #expect(slopes.prefix(7).allSatisfy { $0 == nil })
    #expect(slopes[7] != nil)
  }

  /// Packets every 10 ms, each waiting some microseconds longer than the one before.
  private func signals(_ growth: [Int64]) -> [OveruseDetector.Signal] {
    var detector = DelayDetector()
    var wait: Int64 = 0
    return growth.enumerated().map { index, microseconds in
      wait += microseconds * 1_000
      let sent = Int64(index) * 10 * Self.millisecond
      detector.add(sent: sent, arrival: sent + 50 * Self.millisecond + wait)
      return detector.signal
    }
  }

  @Test func aGrowingQueueIsOveruseWithinAQuarterOfASecond() {
    let signals = signals(Array(repeating: 0, count: 100) + Array(repeating: 3_000, count: 25))
    #expect(signals.prefix(100).allSatisfy { $0 == .normal })
    #expect(signals.last == .overuse)
  }

  @Test func anEmptyingQueueIsUnderuse() {
    let signals = signals(Array(repeating: 4_000, count: 50) + Array(repeating: -4_000, count: 40))
    #expect(signals.contains(.overuse))
    #expect(signals.last == .underuse)
  }

  @Test func aSteadyQueueIsNormal() {
    let signals = signals(Array(repeating: 3_000, count: 30) + Array(repeating: 0, count: 100))
    #expect(signals.last == .normal)
  }

  @Test func theThresholdFollowsJitterAndComesBack() {
    var detector = OveruseDetector()
    let before = detector.threshold
    for index in 0..<200 {
      detector.add(
        slope: 0.1, groups: 60, variation: .init(sent: 10, arrived: 11, arrival: Double(index) * 10))
    }
    #expect(detector.threshold > before)
    #expect(detector.threshold <= 24.1)
    for index in 200..<2_000 {
      detector.add(slope: 0, groups: 60, variation: .init(sent: 10, arrived: 10, arrival: Double(index) * 10))
    }
    #expect(detector.threshold == OveruseDetector.thresholds.lowerBound)
  }

  @Test func theThresholdIgnoresOutliers() {
    var detector = OveruseDetector()
    for index in 0..<100 {
      detector.add(slope: 1, groups: 60, variation: .init(sent: 10, arrived: 20, arrival: Double(index) * 20))
    }
    #expect(detector.threshold == OveruseDetector.initialThreshold)
  }

  @Test func theQueueIsWhatTheWayIsLongerThanAtItsShortest() {
    var queue = QueueDelay()
    for step in 0..<20 {
      queue.add(-500 * Self.millisecond + (step < 10 ? 0 : 80 * Self.millisecond))
      queue.add(-300 * Self.millisecond)
      let isPlausible = queue.finish(now: .zero + .milliseconds(Int64(step) * 100))
      #expect(isPlausible)
    }
    #expect(queue.value.milliseconds == 79)
  }

  @Test func aNewRouteIsTheNewShortestWayAfterHalfAMinute() {
    var queue = QueueDelay()
    for step in 0..<450 {
      queue.add(step < 50 ? 0 : 80 * Self.millisecond)
      _ = queue.finish(now: .zero + .milliseconds(Int64(step) * 100))
    }
    #expect(queue.value.milliseconds == 0)
  }

  @Test func aWayShorterThanEverByASecondIsNotBelieved() {
    var queue = QueueDelay()
    let plausible = [0, -1_100, -1_100].map { way in
      queue.add(Int64(way) * Self.millisecond)
      return queue.finish(now: .zero)
    }
    #expect(plausible == [true, false, true])
  }
}
