import Primitives

/// What a receiver counts about one source to report on it (RFC 3550 A.1, A.3, A.8).
///
/// Trivial; packet path: no allocation.
///
/// Sources are authenticated by SRTP before they get here, so that the probation of A.1 is left out: the first packet
/// counts.
package struct ReceptionStatistics: Equatable, Sendable {
  /// Largest step forward that counts as loss and not as a restart (A.1).
  package static let maximumDropout: UInt16 = 3_000
  /// Largest step back that counts as reordering and not as a restart (A.1).
  package static let maximumMisorder: UInt16 = 100

  /// What a packet meant.
  package enum Outcome: Equatable, Sendable {
    case counted
    /// A jump so large that it is left out unless the next packet confirms it.
    case ignored
    /// The jump was confirmed: counting began anew.
    case restarted
  }

  private enum Phase: Equatable, Sendable {
    case waitingForFirst
    case counting
    /// A packet jumped; if this number comes next, the source has restarted.
    case suspectingRestart(next: UInt16)
  }

  /// Ticks per second of the source's timestamps.
  package let clockRate: UInt32
  /// Packets counted, duplicates included.
  package private(set) var received: UInt64 = 0

  private var phase = Phase.waitingForFirst
  private var base: UInt16 = 0
  private var maximum: UInt16 = 0
  private var cycles: UInt32 = 0
  private var expectedBefore: UInt64 = 0
  private var receivedBefore: UInt64 = 0
  private var transit: UInt32?
  /// 16 times the jitter, as A.8 keeps it.
  private var scaledJitter: UInt32 = 0
  private var lastSenderReport: UInt32 = 0
  private var lastSenderReportArrival = MonotonicTime.zero

  package init(clockRate: UInt32) {
    self.clockRate = clockRate
  }

  /// Cycles in the upper half, the highest sequence number in the lower.
  package var extendedHighestSequence: UInt32 { cycles << 16 | UInt32(maximum) }

  /// Interarrival jitter, in timestamp units.
  package var jitter: UInt32 { scaledJitter >> 4 }

  /// Packets that should have come.
  package var expected: UInt64 {
    phase == .waitingForFirst ? 0 : UInt64(cycles) << 16 + UInt64(maximum) - UInt64(base) + 1
  }

  /// Packets lost since the beginning, clamped to 24 bits; negative when duplicates outnumber losses.
  package var cumulativeLost: Int32 {
    let lost = Int64(expected) - Int64(received)
    return Int32(min(max(lost, -0x80_0000), 0x7f_ffff))
  }

  /// Counts a packet.
  ///
  /// Repaired packets do not count: RTX is a stream of its own.
  @discardableResult @inline(__always)
  package mutating func update(
    sequenceNumber: SequenceNumber, timestamp: UInt32, arrival: MonotonicTime
  ) -> Outcome {
    let outcome = updateSequence(sequenceNumber.rawValue)
    if outcome != .ignored { updateJitter(timestamp: timestamp, arrival: arrival) }
    return outcome
  }

  /// Remembers the source's sender report, for the report blocks to answer it.
  package mutating func noteSenderReport(ntpTime: NTPTimestamp, arrival: MonotonicTime) {
    lastSenderReport = ntpTime.middle32
    lastSenderReportArrival = arrival
  }

  /// The report on everything since the last report.
  ///
  /// Nil before the first packet.
  package mutating func makeReportBlock(ssrc: SSRC, now: MonotonicTime) -> ReportBlock? {
    guard phase != .waitingForFirst else { return nil }
    let expectedNow = Int64(expected) - Int64(expectedBefore)
    let lostNow = expectedNow - (Int64(received) - Int64(receivedBefore))
    expectedBefore = expected
    receivedBefore = received
    let fraction = expectedNow > 0 && lostNow > 0 ? min(lostNow << 8 / expectedNow, 255) : 0
    return ReportBlock(
      ssrc: ssrc, fractionLost: UInt8(fraction), cumulativeLost: cumulativeLost,
      extendedHighestSequence: extendedHighestSequence, jitter: jitter, lastSenderReport: lastSenderReport,
      delaySinceLastSenderReport: lastSenderReport == 0 ? 0 : Self.units(now - lastSenderReportArrival))
  }

  /// An interval in units of 2^-16 s; 0 for a negative one, the maximum from 18 hours on.
  private static func units(_ interval: TimeInterval64) -> UInt32 {
    let nanoseconds = max(interval.nanoseconds, 0)
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
    return UInt32(clamping: seconds << 16 + rest << 16 / 1_000_000_000)
  }

  @inline(__always)
  private mutating func updateSequence(_ number: UInt16) -> Outcome {
    if phase == .waitingForFirst {
      restart(at: number)
      return .counted
    }
    let step = number &- maximum
    if step < Self.maximumDropout {
      if number < maximum { cycles &+= 1 }
      maximum = number
      phase = .counting
    } else if step <= UInt16.max - Self.maximumMisorder + 1 {
      guard phase == .suspectingRestart(next: number) else {
        phase = .suspectingRestart(next: number &+ 1)
        return .ignored
      }
      restart(at: number)
      return .restarted
    }
    received += 1
    return .counted
  }

  private mutating func restart(at number: UInt16) {
    phase = .counting
    base = number
    maximum = number
    cycles = 0
    received = 1
    expectedBefore = 0
    receivedBefore = 0
  }

  /// A.8, with the arrival converted to timestamp units.
  @inline(__always)
  private mutating func updateJitter(timestamp: UInt32, arrival: MonotonicTime) {
    // Seconds and the rest apart: nanoseconds times the clock rate would leave 64 bits after some days.
    let rate = UInt64(clockRate)
    let (seconds, rest) = (arrival.nanoseconds / 1_000_000_000, arrival.nanoseconds % 1_000_000_000)
    let ticks = seconds &* rate &+ rest * rate / 1_000_000_000
    let newTransit = UInt32(truncatingIfNeeded: ticks) &- timestamp
    defer { transit = newTransit }
    guard let transit else { return }
    let difference = Int32(bitPattern: newTransit &- transit).magnitude
    scaledJitter = scaledJitter &+ difference &- ((scaledJitter &+ 8) >> 4)
  }
}
