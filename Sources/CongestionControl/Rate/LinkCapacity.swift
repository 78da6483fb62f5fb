/// What the bottleneck was seen to bear at its limit: a mean and how far it scatters, bits per second.
///
/// Near it the rate is raised carefully, far from it quickly (draft-ietf-rmcat-gcc-02 §5.5).
package struct LinkCapacity {
  /// Weight of a new observation.
  package static let weight = 0.2
  /// Deviations that count as near.
  package static let nearness = 3.0
  /// Bounds of the deviation as a share of the mean.
  package static let deviations = 0.02...0.08

  package private(set) var mean: Double?
  /// Of the observations' relative distance from the mean.
  private var variance = 0.0009

  package init() {}

  /// Takes what arrived while the queue was growing.
  package mutating func observe(_ bitsPerSecond: Double) {
    guard let mean, near.map({ $0.contains(bitsPerSecond) }) ?? false else {
      // Another link than before.
      self.mean = max(bitsPerSecond, 1)
      variance = 0.0009
      return
    }
    let distance = (bitsPerSecond - mean) / mean
    self.mean = mean + Self.weight * (bitsPerSecond - mean)
    variance = (1 - Self.weight) * variance + Self.weight * distance * distance
  }

  /// Rates that are near the limit; nil while it is unknown.
  package var near: ClosedRange<Double>? {
    guard let mean else { return nil }
    let deviation = min(max(variance.squareRoot(), Self.deviations.lowerBound), Self.deviations.upperBound)
    let distance = Self.nearness * deviation * mean
    return (mean - distance)...(mean + distance)
  }

  package mutating func forget() {
    mean = nil
  }
}
