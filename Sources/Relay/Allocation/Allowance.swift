import Primitives

/// How much of a budget may be in use after a step: what keeps rungs from flapping.
///
/// Measured rates and estimates waver by 15 % either way. A slot that shows a rung may keep it a little over the budget
/// (``hold``); to get one, room must be left (``improve``), but for the base layer, which is worth a try (``begin``) but
/// for what is least urgent.
/// Where the last try failed lately, or the rung changed only a moment ago, so much room must be left that wavering
/// alone cannot account for it (``retry``): from `retry` to `hold` is farther than from 0.85 to 1.15.
enum Allowance: UInt64, CaseIterable {
  case hold
  case begin
  case improve
  case retry

  /// Share of the budget that may be in use, in thousandths.
  var thousandths: Int {
    switch self {
    case .hold: 1040
    case .begin: 1000
    case .improve: 893
    case .retry: 714
    }
  }
}

extension Allocator {
  /// What a link must be known to bear so that a rate is given to its viewer in any case, also after a failed try, in bits
  /// per second: a link that is probed for less would never be tried again.
  static func proof(of bitsPerSecond: Int) -> Int {
    min(max(bitsPerSecond, 0), maximumRate) * 1000 / Allowance.retry.thousandths
  }

  /// Share of a link, in thousandths, that the poorest picture may take before it is taken away.
  ///
  /// Estimates waver, and a picture that stutters tells more than none. Also the share of the node's budget that a first
  /// picture of priority 1 may take: what it is denied would serve nobody.
  package static let lastPictureThousandths = 1500
  /// For so long after a raise or a lowering, raising needs ``Allowance/retry``.
  static let restAfterChange = TimeInterval64.seconds(2)
  /// A raise that was taken back within this time has failed.
  static let trialOfRaise = TimeInterval64.seconds(10)
  /// For so long after the lowering that ended a failed raise, the next one needs ``Allowance/retry``.
  static let memoryOfFailure = TimeInterval64.seconds(10)
  /// Share of the node's budget that incidents of priority 3 and 4 leave free, in thousandths: a new viewer of a more
  /// urgent one finds room before anything had to be taken away.
  static let reserveThousandths = 100
  /// From this priority on, the reserve is left free.
  static let firstPriorityLeavingReserve = 3
}

/// Bits per second that may be used, and that are.
struct RateBudget {
  /// Nil for no limit.
  let bitsPerSecond: Int?
  private(set) var used = 0

  /// More counts as this much: sums and thousandths stay within an integer.
  static let maximum = 1 << 50

  /// - Parameter bitsPerSecond: Nil for no limit; less than nothing counts as nothing.
  init(_ bitsPerSecond: Int?) {
    self.bitsPerSecond = bitsPerSecond.map { min(max($0, 0), Self.maximum) }
  }

  /// Whether `step` more may be used; a step that costs nothing always may.
  ///
  /// - Parameter reserve: Thousandths of the budget to leave free.
  func bears(_ step: Int, _ allowance: Allowance, reserve: Int = 0) -> Bool {
    bears(step, thousandths: allowance.thousandths, reserve: reserve)
  }

  /// - Parameter thousandths: Share of what is open that may be in use afterwards.
  func bears(_ step: Int, thousandths: Int, reserve: Int = 0) -> Bool {
    guard let bitsPerSecond, step > 0 else { return true }
    let open = bitsPerSecond - bitsPerSecond * reserve / 1000
    return used + step <= open * thousandths / 1000
  }

  mutating func use(_ step: Int) {
    used += step
  }
}
