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
  /// How long frames may show that what the timeline goes by was late: a report, or the first frame.
  static let settlingTime = TimeInterval64.milliseconds(1_000)

  private let clockRate: Int64
  private var anchor: Anchor?
  private var report: RecordedReport?
  /// The peer clock's generation that the anchor goes by; nil while it goes by arrival.
  private var generation: Int?
  private var wantsRealignment = false
  /// Until when a frame may correct the anchor.
  private var settles: UTCTime?
  private var quickest: Quickest?

  private struct Anchor: Hashable, Sendable {
    var rtpTime: Int64
    var time: UTCTime
  }

  /// The frame of the last moment that came soonest after it was taken, by its end.
  private struct Quickest: Hashable, Sendable {
    /// How long it counts.
    ///
    /// A stream whose samples stood still for a moment goes on that much later, and what was before says nothing of it.
    static let span = TimeInterval64.milliseconds(1_000)

    var end: Anchor
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
    settle(end, arrival: arrival, clock: clock)
    if let anchor, let time = time(of: rtpTime, from: anchor), Self.isPlausible(time, arrival: arrival) {
      return Mapping(time: time, isJump: false)
    }
    let isJump = anchor != nil
    let first = Anchor(rtpTime: end, time: arrival)
    anchor = first
    quickest = Quickest(end: first, since: arrival)
    if isJump { report = nil }
    generation = nil
    settles = arrival + Self.settlingTime
    return Mapping(time: time(of: rtpTime, from: first) ?? arrival, isJump: isJump)
  }

  /// Ticks of this stream's clock as time.
  package func interval(ofTicks ticks: Int64) -> TimeInterval64 {
    let (product, overflow) = ticks.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .zero : TimeInterval64.microseconds(product / clockRate)
  }

  private mutating func align(_ end: Int64, arrival: UTCTime, clock: PeerClock) {
    guard let report, let taken = clock.time(of: report.ntpTime) else { return }
    let ticks = Int64(Int32(bitPattern: report.rtpTimestamp &- UInt32(truncatingIfNeeded: end)))
    let candidate = Anchor(rtpTime: end &+ ticks, time: taken)
    guard let time = time(of: end, from: candidate), Self.isPlausible(time, arrival: arrival) else { return }
    anchor = candidate
    generation = clock.generation
    wantsRealignment = false
    settles = arrival + Self.settlingTime
    if let quickest, let soonest = self.time(of: end, from: quickest.end) {
      correct(time - soonest, clock: clock)
    }
  }

  /// Corrects the anchor by a frame that came after it.
  private mutating func settle(_ end: Int64, arrival: UTCTime, clock: PeerClock) {
    guard let settles, arrival < settles, let anchor, let time = time(of: end, from: anchor) else { return }
    correct(time - arrival, clock: clock)
  }

  /// Takes off the anchor by how much sooner a frame came than was possible.
  ///
  /// What all reports come sooner or later than by the peer's clock is no fault of one of them, and the same for all tracks.
  private mutating func correct(_ lead: TimeInterval64, clock: PeerClock) {
    guard let anchor else { return }
    let excess = generation == nil ? lead : lead + clock.recentLateness
    guard excess > Self.tolerance, excess <= Self.maximumLead else { return }
    self.anchor?.time = anchor.time + (.zero - excess)
  }

  private mutating func note(_ end: Int64, arrival: UTCTime) {
    guard let quickest, arrival - quickest.since < Quickest.span, let expected = time(of: end, from: quickest.end)
    else {
      self.quickest = Quickest(end: Anchor(rtpTime: end, time: arrival), since: arrival)
      return
    }
    if arrival < expected { self.quickest?.end = Anchor(rtpTime: end, time: arrival) }
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
