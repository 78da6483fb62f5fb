/// What the bottleneck was seen to bear at its limit: a mean and how far it scatters, bits per second.
///
/// Near it the rate is raised carefully, far from it quickly (draft-ietf-rmcat-gcc-02 §5.5).
package struct LinkCapacity {
  /// Weight of a new observation.
  package static let weight = 0.2
  /// Deviations that count as near.
  package static let nearness = 3.0
  /// Bounds of the deviation as a share of the mean, and what it begins with.
  package static let deviations = 0.02...0.08
  package static let firstDeviation = 0.03

  package private(set) var mean: Double?
  /// The observations' mean distance from the mean, as a share of it.
  private var deviation = LinkCapacity.firstDeviation

  package init() {}

  /// Takes what arrived while the queue was growing.
  package mutating func observe(_ bitsPerSecond: Double) {
    guard let mean, near.map({ $0.contains(bitsPerSecond) }) ?? false else {
      // Another link than before.
      self.mean = max(bitsPerSecond, 1)
      deviation = Self.firstDeviation
      return
    }
    let distance = abs(bitsPerSecond - mean) / mean
    self.mean = mean + Self.weight * (bitsPerSecond - mean)
    deviation = (1 - Self.weight) * deviation + Self.weight * distance
  }

  /// Rates that are near the limit; nil while it is unknown.
  package var near: ClosedRange<Double>? {
    guard let mean else { return nil }
    let deviation = min(max(deviation, Self.deviations.lowerBound), Self.deviations.upperBound)
    let distance = Self.nearness * deviation * mean
    return (mean - distance)...(mean + distance)
  }

  package mutating func forget() {
    mean = nil
  }
}
