import Primitives

/// What a sender report tells of one stream's time (RFC 3550 §6.4.1).
package struct RecordedReport: Hashable, Sendable {
  package var ssrc: SSRC
  package var rtpTimestamp: UInt32
  /// On the sender's clock; 0 from a sender without one.
  package var ntpTime: NTPTimestamp
  /// When the server received it.
  package var arrival: UTCTime

  package init(ssrc: SSRC, rtpTimestamp: UInt32, ntpTime: NTPTimestamp, arrival: UTCTime) {
    self.ssrc = ssrc
    self.rtpTimestamp = rtpTimestamp
    self.ntpTime = ntpTime
    self.arrival = arrival
  }
}

/// Maps one peer's clock to the server's; all tracks of the peer share it, so that they stay in step.
///
/// A peer's clock may be wrong by any amount, but it runs evenly. The first report fixes the offset; one of the first
/// seconds that took a shorter way betters it. Later only a step is followed, such as the sleep of a telephone.
package struct PeerClock: Hashable, Sendable {
  private var anchor: Anchor?
  /// Reports in a row that came too late for the anchor.
  private var late: Late?
  private var recent: Recent?
  /// Counts the anchors, so that timelines notice a new one.
  private(set) var generation = 0

  private struct Anchor: Hashable, Sendable {
    var ntpTime: NTPTimestamp
    var time: UTCTime
    /// Until when a quicker report betters the anchor.
    var settles: UTCTime
  }

  /// How late the quickest of the last reports came, by the anchor.
  private struct Recent: Hashable, Sendable {
    /// How long a report counts at least; twice as long at most.
    static let span = TimeInterval64.milliseconds(15_000)

    var least: TimeInterval64
    var before: TimeInterval64?
    var since: UTCTime
  }

  private struct Late: Hashable, Sendable {
    var since: UTCTime
    /// How late the least late of them was.
    var least: TimeInterval64
  }

  /// How long after the first report a quicker one is better.
  static let settlingTime = TimeInterval64.milliseconds(10_000)
  /// What a quicker report must gain to be worth a step in every track.
  static let minimumGain = TimeInterval64.milliseconds(5)
  /// Difference that is no delay any more: the clock was set.
  static let maximumDeviation = TimeInterval64.milliseconds(1_000)
  /// How long reports must go on being late to make a step: a stalled network delays them for a shorter time.
  static let persistence = TimeInterval64.milliseconds(10_000)

  package init() {}

  /// How much later than by this clock the peer's reports come at least, of late: its clock and the way to it change, and a
  /// step in every track is not worth it.
  var recentLateness: TimeInterval64 {
    guard let recent else { return .zero }
    return min(recent.least, recent.before ?? recent.least)
  }

  /// Takes any track's report of this peer; one without a clock is left out.
  package mutating func update(_ report: RecordedReport) {
    guard report.ntpTime.bits != 0 else { return }
    guard let anchor, let expected = time(of: report.ntpTime) else {
      set(report, settles: report.arrival + Self.settlingTime)
      return
    }
    let lateness = report.arrival - expected
    note(lateness, at: report.arrival)
    let isEarly = lateness < TimeInterval64.zero - Self.maximumDeviation
    let isQuicker = report.arrival < anchor.settles && lateness < TimeInterval64.zero - Self.minimumGain
    if isEarly || isQuicker {
      set(report, settles: anchor.settles)
      return
    }
    guard lateness > Self.maximumDeviation else {
      late = nil
      return
    }
    let known = late ?? Late(since: report.arrival, least: lateness)
    let least = min(known.least, lateness)
    late = Late(since: known.since, least: least)
    guard report.arrival - known.since >= Self.persistence else { return }
    self.anchor?.time = anchor.time + least
    late = nil
    recent = nil
    generation += 1
  }

  /// The server's time at which the peer's clock showed `ntpTime`; nil before the first report.
  package func time(of ntpTime: NTPTimestamp) -> UTCTime? {
    guard let anchor else { return nil }
    let difference = Int64(bitPattern: ntpTime.bits &- anchor.ntpTime.bits)
    // Whole seconds and their fraction apart, so that the product stays within 64 bits.
    let microseconds = (difference >> 32) * 1_000_000 + ((difference & 0xffff_ffff) * 1_000_000 + 1 << 31) >> 32
    return anchor.time + TimeInterval64.microseconds(microseconds)
  }

  private mutating func set(_ report: RecordedReport, settles: UTCTime) {
    anchor = Anchor(ntpTime: report.ntpTime, time: report.arrival, settles: settles)
    late = nil
    recent = Recent(least: .zero, since: report.arrival)
    generation += 1
  }

  private mutating func note(_ lateness: TimeInterval64, at arrival: UTCTime) {
    guard let known = recent, arrival - known.since < Recent.span else {
      let isOld = recent.map { arrival - $0.since >= Recent.span + Recent.span } ?? true
      recent = Recent(least: lateness, before: isOld ? nil : recent?.least, since: arrival)
      return
    }
    recent?.least = min(known.least, lateness)
  }
}
