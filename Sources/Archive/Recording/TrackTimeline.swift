import Primitives

/// Maps the RTP time of one stream to the server's clock.
///
/// Until a sender report has come, the first frame's arrival counts; from then on the sender's clock. Between that and
/// ``realign()`` the stream's own clock runs as it is: its drift is not touched.
package struct TrackTimeline: Hashable, Sendable {
  package struct Mapping: Hashable, Sendable {
    package var time: UTCTime
    /// Whether the RTP time jumped, so that this frame says nothing of its distance from the one before.
    package var isJump: Bool
  }

  /// How far before its arrival a frame may have been taken; more is a jump.
  static let maximumDelay = TimeInterval64.milliseconds(10_000)
  /// How far after its arrival a frame may seem to have been taken, because clocks are not exact.
  static let maximumLead = TimeInterval64.milliseconds(1_500)

  private let clockRate: Int64
  private var anchor: Anchor?
  private var report: RecordedReport?
  /// The peer clock's generation that the anchor goes by; nil while it goes by arrival.
  private var generation: Int?
  private var wantsRealignment = false

  private struct Anchor: Hashable, Sendable {
    var rtpTime: Int64
    var time: UTCTime
  }

  /// `clockRate` is in ticks per second, at least 1.
  package init(clockRate: UInt32) {
    precondition(clockRate > 0, "clock rate 0")
    self.clockRate = Int64(clockRate)
  }

  /// Whether the sender has said how its clock goes with the stream's.
  var hasReport: Bool { report != nil }

  /// Keeps the stream's newest report.
  package mutating func update(_ report: RecordedReport) {
    guard report.ntpTime.bits != 0 else { return }
    self.report = report
  }

  /// Lets the next frame go by the newest report, as at the beginning of a segment.
  package mutating func realign() {
    wantsRealignment = true
  }

  /// When a frame with the extended timestamp `rtpTime`, whose first packet came at `arrival`, was taken.
  package mutating func time(of rtpTime: Int64, arrival: UTCTime, clock: PeerClock) -> Mapping {
    if wantsRealignment || generation != clock.generation { align(rtpTime, arrival: arrival, clock: clock) }
    if let anchor, let time = time(of: rtpTime, from: anchor), Self.isPlausible(time, arrival: arrival) {
      return Mapping(time: time, isJump: false)
    }
    let isJump = anchor != nil
    anchor = Anchor(rtpTime: rtpTime, time: arrival)
    if isJump { report = nil }
    generation = nil
    return Mapping(time: arrival, isJump: isJump)
  }

  /// Ticks of this stream's clock as time.
  package func interval(ofTicks ticks: Int64) -> TimeInterval64 {
    let (product, overflow) = ticks.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .zero : TimeInterval64.microseconds(product / clockRate)
  }

  private mutating func align(_ rtpTime: Int64, arrival: UTCTime, clock: PeerClock) {
    guard let report, let taken = clock.time(of: report.ntpTime) else { return }
    let ticks = Int64(Int32(bitPattern: report.rtpTimestamp &- UInt32(truncatingIfNeeded: rtpTime)))
    let candidate = Anchor(rtpTime: rtpTime &+ ticks, time: taken)
    guard let time = time(of: rtpTime, from: candidate), Self.isPlausible(time, arrival: arrival) else { return }
    anchor = candidate
    generation = clock.generation
    wantsRealignment = false
  }

  /// Nil for a distance that no recording has.
  private func time(of rtpTime: Int64, from anchor: Anchor) -> UTCTime? {
    let (ticks, overflow) = rtpTime.subtractingReportingOverflow(anchor.rtpTime)
    let (product, overflows) = ticks.multipliedReportingOverflow(by: 1_000_000)
    guard !overflow, !overflows else { return nil }
    let (sum, overruns) = anchor.time.microseconds.addingReportingOverflow(product / clockRate)
    return overruns ? nil : UTCTime(microseconds: sum)
  }

  private static func isPlausible(_ time: UTCTime, arrival: UTCTime) -> Bool {
    let delay = arrival - time
    return delay <= maximumDelay && delay >= TimeInterval64.zero - maximumLead
  }
}
