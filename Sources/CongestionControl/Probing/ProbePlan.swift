import Primitives

/// When to probe, and how far.
///
/// At the start two probes, three and six times the first target. Later, while more could be used than the target
/// allows, twice the target; a probe that succeeds is followed at once by the next, of three times, one that fails by a
/// pause that grows.
package struct ProbePlan {
  /// Multiples of the first target.
  package static let startFactors = [3, 6]
  /// Time between the two probes of the start.
  package static let startPause = TimeInterval64.milliseconds(50)
  /// A probe's rate as a multiple of the target, and that of one that follows a success.
  package static let factor = 2
  package static let nextFactor = 3
  /// Probes go this far beyond what is wanted, in quarters: the measurement may come out a little short.
  package static let ceilingQuarters = 5
  /// How long a probe lasts, and its least bytes: five packets, since the first ones may pass a token bucket at once.
  package static let length = TimeInterval64.milliseconds(25)
  package static let leastBytes = 6_000
  /// On a slow link a probe is no more than this time of the target, in small packets, for sound waits behind it; but a few
  /// packets anyhow.
  package static let slowLength = TimeInterval64.milliseconds(100)
  package static let fewestBytes = 1_200
  /// Bytes of a probe after one that succeeded, as a multiple.
  package static let factorOfConfirmation = 2
  /// With fewer bytes than this a probe may pass a token bucket at once: when it gets through, a thorough one follows, but
  /// not often.
  package static let thoroughBytes = 3_600
  package static let thoroughRate = 800_000
  package static let thoroughPause = TimeInterval64.milliseconds(6_000)
  /// Time after a first burst that filled the link.
  package static let pauseAfterBurst = TimeInterval64.milliseconds(1_000)
  /// Up to this rate a probe has the least bytes whatever it tries: then it may as well try more.
  package static let cheapest = leastBytes * 8 * 40
  /// Pauses after a probe that found nothing.
  package static let firstPause = TimeInterval64.milliseconds(2_000)
  package static let longestPause = TimeInterval64.milliseconds(2_500)
  /// A probe succeeded when this share of its rate, in tenths, got through.
  package static let successTenths = 7

  private var wanted: Int?
  private let initial: Int
  private var started = 0
  private var startRate = 0
  private var waiting = 0
  private var nextAt: MonotonicTime
  private var pause = ProbePlan.firstPause
  private var hasSucceeded = false
  private var lastBytes = 0
  private var lastThorough: MonotonicTime?
  private var lastID: UInt8 = 0

  package init(initial: Int, now: MonotonicTime) {
    self.initial = initial
    nextAt = now
  }

  /// What could be used, bits per second: when it grows by much, the next probe need not wait.
  package mutating func setWanted(_ bitsPerSecond: Int, now: MonotonicTime) {
    if let wanted, bitsPerSecond / 5 > wanted / 4 {
      pause = Self.firstPause
      nextAt = min(nextAt, now)
    }
    wanted = bitsPerSecond
  }

  /// Leaves out the start's probes: what they would tell is known.
  ///
  /// - Parameter next: When the next probe may leave.
  package mutating func skipStart(next: MonotonicTime) {
    started = Self.startFactors.count
    nextAt = next
  }

  /// The next probe, if it is time.
  ///
  /// - Parameters:
  ///   - isCalm: No queue, no loss, no decrease lately.
  ///   - maximum: Highest rate to probe for.
  ///   - hasMetLimit: Whether what one probe shows needs another to confirm it.
  package mutating func take(
    target: Int, maximum: Int, isCalm: Bool, hasMetLimit: Bool = false, now: MonotonicTime
  ) -> BandwidthEstimator.Probe? {
    guard now >= nextAt else { return nil }
    let ceiling = min(wanted.map { $0 / 4 * Self.ceilingQuarters } ?? maximum, maximum)
    let hasRoom = target < min(wanted ?? maximum, maximum)
    guard started >= Self.startFactors.count else { return takeStart(target, ceiling, isCalm: isCalm, now: now) }
    guard wanted != nil, hasRoom, isCalm, waiting == 0 else { return nil }
    let least = leastBytes(at: target)
    // What confirms another is larger, or what let that pass would let it pass, too.
    let times = hasMetLimit && isConfirming ? Self.factorOfConfirmation : 1
    guard hasSucceeded, least < Self.thoroughBytes else {
      return make(min(max(target * factor, min(target * Self.nextFactor, Self.cheapest)), ceiling), least, times: times)
    }
    lastThorough = now
    return make(min(max(target * Self.nextFactor, Self.thoroughRate), ceiling), Self.thoroughBytes, times: times)
  }

  private mutating func takeStart(
    _ target: Int, _ ceiling: Int, isCalm: Bool, now: MonotonicTime
  ) -> BandwidthEstimator.Probe? {
    guard isCalm else { return nil }
    let rate = min(initial * Self.startFactors[started], ceiling)
    started += 1
    nextAt = now + Self.startPause
    // The ceiling may leave nothing to learn beyond the first.
    guard rate > target, rate > startRate else { return nil }
    startRate = rate
    return make(rate, leastBytes(at: initial))
  }

  private func leastBytes(at target: Int) -> Int {
    min(max(Int(Double(target) * Self.slowLength.seconds / 8), Self.fewestBytes), Self.leastBytes)
  }

  private mutating func make(_ rate: Int, _ least: Int, times: Int = 1) -> BandwidthEstimator.Probe {
    waiting += 1
    lastID = lastID == .max ? 1 : lastID + 1
    let isSmall = least < Self.leastBytes
    let bytes = isSmall ? least : max(Int(Double(rate) * Self.length.seconds / 8), least)
    return BandwidthEstimator.Probe(id: lastID, bitsPerSecond: rate, bytes: bytes * times, isSmall: isSmall)
  }

  /// Whether the last probe succeeded, and was none of those that prove nothing by themselves.
  private var isConfirming: Bool { hasSucceeded && lastBytes >= Self.thoroughBytes }

  private var factor: Int { hasSucceeded ? Self.nextFactor : Self.factor }

  /// Takes what a probe found, bits per second; nil for nothing.
  package mutating func finished(_ probe: BandwidthEstimator.Probe, measured: Double?, now: MonotonicTime) {
    waiting = max(waiting - 1, 0)
    let enough = Double(probe.bitsPerSecond * Self.successTenths / 10)
    hasSucceeded = measured.map { $0 >= enough } ?? false
    lastBytes = probe.bytes
    // One that is small shows little by itself.
    let mayFollow = probe.bytes >= Self.thoroughBytes || lastThorough.map { now - $0 >= Self.thoroughPause } ?? true
    if hasSucceeded, mayFollow {
      pause = Self.firstPause
      nextAt = now
    } else {
      hasSucceeded = false
      nextAt = now + pause
      pause = min(pause * 2, Self.longestPause)
    }
  }
}
