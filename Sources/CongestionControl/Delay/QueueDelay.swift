import Primitives

/// How long packets wait in the bottleneck's queue: the way's length now over the shortest of the last half minute.
package struct QueueDelay {
  /// The shortest way is kept for three spans of this length, so that clocks that drift apart, and new routes, wash out.
  package static let span = TimeInterval64.milliseconds(10_000)
  /// A way shorter than ever by more than this is not the path but the receiver's clock, or a lie.
  package static let mostSudden = TimeInterval64.milliseconds(1_000)
  /// Weight of what was before.
  package static let smoothing = 0.5

  /// Smoothed; zero before anything is known.
  package private(set) var value = TimeInterval64.zero
  private var minima = InlineArray<3, Int64>(repeating: .max)
  private var spanStart: MonotonicTime?
  private var shortest = Int64.max

  package init() {}

  /// Takes one packet's way, in nanoseconds between two clocks that know nothing of each other.
  package mutating func add(_ way: Int64) {
    shortest = min(shortest, way)
  }

  /// Ends a feedback: the shortest way in it counts, since jitter only makes ways longer.
  ///
  /// - Returns: False when the ways are too short to be true; everything starts again then.
  package mutating func finish(now: MonotonicTime) -> Bool {
    guard shortest != .max else { return true }
    let way = shortest
    shortest = .max
    let isPlausible = base == .max || way > base &- Self.mostSudden.nanoseconds
    if !isPlausible { self = QueueDelay() }
    rotate(now)
    minima[0] = min(minima[0], way)
    let delay = Double(way &- base)
    value = TimeInterval64(
      nanoseconds: Int64(Self.smoothing * Double(value.nanoseconds) + (1 - Self.smoothing) * min(delay, 60e9)))
    return isPlausible
  }

  /// The shortest way of the last half minute, in nanoseconds between the two clocks; nil while none is known.
  package var shortestWay: Int64? { base == .max ? nil : base }

  private var base: Int64 { min(minima[0], minima[1], minima[2]) }

  private mutating func rotate(_ now: MonotonicTime) {
    guard let spanStart else { return self.spanStart = now }
    guard now - spanStart >= Self.span else { return }
    self.spanStart = now
    minima[2] = minima[1]
    minima[1] = minima[0]
    minima[0] = .max
  }
}
