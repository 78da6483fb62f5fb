import Primitives

/// Maps a stream's timestamps to the sender's wall clock and back, by its last sender report (RFC 3550 §6.4.1).
///
/// Streams of one sender that are mapped to the same clock can be played in sync.
package struct SenderReportClock: Equatable, Sendable {
  /// Ticks per second of the stream's timestamps; at least 1.
  package let clockRate: UInt32
  private var anchor: Anchor?

  private struct Anchor: Equatable, Sendable {
    let ntpTime: NTPTimestamp
    let rtpTimestamp: UInt32
  }

  package init(clockRate: UInt32) {
    precondition(clockRate > 0, "clock rate 0")
    self.clockRate = clockRate
  }

  /// Whether a report has come, so that times can be mapped.
  package var isSet: Bool { anchor != nil }

  /// Goes by a newer report.
  ///
  /// One with NTP time 0 says that the sender has no clock (RFC 3550 §6.4.1) and is left out.
  package mutating func update(ntpTime: NTPTimestamp, rtpTimestamp: UInt32) {
    guard ntpTime.bits != 0 else { return }
    anchor = Anchor(ntpTime: ntpTime, rtpTimestamp: rtpTimestamp)
  }

  /// When the sample with `rtpTimestamp` was taken, on the sender's clock; nil before the first report.
  ///
  /// Right within half a timestamp cycle of the report: 6.6 hours at 90 kHz.
  package func ntpTime(of rtpTimestamp: UInt32) -> NTPTimestamp? {
    guard let anchor else { return nil }
    let ticks = Int64(Int32(bitPattern: rtpTimestamp &- anchor.rtpTimestamp))
    return anchor.ntpTime.advanced(by: TimeInterval64(nanoseconds: ticks * 1_000_000_000 / Int64(clockRate)))
  }

  /// The timestamp of a sample taken at `ntpTime`; nil before the first report.
  package func rtpTimestamp(at ntpTime: NTPTimestamp) -> UInt32? {
    guard let anchor else { return nil }
    let difference = Int64(bitPattern: ntpTime.bits &- anchor.ntpTime.bits)
    // Whole seconds and their fraction apart, so that the product stays within 64 bits. Half a tick rounds.
    let whole = (difference >> 32) &* Int64(clockRate)
    let fraction = ((difference & 0xffff_ffff) &* Int64(clockRate) &+ 1 << 31) >> 32
    return anchor.rtpTimestamp &+ UInt32(truncatingIfNeeded: whole &+ fraction)
  }
}
