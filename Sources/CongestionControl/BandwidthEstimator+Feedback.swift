import Primitives
import RTP

// From a feedback packet to what its packets tell, and from that to the rate.

extension BandwidthEstimator {
  /// How far the arrivals of one feedback may lie from its reference, in ticks of 250 µs: 2 s before to 20 s after.
  static let arrivalSpan: ClosedRange<Int64> = -8_000...80_000

  /// Seconds: the longest that the link is taken to need for a probe of ours.
  static let longestProbe = 0.3
  /// Ticks of 250 µs: 36 years, in nanoseconds far within 64 bits.
  static let mostTicks: Int64 = (1 << 60) / TransportFeedback.nanosecondsPerTick

  /// Takes the packets of a feedback; false, and nothing changes, when it cannot be true.
  mutating func takePackets(of feedback: TransportFeedback, now: MonotonicTime) -> Bool {
    guard isAboutSentPackets(feedback), hasPlausibleSpan(feedback) else { return false }
    let reference: Int64
    switch clock.read(feedback.referenceTime, now: now) {
    case .ticks(let ticks): reference = ticks
    case .restarted(let ticks):
      reference = ticks
      delay.restart()
      queue = QueueDelay()
      firstBurst.end()
    case .implausible: return false
    }
    // Whoever sets its clock forward again and again does not get beyond what can be counted.
    guard reference.magnitude <= UInt64(Self.mostTicks) else { return false }
    var ticks = reference
    var newestSent: Int64?
    var sequence = feedback.baseSequence.rawValue
    for status in feedback.statuses {
      switch status {
      case .notReceived: takeLost(sequence)
      case .received(let delta):
        ticks += Int64(delta)
        if let sent = takeReceived(sequence, arrival: ticks * TransportFeedback.nanosecondsPerTick) {
          newestSent = max(newestSent ?? sent, sent)
        }
      }
      sequence &+= 1
    }
    if let newestSent { noteRoundTrip(now - MonotonicTime(nanoseconds: UInt64(newestSent))) }
    return true
  }

  /// Whether its first and its last packet, and so all between, were sent at some time.
  private func isAboutSentPackets(_ feedback: TransportFeedback) -> Bool {
    let count = feedback.statuses.count
    guard count > 0, count <= TransportFeedback.maximumStatuses else { return false }
    let last = feedback.baseSequence.rawValue &+ UInt16(count - 1)
    return sent.place(of: feedback.baseSequence.rawValue) != .neverSent && sent.place(of: last) != .neverSent
  }

  private func hasPlausibleSpan(_ feedback: TransportFeedback) -> Bool {
    var ticks: Int64 = 0
    for case .received(let delta) in feedback.statuses {
      ticks += Int64(delta)
      guard Self.arrivalSpan.contains(ticks) else { return false }
    }
    return true
  }

  private mutating func takeLost(_ sequence: UInt16) {
    guard case .known(let index) = sent.place(of: sequence) else { return }
    let entry = sent[index]
    guard entry.fate == .inFlight else { return }
    sent.setFate(.lost, at: index)
    loss.addLost()
    reported.add(Int(entry.bytes), at: Int64(clamping: entry.sentAt))
    if entry.probe != 0 { probes.addLost(entry.probe, bytes: Int(entry.bytes)) }
  }

  /// When it was sent, in nanoseconds, if that was not known to have arrived before.
  private mutating func takeReceived(_ sequence: UInt16, arrival: Int64) -> Int64? {
    guard case .known(let index) = sent.place(of: sequence) else { return nil }
    let entry = sent[index]
    guard entry.fate != .received else { return nil }
    let bytes = Int(entry.bytes)
    let sentAt = Int64(clamping: entry.sentAt)
    sent.setFate(.received, at: index)
    loss.addReceived(wasLost: entry.fate == .lost)
    if entry.fate != .lost { reported.add(bytes, at: sentAt) }
    acknowledged.add(bytes, at: arrival)
    queue.add(arrival &- sentAt)
    delay.add(sent: sentAt, arrival: arrival)
    firstBurst.add(bytes: bytes, sent: sentAt, arrival: arrival)
    probes.add(entry.probe, bytes: bytes, sent: sentAt, arrival: arrival)
    return sentAt
  }

  /// Raises or lowers the rate by what is known now.
  mutating func adjust(_ now: MonotonicTime) {
    let latest = acknowledged.latestBitsPerSecond
    let acknowledged = acknowledged.bitsPerSecond
    let reported = reported.bitsPerSecond
    let verdict = loss.evaluate(
      LossControl.Observation(
        rate: rate.rate, sent: reported, acknowledged: acknowledged, latest: latest, queueDelay: queueDelay,
        roundTripTime: responseTime, now: now))
    let observation = RateControl.Observation(
      acknowledged: acknowledged, latest: latest, sent: reported, queueDelay: queueDelay, roundTripTime: responseTime,
      now: now)
    if case .lower(let bitsPerSecond) = verdict {
      // Lost at the end of a long queue: the queue must be emptied too.
      if queueDelay > RateControl.shortQueue {
        return rate.decrease(observation, bears: loss.isBroken ? bitsPerSecond : nil)
      }
      return rate.lower(to: bitsPerSecond, arrived: loss.isExcessive ? acknowledged : nil, now: now)
    }
    if !isOverused { rate.restore(observation) }
    switch delay.signal {
    case .overuse where isOverused && !isOurProbe(now): rate.decrease(observation)
    case .overuse: rate.hold(now)
    case .underuse: rate.hold(now)
    case .normal where loss.allowsGrowth: rate.increase(observation)
    case .normal: rate.hold(now)
    }
  }

  /// Whether a probe of ours may have filled the queue just now.
  private func isOurProbe(_ now: MonotonicTime) -> Bool {
    guard let begin = probes.lastBegin else { return false }
    // So long the link needs for it.
    let length = TimeInterval64.seconds(min(Double(probes.lastBytes * 8) / max(rate.rate, 1), Self.longestProbe))
    return now - begin < Self.probeQueue + responseTime + length && queueDelay < RateControl.shortQueue + length
  }
}
