/// Whether the way is getting longer: the slope of a line through the last groups' delays.
///
/// libwebrtc's replacement for the Kalman filter of draft-ietf-rmcat-gcc-02 §5.3. A slope of 0.1 says that a queue
/// grows by 100 ms each second, that is, that a tenth more comes in than goes out.
package struct DelayTrend {
  /// Groups the line goes through.
  package static let window = 20
  /// Fewer than that give no line.
  package static let fewest = 8
  /// Weight of what was before in the smoothed delay.
  package static let smoothing = 0.9

  private var times = InlineArray<20, Double>(repeating: 0)
  private var delays = InlineArray<20, Double>(repeating: 0)
  private var next = 0
  /// Groups seen, as far as they count.
  package private(set) var count = 0
  private var accumulated = 0.0
  private var smoothed = 0.0
  private var origin = 0.0

  package init() {}

  /// Takes a group's variation, in milliseconds; gives the slope once there are enough of them.
  package mutating func add(_ variation: ArrivalGroups.Variation) -> Double? {
    if count == 0 { origin = variation.arrival }
    count = min(count + 1, 1_000)
    accumulated += variation.delay
    smoothed = Self.smoothing * smoothed + (1 - Self.smoothing) * accumulated
    times[next] = variation.arrival - origin
    delays[next] = smoothed
    next = (next + 1) % Self.window
    return slope
  }

  private var slope: Double? {
    let size = min(count, Self.window)
    guard size >= Self.fewest else { return nil }
    // Spans, since each subscript of an inline array copies all of it (Swift 6.3): nine tenths of what this costs.
    let times = times.span
    let delays = delays.span
    var meanTime = 0.0
    var meanDelay = 0.0
    for index in 0..<size {
      meanTime += times[index]
      meanDelay += delays[index]
    }
    meanTime /= Double(size)
    meanDelay /= Double(size)
    var numerator = 0.0
    var denominator = 0.0
    for index in 0..<size {
      numerator += (times[index] - meanTime) * (delays[index] - meanDelay)
      denominator += (times[index] - meanTime) * (times[index] - meanTime)
    }
    return denominator > 0 ? numerator / denominator : nil
  }
}
