import Primitives

/// Lets no more pictures leave than the node's line takes: who is less urgent waits a moment.
///
/// The allocator divides the line by rates, which are means; keyframes, replays and a call that has just begun come in lumps.
/// Everything that leaves is spent here. Sound and the most urgent pictures never wait, so that they may take more than
/// there is; the others leave while there is something left, the less urgent ones only while there is more of it.
struct NodePacer: BitwiseCopyable {
  private var pacer: Pacer
  private var burstBytes = 0

  init() {
    pacer = Pacer(now: .zero)
  }

  /// Off while the node has no limit.
  @inline(__always)
  var isActive: Bool { pacer.isActive }

  /// - Parameter limit: What the node may send, bits per second; nil for no limit.
  mutating func setLimit(_ limit: Int?, now: MonotonicTime) {
    guard let limit else { return pacer.deactivate() }
    // What the allocator lets pass in the mean must not queue up here.
    let rate = min(max(limit, 0), Self.maximumRate) * Self.rateThousandths / 1000
    burstBytes = max(Pacer.smallBurst, Int(Double(rate / 8) * Self.burst.seconds))
    pacer.setRate(rate, now: now, limit: burstBytes)
  }

  @inline(__always)
  mutating func refill(_ now: MonotonicTime) {
    pacer.refill(now)
  }

  @inline(__always)
  mutating func spend(_ bytes: Int) {
    pacer.spend(bytes)
  }

  /// Whether a picture may leave now.
  ///
  /// - Parameter reserve: Thousandths of a burst that it leaves to others; nil for one that never waits.
  @inline(__always)
  func bears(_ reserve: Int32?) -> Bool {
    guard pacer.isActive, let reserve else { return true }
    return pacer.budget > burstBytes * Int(reserve) / 1000
  }

  /// What a picture of `tier` leaves to more urgent ones.
  static func reserve(of tier: Tier) -> Int32? {
    switch tier.priority {
    case ...1: nil
    case 2: 0
    case 3: 250
    default: 500
    }
  }

  /// Share of the limit that may leave over some time: rungs that are shown may be kept at 104 % of it, and packets have
  /// headers.
  private static let rateThousandths = 1080
  /// Higher limits count as this one, bits per second.
  private static let maximumRate = 1 << 40
  /// What may leave at once after a pause, as time at the limit.
  private static let burst = TimeInterval64.milliseconds(60)
}
