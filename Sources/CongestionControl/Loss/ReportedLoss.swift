import Primitives

/// Steers by receiver reports alone: for receivers that do not tell when packets arrived.
///
/// What is really sent is not known here, so that the rate stays within reach of what is wanted.
package struct ReportedLoss {
  /// Packets that a report is taken to speak for.
  package static let packets = 50
  /// Growth in a second up to a receiver's own estimate, which rests on arrivals.
  package static let growthToLimit = 0.5
  package static let growth = 0.08

  /// What could be used, bits per second.
  package var wanted = 0
  private var lastReport: MonotonicTime?

  package init() {}

  /// - Parameters:
  ///   - share: Lost since the last report, 0 to 1.
  ///   - limit: The receiver's own estimate, if it is fresh.
  package mutating func take(
    _ share: Double, limit: Double?, roundTripTime: TimeInterval64, now: MonotonicTime, loss: inout LossControl,
    rate: inout RateControl
  ) {
    let elapsed = min(max(now - (lastReport ?? now), .zero), .milliseconds(5_000)).seconds
    lastReport = now
    let current = rate.rate
    let verdict = loss.judge(
      share, of: Self.packets,
      LossControl.Observation(
        rate: current, sent: current, acknowledged: current * (1 - share), queueDelay: .zero,
        roundTripTime: roundTripTime, now: now))
    if case .lower(let bitsPerSecond) = verdict { return rate.lower(to: bitsPerSecond, arrived: nil, now: now) }
    guard loss.allowsGrowth else { return }
    let ceiling = min(Double(wanted) * 1.25, limit ?? .infinity)
    let growth = limit == nil ? Self.growth : Self.growthToLimit
    rate.raise(to: min(current * (1 + growth * elapsed), ceiling), now: now)
  }
}
