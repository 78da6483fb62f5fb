import Primitives
import RTP

/// Follows a receiver's clock across the wraps of its reference time, and notices when it cannot be true.
package struct ReceiverClock {
  package enum Reading: Equatable {
    /// Ticks of 250 µs on a line that does not wrap.
    case ticks(Int64)
    /// The clock was set: times from before mean nothing any more.
    case restarted(Int64)
    case implausible
  }

  /// How far the receiver's clock may run off ours between two feedback packets: longer than any queue lasts.
  package static let tolerance = TimeInterval64.milliseconds(10_000)
  /// Implausible feedback in a row after which the receiver's clock is believed to have been set.
  package static let strikes = 3
  private static let unit = TimeInterval64.milliseconds(64)

  private var last: (reference: UInt32, extended: Int64, at: MonotonicTime)?
  private var strikes = 0

  package init() {}

  /// - Parameter reference: 24 bits, in units of 64 ms.
  package mutating func read(_ reference: UInt32, now: MonotonicTime) -> Reading {
    guard let last else {
      self.last = (reference, Int64(reference), now)
      return .ticks(Int64(reference) * TransportFeedback.ticksPerReferenceUnit)
    }
    // The difference of 24 bits, with its sign.
    let step = Int64(Int32(bitPattern: (reference &- last.reference) << 8) >> 8)
    let elapsed = (now - last.at).nanoseconds / Self.unit.nanoseconds
    let isPlausible = abs(step &- elapsed) <= Self.tolerance.nanoseconds / Self.unit.nanoseconds
    strikes = isPlausible ? 0 : strikes + 1
    guard isPlausible || strikes >= Self.strikes else { return .implausible }
    strikes = 0
    let extended = last.extended &+ step
    self.last = (reference, extended, now)
    let ticks = extended &* TransportFeedback.ticksPerReferenceUnit
    return isPlausible ? .ticks(ticks) : .restarted(ticks)
  }
}
