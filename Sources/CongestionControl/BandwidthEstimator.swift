import Primitives
import RTP

/// What the path to one receiver bears: send-side estimation over transport-wide feedback.
///
/// One for each viewer. Memory is allocated once and owned by whoever calls ``deallocate()``.
package struct BandwidthEstimator: ~Copyable {
  /// A burst of packets sent faster than the target, to learn whether more fits.
  package struct Probe: Equatable, Sendable {
    /// 1 to 255; goes into ``noteSent(_:bytes:probe:now:)`` with each of its packets.
    package var id: UInt8
    package var bitsPerSecond: Int
    /// To send in all.
    package var bytes: Int
    /// To be sent in small packets, for a few large ones would show no rate.
    package var isSmall: Bool

    package init(id: UInt8, bitsPerSecond: Int, bytes: Int, isSmall: Bool = false) {
      self.id = id
      self.bitsPerSecond = bitsPerSecond
      self.bytes = bytes
      self.isSmall = isSmall
    }
  }

  /// What the target stays within, bits per second: sound always goes, and no viewer is sent more.
  package static let minimum = 30_000
  package static let maximum = 100_000_000
  /// A round trip where none is known yet.
  static let assumedRoundTripTime = TimeInterval64.milliseconds(200)
  /// Longest that a round trip is believed to take.
  static let longestRoundTripTime = TimeInterval64.milliseconds(10_000)
  /// Probes wait until a decrease is this long ago, and the queue is no longer than this.
  static let calmAfter = TimeInterval64.milliseconds(1_500)
  static let calmQueue = TimeInterval64.milliseconds(50)
  /// A queue that a probe of ours made is given this time to go away.
  static let probeQueue = TimeInterval64.milliseconds(150)

  // First, since every packet touches it.
  var sent = SentPackets()

  /// What the path bears now, in bits per second, packet headers included: what to allocate from.
  package private(set) var target: Int
  /// How fast packets may leave, bits per second: hardly faster than a target that nothing has shown to be borne yet, and
  /// not so fast on a path whose limit was met that a large picture fills its queue.
  package var pacingRate: Int {
    if rate.isUntried { return target * 6 / 5 }
    return hasMetLimit ? target * 3 / 2 : target * 5 / 2
  }
  /// Whether the target still is a mere assumption.
  package var isUntried: Bool { rate.isUntried }
  /// Smoothed; nil before the first feedback.
  package internal(set) var roundTripTime: TimeInterval64?
  /// How long packets wait in the bottleneck's queue, smoothed; zero while nothing is known.
  package var queueDelay: TimeInterval64 { queue.value }
  /// The queue grows, or is long: send nothing that can wait.
  package var isCongested: Bool { isOverused || queueDelay > RateControl.shortQueue }
  /// Whether the path was seen at its limit, or its receiver set one: before, the target is only what was tried so far.
  package var hasMetLimit: Bool { rate.hasMetLimit || Double(target) < rate.rate.rounded(.down) }
  /// The share of packets that the path loses whatever is sent, 0 to 1.
  package var inherentLoss: Double { loss.inherent }
  /// What arrived in the last half second that feedback told of, bits per second; nil while unknown.
  package var acknowledgedRate: Int? { acknowledged.bitsPerSecond.map { Int($0) } }
  /// Feedback that cannot be true: about packets never sent, from the future, or telling of an absurd rate.
  package internal(set) var absurdFeedback: UInt64 = 0

  var clock = ReceiverClock()
  var delay = DelayDetector()
  var queue = QueueDelay()
  var acknowledged = RateWindow()
  var reported = RateWindow()
  var loss = LossControl()
  var rate: RateControl
  var probes = ProbeMeasurements()
  var firstBurst = FirstBurst()
  private var plan: ProbePlan
  private var silence = FeedbackSilence()
  private var receiverLimit = ReceiverLimit()
  private var reports = ReportedLoss()
  private var now: MonotonicTime

  /// - Parameter initial: Bits per second to begin with.
  package init(initial: Int, now: MonotonicTime) {
    let initial = min(max(initial, Self.minimum), Self.maximum)
    target = initial
    rate = RateControl(rate: Double(initial))
    plan = ProbePlan(initial: initial, now: now)
    self.now = now
  }

  package func deallocate() {
    sent.deallocate()
  }

  /// Begins anew on another path: nothing that was measured on the old one holds.
  ///
  /// - Parameter initial: Bits per second to begin with.
  package mutating func restart(initial: Int, now: MonotonicTime) {
    var fresh = BandwidthEstimator(initial: initial, now: now)
    sent.forget()
    fresh.sent = sent
    fresh.silence.heard(sent: sent.count)
    // The receiver and its clock stay.
    fresh.clock = clock
    fresh.absurdFeedback = absurdFeedback
    self = fresh
  }

  /// Takes note of a packet with a transport-wide number.
  ///
  /// Packet path.
  @inline(__always)
  package mutating func noteSent(_ sequence: UInt16, bytes: Int, probe: UInt8, now: MonotonicTime) {
    sent.note(sequence, bytes: bytes, probe: probe, now: now)
  }

  /// Where the note of packet `sequence` will be, to have it near by then; nil before the first one.
  @inline(__always)
  package func notePlace(of sequence: UInt16) -> UnsafeRawPointer? { sent.notePlace(of: sequence) }

  /// Takes feedback; what cannot be true is counted and changes nothing.
  package mutating func receive(_ feedback: TransportFeedback, now: MonotonicTime) {
    self.now = max(self.now, now)
    if rate.isBlind {
      // What was sent while nothing was heard went nowhere, and tells nothing of the path as it is now.
      sent.forget()
      delay.restart()
    }
    guard takePackets(of: feedback, now: now) else {
      absurdFeedback &+= 1
      return
    }
    silence.heard(sent: sent.count)
    rate.endSilence(now)
    if !queue.finish(now: now) {
      // The receiver's clock was set, or it lies: what is known of its times is worth nothing.
      absurdFeedback &+= 1
      delay.restart()
    }
    takeFirstBurst(now)
    adjust(now)
    takeProbeResults(now)
    publish(now)
  }

  /// Takes a receiver's own estimate (REMB): it caps the target while it is fresh.
  package mutating func receive(maximum bitsPerSecond: UInt64, now: MonotonicTime) {
    receiverLimit.set(bitsPerSecond, now: now)
    publish(now)
  }

  /// Takes what a receiver report tells, for receivers without transport-wide feedback.
  ///
  /// - Parameter loss: Share lost since the last report, in 256ths.
  package mutating func receive(loss: UInt8, roundTripTime: TimeInterval64?, now: MonotonicTime) {
    self.now = max(self.now, now)
    // Transport-wide feedback tells the same sooner and better.
    guard sent.count == 0 else { return }
    if let roundTripTime { noteRoundTrip(roundTripTime) }
    reports.take(
      Double(loss) / 256, limit: receiverLimit.bitsPerSecond(now: now), roundTripTime: responseTime, now: now,
      loss: &self.loss, rate: &rate)
    publish(now)
  }

  /// Tells what could be used: probes go up to it, and a quarter beyond so that it can be reached.
  package mutating func setWanted(_ bitsPerSecond: Int) {
    let wanted = min(max(bitsPerSecond, 0), Self.maximum)
    plan.setWanted(wanted, now: now)
    reports.wanted = wanted
  }

  /// Does what time demands; call it every 10 to 50 ms.
  package mutating func tick(now: MonotonicTime) {
    self.now = max(self.now, now)
    if silence.tick(sent: sent.count, now: now) {
      rate.scale(by: FeedbackSilence.factor, atLeast: Double(Self.minimum), now: now)
    }
    takeProbeResults(now)
    publish(now)
  }

  /// The next burst to send, if it is time.
  package mutating func takeProbe(now: MonotonicTime) -> Probe? {
    self.now = max(self.now, now)
    let isSettled = rate.lastDecrease.map { now - $0 >= Self.calmAfter } ?? true
    let isMeasuring = firstBurst.isPending(roundTripTime: responseTime, now: now)
    let hasQueue = delay.signal == .overuse || queueDelay > Self.calmQueue || isMeasuring
    let isCalm = isSettled && !hasQueue && !loss.isExcessive
    let ceiling = receiverLimit.bitsPerSecond(now: now).map { Int(min($0, Double(Self.maximum))) } ?? Self.maximum
    guard
      let probe = plan.take(
        target: target, maximum: ceiling, isCalm: isCalm, hasMetLimit: rate.hasMetLimit, now: now)
    else { return nil }
    probes.begin(probe, now: now)
    return probe
  }

  /// Begins with what the first burst over the path has shown, if that is little; if it is much, probes tell more.
  private mutating func takeFirstBurst(_ now: MonotonicTime) {
    guard let arrived = firstBurst.take(), rate.begin(arrived: arrived, now: now) else { return }
    plan.skipStart(next: now + ProbePlan.pauseAfterBurst)
  }

  private mutating func takeProbeResults(_ now: MonotonicTime) {
    while let result = probes.takeResult(roundTripTime: responseTime, shortestWay: queue.shortestWay, now: now) {
      // A queue that has filled since knows better.
      let isOutdated = rate.lastDecrease.map { $0 >= result.startedAt } ?? false
      if result.measured != nil { firstBurst.end() }
      if !isOutdated { rate.prove(result, arrives: acknowledged.bitsPerSecond, now: now) }
      plan.finished(result.probe, measured: result.measured?.bitsPerSecond, now: now)
    }
  }

  /// Keeps the target within what is sane and what the receiver asks for.
  private mutating func publish(_ now: MonotonicTime) {
    rate.clamp(to: Double(Self.minimum)...Double(Self.maximum))
    let limit = receiverLimit.bitsPerSecond(now: now) ?? Double(Self.maximum)
    target = Int(max(min(rate.rate, limit), Double(Self.minimum)))
  }

  /// Whether a queue grows: a trend while next to nothing waits is none.
  var isOverused: Bool { delay.signal == .overuse && queueDelay >= RateControl.noQueue }

  /// The round trip, or a guess.
  var responseTime: TimeInterval64 { roundTripTime ?? Self.assumedRoundTripTime }

  mutating func noteRoundTrip(_ sample: TimeInterval64) {
    let sample = min(max(sample, .zero), Self.longestRoundTripTime)
    guard let before = roundTripTime else { return roundTripTime = sample }
    roundTripTime = TimeInterval64(nanoseconds: (before.nanoseconds * 7 + sample.nanoseconds) / 8)
  }
}
