/// Says whether the bottleneck's queue fills, empties or stands, from the trend of the delay.
///
/// The threshold follows the trend (draft-ietf-rmcat-gcc-02 §5.4): a fixed one would let a flow starve beside TCP, or
/// would cry at every jitter.
package struct OveruseDetector {
  package enum Signal: Equatable {
    case normal
    case overuse
    /// The queue empties: wait until it has.
    case underuse
  }

  /// Milliseconds; where the threshold starts and between what it stays.
  package static let initialThreshold = 12.5
  package static let thresholds = 6.0...600.0
  /// How fast the threshold follows the trend up and down, a share per millisecond.
  package static let rise = 0.0087
  package static let fall = 0.039
  /// A trend this far beyond the threshold is an outlier that it does not follow.
  package static let outlier = 15.0
  /// The trend must be above for this long, in milliseconds.
  package static let patience = 10.0
  /// A slope is multiplied by the groups it comes from, up to this many, and by the gain.
  package static let mostGroups = 60.0
  package static let gain = 4.0

  package private(set) var signal = Signal.normal
  package private(set) var threshold = OveruseDetector.initialThreshold
  private var aboveFor = 0.0
  private var timesAbove = 0
  private var lastSlope = 0.0
  private var lastArrival: Double?

  package init() {}

  /// - Parameters:
  ///   - slope: From ``DelayTrend``.
  ///   - groups: Groups seen so far.
  ///   - variation: The last group's.
  package mutating func add(slope: Double, groups: Int, variation: ArrivalGroups.Variation) {
    let trend = min(Double(groups), Self.mostGroups) * slope * Self.gain
    if trend > threshold {
      aboveFor += variation.sent
      timesAbove += 1
      if aboveFor > Self.patience, timesAbove > 1, slope >= lastSlope {
        aboveFor = 0
        timesAbove = 0
        signal = .overuse
      }
    } else {
      aboveFor = 0
      timesAbove = 0
      signal = trend < -threshold ? .underuse : .normal
    }
    lastSlope = slope
    adapt(to: abs(trend), at: variation.arrival)
  }

  /// Starts afresh but for the threshold, which belongs to the path.
  package mutating func restart() {
    signal = .normal
    aboveFor = 0
    timesAbove = 0
    lastSlope = 0
    lastArrival = nil
  }

  private mutating func adapt(to trend: Double, at arrival: Double) {
    let elapsed = min(max(arrival - (lastArrival ?? arrival), 0), 100)
    lastArrival = arrival
    guard trend <= threshold + Self.outlier else { return }
    let pace = trend < threshold ? Self.fall : Self.rise
    threshold += pace * (trend - threshold) * elapsed
    threshold = min(max(threshold, Self.thresholds.lowerBound), Self.thresholds.upperBound)
  }
}
