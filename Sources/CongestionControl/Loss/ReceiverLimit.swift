import Primitives

/// A receiver's own estimate of what it can take (draft-alvestrand-rmcat-remb-03): a limit while it is fresh.
package struct ReceiverLimit {
  /// How long an estimate counts; receivers repeat it every second or so.
  package static let freshness = TimeInterval64.milliseconds(5_000)

  private var limit: (bitsPerSecond: Double, at: MonotonicTime)?

  package init() {}

  package mutating func set(_ bitsPerSecond: UInt64, now: MonotonicTime) {
    limit = (Double(bitsPerSecond), now)
  }

  /// Bits per second; nil when there is none, or none that is fresh.
  package func bitsPerSecond(now: MonotonicTime) -> Double? {
    guard let limit, now - limit.at <= Self.freshness else { return nil }
    return limit.bitsPerSecond
  }
}
