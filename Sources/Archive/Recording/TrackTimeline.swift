import Primitives

/// Maps the RTP time of one stream to the server's clock.
///
/// Until a sender report has come, the first frame's arrival counts; from then on the sender's clock. Between that and
/// ``realign()`` the stream's own clock runs as it is: its drift is not touched.
///
/// Browsers report when sound was sent, not when it was taken: late by the length of a packet, and by all that it waited in
/// a busy telephone. The frames of the same moment show it, since none comes before its last sample was taken.
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

  /// By how much a frame may seem to have come before it was taken: as much as the reports' own way may vary.
  static let tolerance = TimeInterval64.milliseconds(15)
  /// How long after a report frames may show that it was late.
  static let settlingTime = TimeInterval64.milliseconds(1_000)

  private let clockRate: Int64
  private var anchor: Anchor?
  private var report: RecordedReport?
  /// The peer clock's generation that the anchor goes by; nil while it goes by arrival.
  private var generation: Int?
  private var wantsRealignment = false
  /// Until when a frame may correct the report that the anchor goes by.
  private var settles: UTCTime?
  private var quickest: Quickest?

  private struct Anchor: Hashable, Sendable {
    var rtpTime: Int64
    var time: UTCTime
  }

  /// The frames of the last moment that came soonest after they were taken.
  private struct Quickest: Hashable, Sendable {
    /// How long a frame counts at least; twice as long at most.
    ///
    /// A stream whose samples stood still for a moment goes on that much later, and what was before says nothing of it.
    static let span = TimeInterval64.milliseconds(500)

    var current: Anchor
    var previous: Anchor?
    var since: UTCTime
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
  ///
  /// `ticks` is how long it took to take it; 0 for a picture.
  package mutating func time(
    of rtpTime: Int64, lasting ticks: Int64, arrival: UTCTime, clock: PeerClock
  ) -> Mapping {
    let end = rtpTime &+ ticks
    note(end, arrival: arrival)
    if wantsRealignment || generation != clock.generation { align(end, arrival: arrival, clock: clock) }
    settle(end, arrival: arrival)
    if let anchor, let time = time(of: rtpTime, from: anchor), Self.isPlausible(time, arrival: arrival) {
      return Mapping(time: time, isJump: false)
    }
    let isJump = anchor != nil
    anchor = Anchor(rtpTime: rtpTime, time: arrival)
    quickest = Quickest(current: Anchor(rtpTime: end, time: arrival), since: arrival)
    if isJump { report = nil }
    generation = nil
    settles = nil
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
    var candidate = Anchor(rtpTime: rtpTime &+ ticks, time: taken)
    guard let time = time(of: rtpTime, from: candidate), Self.isPlausible(time, arrival: arrival) else { return }
    let lead = time - (soonest(rtpTime) ?? arrival)
    if lead > Self.tolerance { candidate.time = candidate.time + (.zero - lead) }
    anchor = candidate
    generation = clock.generation
    wantsRealignment = false
    settles = arrival + Self.settlingTime
  }

  /// Corrects a late report by a frame that came after it.
  private mutating func settle(_ rtpTime: Int64, arrival: UTCTime) {
    guard let settles, arrival < settles, let anchor, let time = time(of: rtpTime, from: anchor),
      Self.isPlausible(time, arrival: arrival), time - arrival > Self.tolerance
    else { return }
    self.anchor?.time = anchor.time + (arrival - time)
  }

  private mutating func note(_ rtpTime: Int64, arrival: UTCTime) {
    let new = Anchor(rtpTime: rtpTime, time: arrival)
    guard let known = quickest, let expected = time(of: rtpTime, from: known.current) else {
      quickest = Quickest(current: new, since: arrival)
      return
    }
    if arrival - known.since >= Quickest.span {
      quickest = Quickest(current: new, previous: known.current, since: arrival)
    } else if arrival < expected {
      quickest?.current = new
    }
  }

  /// When the frame would have come if it had taken the shortest way of the last moment.
  private func soonest(_ rtpTime: Int64) -> UTCTime? {
    [quickest?.current, quickest?.previous].compactMap { $0.flatMap { time(of: rtpTime, from: $0) } }.min()
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
