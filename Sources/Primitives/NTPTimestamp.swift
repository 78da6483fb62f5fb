/// A 64-bit NTP timestamp: seconds since 1900 in the upper half, 2^-32 s in the lower (RFC 3550 §4, RFC 5905 §6).
package struct NTPTimestamp: Hashable, Comparable, BitwiseCopyable, Sendable {
  /// The 64 bits as they stand on the wire.
  package var bits: UInt64

  @inlinable
  package init(bits: UInt64) {
    self.bits = bits
  }

  /// From Unix time in nanoseconds.
  package init(unixNanoseconds: UInt64) {
    let seconds = unixNanoseconds / 1_000_000_000 &+ Self.unixEpochOffset
    let fraction = (unixNanoseconds % 1_000_000_000) << 32 / 1_000_000_000
    bits = seconds << 32 | fraction
  }

  /// Seconds from the NTP epoch (1900) to the Unix epoch (1970).
  package static let unixEpochOffset: UInt64 = 2_208_988_800

  /// The middle 32 bits, as report blocks carry them (`LSR`, RFC 3550 §6.4.1).
  package var middle32: UInt32 { UInt32(truncatingIfNeeded: bits >> 16) }

  package static func < (left: NTPTimestamp, right: NTPTimestamp) -> Bool { left.bits < right.bits }

  /// The timestamp `interval` later.
  package func advanced(by interval: TimeInterval64) -> NTPTimestamp {
    let whole = interval.nanoseconds / 1_000_000_000
    let rest = interval.nanoseconds % 1_000_000_000
    let units = whole << 32 &+ (rest << 32) / 1_000_000_000
    return NTPTimestamp(bits: bits &+ UInt64(bitPattern: units))
  }
}
