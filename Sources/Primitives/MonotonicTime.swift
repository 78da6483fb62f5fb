/// A point on the monotonic clock, in nanoseconds since an arbitrary origin.
///
/// Cores never read a clock: a shell passes the time in, a simulation invents it.
package struct MonotonicTime: Hashable, Comparable, BitwiseCopyable, Sendable {
  /// Nanoseconds since the clock's origin.
  package var nanoseconds: UInt64

  @inlinable
  package init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
  }

  /// The clock's origin.
  @inlinable package static var zero: MonotonicTime { MonotonicTime(nanoseconds: 0) }

  @inlinable
  package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  // Written out, since other modules would call the standard library's own through a witness table.

  @inlinable
  package static func >= (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds >= right.nanoseconds
  }

  @inlinable
  package static func > (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds > right.nanoseconds
  }

  @inlinable
  package static func <= (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds <= right.nanoseconds
  }

  @inlinable
  package static func == (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds == right.nanoseconds
  }

  /// The time `interval` later; saturates at both ends of the clock.
  @inlinable
  package static func + (time: MonotonicTime, interval: TimeInterval64) -> MonotonicTime {
    if interval.nanoseconds >= 0 {
      let (sum, overflow) = time.nanoseconds.addingReportingOverflow(UInt64(interval.nanoseconds))
      return MonotonicTime(nanoseconds: overflow ? .max : sum)
    }
    let back = interval.nanoseconds.magnitude
    return MonotonicTime(nanoseconds: time.nanoseconds > back ? time.nanoseconds - back : 0)
  }

  /// The interval from `earlier` to `later`, negative when they are the other way round.
  @inlinable
  package static func - (later: MonotonicTime, earlier: MonotonicTime) -> TimeInterval64 {
    TimeInterval64(nanoseconds: Int64(truncatingIfNeeded: later.nanoseconds &- earlier.nanoseconds))
  }
}

/// A span of time in whole nanoseconds: one machine word, unlike `Duration`, so that it costs nothing on the packet path.
package struct TimeInterval64: Hashable, Comparable, BitwiseCopyable, Sendable {
  /// Signed length in nanoseconds.
  package var nanoseconds: Int64

  @inlinable
  package init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  @inlinable package static var zero: TimeInterval64 { TimeInterval64(nanoseconds: 0) }

  @inlinable
  package static func seconds(_ value: Double) -> TimeInterval64 {
    TimeInterval64(nanoseconds: Int64(value * 1e9))
  }

  @inlinable
  package static func milliseconds(_ value: Int64) -> TimeInterval64 {
    TimeInterval64(nanoseconds: value &* 1_000_000)
  }

  @inlinable
  package static func microseconds(_ value: Int64) -> TimeInterval64 {
    TimeInterval64(nanoseconds: value &* 1_000)
  }

  /// Length in seconds.
  @inlinable package var seconds: Double { Double(nanoseconds) / 1e9 }

  /// Length in whole milliseconds, rounded towards zero.
  @inlinable package var milliseconds: Int64 { nanoseconds / 1_000_000 }

  @inlinable
  package static func < (left: TimeInterval64, right: TimeInterval64) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  @inlinable
  package static func >= (left: TimeInterval64, right: TimeInterval64) -> Bool {
    left.nanoseconds >= right.nanoseconds
  }

  @inlinable
  package static func > (left: TimeInterval64, right: TimeInterval64) -> Bool {
    left.nanoseconds > right.nanoseconds
  }

  @inlinable
  package static func <= (left: TimeInterval64, right: TimeInterval64) -> Bool {
    left.nanoseconds <= right.nanoseconds
  }

  @inlinable
  package static func == (left: TimeInterval64, right: TimeInterval64) -> Bool {
    left.nanoseconds == right.nanoseconds
  }

  @inlinable
  package static func + (left: TimeInterval64, right: TimeInterval64) -> TimeInterval64 {
    TimeInterval64(nanoseconds: left.nanoseconds &+ right.nanoseconds)
  }

  @inlinable
  package static func - (left: TimeInterval64, right: TimeInterval64) -> TimeInterval64 {
    TimeInterval64(nanoseconds: left.nanoseconds &- right.nanoseconds)
  }

  @inlinable
  package static func * (interval: TimeInterval64, factor: Int64) -> TimeInterval64 {
    TimeInterval64(nanoseconds: interval.nanoseconds &* factor)
  }
}
