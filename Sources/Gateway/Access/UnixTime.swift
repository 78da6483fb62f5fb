/// A point on the wall clock: whole seconds since 1970-01-01 00:00 UTC, as JWT's NumericDate (RFC 7519 §2).
package struct UnixTime: Hashable, Comparable, Sendable {
  package var seconds: Int64

  package init(seconds: Int64) {
    self.seconds = seconds
  }

  package static func < (left: UnixTime, right: UnixTime) -> Bool {
    left.seconds < right.seconds
  }

  /// The time `seconds` later; saturates at both ends.
  package static func + (time: UnixTime, seconds: Int64) -> UnixTime {
    let (sum, overflow) = time.seconds.addingReportingOverflow(seconds)
    return UnixTime(seconds: overflow ? (seconds > 0 ? .max : .min) : sum)
  }
}
