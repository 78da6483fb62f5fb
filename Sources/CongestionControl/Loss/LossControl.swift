import Primitives

/// Tells loss that comes from sending too much from loss that the way has anyway.
///
/// Above a tenth the rate goes down, below a fiftieth it may go up (draft-ietf-rmcat-gcc-02 §6), but counted is only what
/// exceeds the way's own loss. That is learnt by trying: when less is sent than got through before, and as much is
/// lost as before, then sending less does not help.
package struct LossControl {
  package enum Verdict: Equatable {
    case undecided
    case lower(to: Double)
  }

  /// Shares of lost packets between which the rate stays.
  package static let tolerable = 0.02
  package static let excessive = 0.10
  /// Deviations that loss must lie above the limit before the rate goes down.
  package static let certainty = 1.5
  /// Most that is taken for the way's own.
  package static let mostInherent = 0.35
  /// From here on the link has become another one: what arrives is what it bears, whatever was sent.
  package static let broken = 0.5
  /// Time between two decreases, beside a round trip, so that the first can show; of a broken link each says what it bears.
  package static let pause = TimeInterval64.milliseconds(300)
  package static let brokenPause = TimeInterval64.milliseconds(100)
  /// A window ends with this many packets, or after this time with a few; with some as soon as most of them are lost.
  package static let packets = 50
  package static let some = 20
  package static let fewest = 10
  package static let longest = TimeInterval64.milliseconds(1_000)
  /// Loss with a queue longer than this comes from the queue.
  package static let queueLimit = TimeInterval64.milliseconds(60)
  /// Loss that only stops growth is put to the test after this time, by sending a little less.
  package static let trialAfter = TimeInterval64.milliseconds(2_000)
  package static let trial = 0.93
  /// What is left of the arriving rate after a decrease.
  package static let backOff = 0.95

  /// What is known when a window ends; bits per second.
  package struct Observation {
    package var rate: Double
    package var sent: Double?
    package var acknowledged: Double?
    /// What arrived in the last moment.
    package var latest: Double?
    package var queueDelay: TimeInterval64
    package var roundTripTime: TimeInterval64
    package var now: MonotonicTime

    package init(
      rate: Double, sent: Double?, acknowledged: Double?, latest: Double? = nil, queueDelay: TimeInterval64,
      roundTripTime: TimeInterval64, now: MonotonicTime
    ) {
      self.rate = rate
      self.sent = sent
      self.acknowledged = acknowledged
      self.latest = latest
      self.queueDelay = queueDelay
      self.roundTripTime = roundTripTime
      self.now = now
    }
  }

  /// The share that the way loses whatever is sent.
  package private(set) var inherent = 0.0
  package private(set) var allowsGrowth = true
  /// The last window lost too much for probes.
  package private(set) var isExcessive = false
  /// The last window lost most.
  package private(set) var isBroken = false
  private var received = 0
  private var lost = 0
  private var windowStart: MonotonicTime?
  private var heldSince: MonotonicTime?
  /// The last decrease: what got through before it.
  private var decrease: (arrived: Double, at: MonotonicTime)?

  package init() {}

  package mutating func addReceived(wasLost: Bool) {
    received += 1
    if wasLost { lost = max(lost - 1, 0) }
  }

  package mutating func addLost() {
    lost += 1
  }

  /// Ends the window, if there is enough in it.
  package mutating func evaluate(_ observation: Observation) -> Verdict {
    guard let windowStart else {
      self.windowStart = observation.now
      return .undecided
    }
    let count = received + lost
    let isLong = observation.now - windowStart >= Self.longest
    let isBroken = count >= Self.some && lost > received
    guard count >= Self.packets || isBroken || (isLong && count >= Self.fewest) else { return .undecided }
    let share = Double(lost) / Double(count)
    received = 0
    lost = 0
    self.windowStart = observation.now
    return judge(share, of: count, observation)
  }

  /// Judges a share of lost packets.
  package mutating func judge(_ share: Double, of count: Int, _ observation: Observation) -> Verdict {
    learn(share, observation)
    // Few packets scatter: a die thrown twenty times does not show each face alike.
    let variance = max(share, 0.01) * (1 - min(share, 0.99)) / Double(max(count, 1))
    let excess = (share - inherent) / (1 - inherent)
    allowsGrowth = !exceeds(excess - Self.tolerable, variance)
    isExcessive = exceeds(excess - Self.excessive, variance * Self.certainty * Self.certainty)
    if allowsGrowth { heldSince = nil } else { heldSince = heldSince ?? observation.now }
    isBroken = excess > Self.broken
    let pause = isBroken ? Self.brokenPause : observation.roundTripTime + Self.pause
    if let decrease, observation.now - decrease.at < pause { return .undecided }
    if isExcessive { return lower(excess, observation) }
    return tryLess(observation)
  }

  /// Whether a surplus is more than one deviation.
  private func exceeds(_ surplus: Double, _ variance: Double) -> Bool {
    surplus > 0 && surplus * surplus > variance
  }

  private mutating func lower(_ excess: Double, _ observation: Observation) -> Verdict {
    var arrives = observation.acknowledged ?? observation.rate * (1 - excess)
    var sent = observation.rate
    if isBroken {
      // The link has become another one: what arrived before says nothing of it, nor does what could have been sent.
      arrives = min(arrives, observation.latest ?? arrives)
      sent = min(sent, observation.sent ?? sent)
    }
    decrease = (arrives, observation.now)
    return .lower(to: max(arrives / (1 - inherent) * Self.backOff, sent * (1 - excess)))
  }

  /// Tries whether loss that stopped growth for a while, with no queue, is the way's own.
  private mutating func tryLess(_ observation: Observation) -> Verdict {
    guard let heldSince, observation.now - heldSince >= Self.trialAfter, observation.queueDelay < Self.queueLimit,
      let sent = observation.sent, let arrives = observation.acknowledged, observation.rate < 1.2 * sent
    else { return .undecided }
    self.heldSince = observation.now
    decrease = (arrives, observation.now)
    // Less than got through before, or it would prove nothing.
    return .lower(to: min(observation.rate * Self.trial, arrives * 0.98))
  }

  private mutating func learn(_ share: Double, _ observation: Observation) {
    if share < inherent {
      inherent += 0.3 * (share - inherent)
    } else if let decrease, let sent = observation.sent, sent <= decrease.arrived,
      observation.now - decrease.at >= observation.roundTripTime + Self.pause,
      observation.queueDelay < Self.queueLimit
    {
      inherent = min(inherent + 0.5 * (share - inherent), Self.mostInherent)
    }
  }
}
