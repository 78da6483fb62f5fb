import Primitives

/// Raises and lowers the rate: slowly near the link's known limit, quickly far from it, down at once when a queue grows
/// (draft-ietf-rmcat-gcc-02 §5.5 and §6).
package struct RateControl {
  /// What is known when the rate is to change.
  package struct Observation {
    /// What arrived lately, and what was sent of the packets that feedback told about, bits per second.
    package var acknowledged: Double?
    /// What arrived in the last moment.
    package var latest: Double?
    package var sent: Double?
    package var queueDelay: TimeInterval64
    package var roundTripTime: TimeInterval64
    package var now: MonotonicTime

    package init(
      acknowledged: Double?, latest: Double? = nil, sent: Double?, queueDelay: TimeInterval64,
      roundTripTime: TimeInterval64, now: MonotonicTime
    ) {
      self.acknowledged = acknowledged
      self.latest = latest
      self.sent = sent
      self.queueDelay = queueDelay
      self.roundTripTime = roundTripTime
      self.now = now
    }
  }

  /// What is left of the arriving rate after a decrease, and what at least when a long queue is to be emptied too.
  package static let backOff = 0.85
  package static let drainingBackOff = 0.5
  /// Queues between these lengths shift the decrease from ``backOff`` to ``drainingBackOff``; one below the third is gone.
  package static let shortQueue = TimeInterval64.milliseconds(100)
  package static let longQueue = TimeInterval64.milliseconds(400)
  package static let drainedQueue = TimeInterval64.milliseconds(60)
  /// A queue that seems to grow is none before it is this long: what is sent faster after a pause finds no empty line.
  package static let noQueue = TimeInterval64.milliseconds(30)
  /// How long growth waits for a queue to go away; one that stays is others', and waiting would be to starve beside them.
  package static let queuePatience = TimeInterval64.milliseconds(1_500)
  /// Growth in a second, far from the link's limit, and on the way back to a limit that is known.
  package static let growth = 0.08
  package static let recovery = 0.3
  /// Without a probe that proves more, the rate stays below this multiple of what arrives.
  package static let headroom = 1.5
  package static let headroomBits = 10_000.0
  /// Most bits per second that a probe adds when it filled a link whose limit is known: not a share of the rate, or who
  /// has much would get more.
  package static let doubtfulStep = 50_000.0
  /// How long after a probe's result the next one may begin to confirm it, or refute it where no limit was met.
  package static let trialOfClaim = TimeInterval64.milliseconds(10_000)
  package static let trialOfBelief = TimeInterval64.milliseconds(1_500)
  /// What refutes it, as a share of what it has shown.
  package static let refutation = 0.8
  /// So large a probe may confirm any other; smaller ones only what half of their bytes have shown.
  package static let bytesOfConfirmation = 2 * ProbePlan.leastBytes
  /// For how long the first rate counts as untried where no probe proves it.
  package static let trialOfFirstRate = TimeInterval64.milliseconds(2_000)
  /// A first burst that arrived with more than this multiple of the first rate has met no limit.
  package static let limitOfBurst = 2.0
  /// Bits in a packet, for growth by a packet a response time.
  package static let packetBits = 9_600.0

  /// What a probe has shown that no other has confirmed yet, and what the rate was before it.
  private struct Claim {
    let bitsPerSecond: Double
    /// Of the probe.
    let bytes: Int
    let before: Double
    let at: MonotonicTime
  }

  /// Bits per second, before limits.
  package private(set) var rate: Double
  package private(set) var lastDecrease: MonotonicTime?
  /// Whether a measurement has shown the rate to be borne.
  private var isProven = false
  private var firstIncrease: MonotonicTime?
  /// What was known when nothing was heard any more.
  private var beforeSilence: (rate: Double, lastDecrease: MonotonicTime?)?
  private var claim: Claim?
  private var capacity = LinkCapacity()
  private var lastUpdate: MonotonicTime?
  /// The rate that the link bears: what to come back to when a queue has been emptied at less.
  private var drained: Double?

  package init(rate: Double) {
    self.rate = rate
  }

  /// Whether the path was seen at its limit.
  package var hasMetLimit: Bool { lastDecrease != nil || capacity.mean != nil }

  /// Whether it was stepped down because nothing is heard.
  package var isBlind: Bool { beforeSilence != nil }

  /// Whether the rate still is what it was assumed to be, or not far above.
  package var isUntried: Bool { !isProven && lastDecrease == nil }

  /// Takes what the first burst over the path arrived with, in bits per second; false, and nothing changes, when that is no
  /// limit to mind.
  package mutating func begin(arrived: Double, now: MonotonicTime) -> Bool {
    let bears = arrived * ProbeMeasurements.saturatedShare
    guard lastDecrease == nil, bears < rate * Self.limitOfBurst else { return false }
    capacity.observe(arrived)
    if bears < rate {
      lower(to: bears, arrived: nil, now: now)
    } else {
      rate = bears
      lastUpdate = now
    }
    return true
  }

  /// Keeps the rate where it is.
  package mutating func hold(_ now: MonotonicTime) {
    lastUpdate = now
  }

  /// Comes back to what the link bears once the queue is empty that a deeper decrease was to empty.
  package mutating func restore(_ observation: Observation) {
    guard let drained, observation.queueDelay < Self.drainedQueue else { return }
    rate = max(rate, drained)
    self.drained = nil
  }

  /// Raises the rate for the time since the last change.
  package mutating func increase(_ observation: Observation) {
    let elapsed = min(max(observation.now - (lastUpdate ?? observation.now), .zero), .milliseconds(1_000)).seconds
    lastUpdate = observation.now
    guard elapsed > 0, !isDraining(observation) else { return }
    let begun = firstIncrease ?? observation.now
    firstIncrease = begun
    // Nothing has shown a limit for a while.
    if observation.now - begun >= Self.trialOfFirstRate { isProven = true }
    let raised = raised(observation, for: elapsed)
    // A liar may claim that more arrived than was sent.
    guard let arrives = observation.acknowledged.map({ min($0, observation.sent ?? $0) }) else { return }
    rate = max(rate, min(raised, Self.headroom * arrives + Self.headroomBits))
    // More arrives than was thought possible, and no queue grows: the link bears that much.
    if lastDecrease == nil, observation.queueDelay < Self.drainedQueue { rate = max(rate, arrives) }
  }

  /// Whether the last decrease still has a queue to empty.
  private func isDraining(_ observation: Observation) -> Bool {
    guard observation.queueDelay > Self.shortQueue, let lastDecrease else { return false }
    return observation.now - lastDecrease < Self.queuePatience
  }

  private mutating func raised(_ observation: Observation, for elapsed: Double) -> Double {
    guard let near = capacity.near else { return rate * (1 + Self.growth * elapsed) }
    if rate < near.lowerBound { return min(rate * (1 + Self.recovery * elapsed), near.lowerBound) }
    if rate > near.upperBound {
      capacity.forget()
      return rate * (1 + Self.growth * elapsed)
    }
    let responseTime = observation.roundTripTime.seconds + 0.1
    let byPackets = max(Self.packetBits / responseTime, 4_000)
    return rate + min(byPackets, rate * Self.growth) * elapsed
  }

  /// Lowers the rate because the queue grows; not again before the last decrease can have shown.
  ///
  /// - Parameter bears: What a link bears that has become another one, bits per second: that is believed at once.
  package mutating func decrease(_ observation: Observation, bears: Double? = nil) {
    let now = observation.now
    // What is heard now of packets behind a long queue was sent before the last decrease.
    let pause = observation.roundTripTime + .milliseconds(100) + min(observation.queueDelay, Self.longQueue)
    let arrives = bears ?? arriving(observation)
    if bears == nil, let lastDecrease, now - lastDecrease < pause { return hold(now) }
    var lowered = arrives * backOff(observation.queueDelay)
    if let sent = observation.sent, sent < 0.7 * rate, arrives >= 0.9 * sent {
      // Little is sent and all of it arrives: the queue is others', or noise. What arrives says nothing about the limit.
      lowered = max(lowered, rate * Self.backOff)
    } else {
      capacity.observe(arrives)
      // Lowered more than once for one queue, the rate is below what the link bears.
      drained = min(drained ?? rate, arrives * Self.backOff)
    }
    lower(to: lowered, arrived: nil, now: now)
  }

  /// What arrives while the queue grows.
  ///
  /// A link that has just been given more to carry is full only since then: half a second would count the time before.
  private func arriving(_ observation: Observation) -> Double {
    guard let acknowledged = observation.acknowledged else { return rate }
    return max(acknowledged, min(observation.latest ?? 0, rate))
  }

  private func backOff(_ queue: TimeInterval64) -> Double {
    let span = (Self.longQueue - Self.shortQueue).seconds
    let share = min(max((queue - Self.shortQueue).seconds / span, 0), 1)
    return Self.backOff - share * (Self.backOff - Self.drainingBackOff)
  }

  /// Takes over a rate that loss demands: what arrived at the limit of a link that has no queue.
  package mutating func lower(to bitsPerSecond: Double, arrived: Double?, now: MonotonicTime) {
    if let arrived { capacity.observe(arrived) }
    rate = min(rate, bitsPerSecond)
    claim = nil
    lastDecrease = now
    lastUpdate = now
  }

  /// Takes over what a probe has proved.
  ///
  /// One that filled a link whose limit is known took a part of it from others: that proves little. Beyond a limit that was
  /// met, what went through counts only once two probes in a row have shown it, for something may have let a single one pass
  /// at once; and of brief ones not even two prove that.
  ///
  /// Where a probe has shown nothing, neither has the one before it.
  package mutating func prove(_ result: ProbeMeasurements.Result, arrives: Double?, now: MonotonicTime) {
    let claim = takeClaim(result.startedAt)
    guard let measurement = result.measured else { return }
    let measured = measurement.bitsPerSecond
    let isAsMuch = claim.map { measured >= Self.refutation * $0.bitsPerSecond } ?? false
    if measurement.isSaturated, !isAsMuch, let claim { refute(claim, by: result, at: measured, arrives, now: now) }
    if measurement.isBrief, let near = capacity.near { return raise(to: min(measured, near.upperBound), now: now) }
    // What passes where the first one passed must be larger to tell more.
    let confirmed = claim.flatMap {
      result.probe.bytes >= min(2 * $0.bytes, Self.bytesOfConfirmation) ? $0.bitsPerSecond : nil
    }
    guard measurement.isSaturated else {
      if measured > rate {
        self.claim = Claim(bitsPerSecond: measured, bytes: result.probe.bytes, before: rate, at: now)
      }
      isProven = true
      let known = hasMetLimit ? max(confirmed ?? rate, capacity.near?.upperBound ?? rate) : .infinity
      return raise(to: min(measured, known), now: now)
    }
    let isDoubtful = capacity.mean != nil && !(isAsMuch && confirmed != nil)
    raise(to: isDoubtful ? min(measured, rate + Self.doubtfulStep) : measured, now: now)
  }

  private mutating func takeClaim(_ startedAt: MonotonicTime) -> Claim? {
    defer { claim = nil }
    return claim.flatMap { startedAt - $0.at <= Self.trialOfClaim ? $0 : nil }
  }

  /// Takes back what the last probe seemed to have proved, where the next one filled the link at less.
  private mutating func refute(
    _ claim: Claim, by result: ProbeMeasurements.Result, at measured: Double, _ arrives: Double?, now: MonotonicTime
  ) {
    guard hasMetLimit || result.startedAt - claim.at <= Self.trialOfBelief else { return }
    rate = min(rate, max(claim.before, measured, (arrives ?? 0) * Self.headroom))
    lastUpdate = now
  }

  /// Takes over a higher rate.
  package mutating func raise(to bitsPerSecond: Double, now: MonotonicTime) {
    guard bitsPerSecond > rate else { return }
    rate = bitsPerSecond
    if let near = capacity.near, rate > near.upperBound { capacity.forget() }
    lastUpdate = now
  }

  /// Steps down blindly: nothing is heard.
  package mutating func scale(by factor: Double, atLeast minimum: Double, now: MonotonicTime) {
    beforeSilence = beforeSilence ?? (rate, lastDecrease)
    rate = max(rate * factor, min(rate, minimum))
    claim = nil
    lastDecrease = now
    lastUpdate = now
  }

  /// Comes back to nearly what was before, now that something is heard: what was stepped down to meanwhile shows no limit.
  package mutating func endSilence(_ now: MonotonicTime) {
    guard let before = beforeSilence else { return }
    beforeSilence = nil
    rate = max(rate, before.rate * Self.backOff)
    lastDecrease = before.lastDecrease
    lastUpdate = now
  }

  package mutating func clamp(to limits: ClosedRange<Double>) {
    rate = min(max(rate, limits.lowerBound), limits.upperBound)
  }
}
