/// The chain from single packets to a verdict: groups, their trend, the detector.
package struct DelayDetector {
  private var groups = ArrivalGroups()
  private var trend = DelayTrend()
  private var detector = OveruseDetector()

  package init() {}

  package var signal: OveruseDetector.Signal { detector.signal }

  /// Takes a received packet, in the order of sending; nanoseconds, each on its own clock.
  package mutating func add(sent: Int64, arrival: Int64) {
    guard let variation = groups.add(sent: sent, arrival: arrival) else { return }
    // After such a pause the line through old groups says nothing about now.
    if variation.sent > Self.longestPause { trend = DelayTrend() }
    guard let slope = trend.add(variation) else { return }
    detector.add(slope: slope, groups: trend.count, variation: variation)
  }

  /// Forgets all times: the receiver's clock was set.
  package mutating func restart() {
    groups = ArrivalGroups()
    trend = DelayTrend()
    detector.restart()
  }

  /// Milliseconds.
  private static let longestPause = 2_000.0
}
