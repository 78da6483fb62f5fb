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
  /// How long a probe lasts, and its least bytes: a few packets, since one alone shows no rate.
  package static let length = TimeInterval64.milliseconds(25)
  package static let leastBytes = 3_000
  /// Below this rate, bits per second, a probe makes do with fewer bytes, in small packets: sound waits behind them.
  package static let slow = 400_000
  package static let leastBytesWhenSlow = 1_200
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

  /// The next probe, if it is time.
  ///
  /// - Parameters:
  ///   - isCalm: No queue, no loss, no decrease lately.
  ///   - maximum: Highest rate to probe for.
  package mutating func take(target: Int, maximum: Int, isCalm: Bool, now: MonotonicTime) -> BandwidthEstimator.Probe? {
    guard now >= nextAt else { return nil }
    let ceiling = min(wanted.map { $0 / 4 * Self.ceilingQuarters } ?? maximum, maximum)
    let hasRoom = target < min(wanted ?? maximum, maximum)
    let rate: Int
    if started < Self.startFactors.count {
      guard isCalm else { return nil }
      rate = min(initial * Self.startFactors[started], ceiling)
      started += 1
      nextAt = now + Self.startPause
      // The ceiling may leave nothing to learn beyond the first.
      guard rate > target, rate > startRate else { return nil }
      startRate = rate
    } else {
      guard wanted != nil, hasRoom, isCalm, waiting == 0 else { return nil }
      rate = min(max(target * factor, min(target * Self.nextFactor, Self.cheapest)), ceiling)
    }
    waiting += 1
    lastID = lastID == .max ? 1 : lastID + 1
    let bytes = Int(Double(rate) * Self.length.seconds / 8)
    let least = rate < Self.slow ? Self.leastBytesWhenSlow : Self.leastBytes
    return BandwidthEstimator.Probe(id: lastID, bitsPerSecond: rate, bytes: max(bytes, least))
  }

  private var factor: Int { hasSucceeded ? Self.nextFactor : Self.factor }

  /// Takes what a probe found, bits per second; nil for nothing.
  package mutating func finished(_ probe: BandwidthEstimator.Probe, measured: Double?, now: MonotonicTime) {
    waiting = max(waiting - 1, 0)
    let enough = Double(probe.bitsPerSecond * Self.successTenths / 10)
    hasSucceeded = measured.map { $0 >= enough } ?? false
    if hasSucceeded {
      pause = Self.firstPause
      nextAt = now
    } else {
      nextAt = now + pause
      pause = min(pause * 2, Self.longestPause)
    }
  }
}
