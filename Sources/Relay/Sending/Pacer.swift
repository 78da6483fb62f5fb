import Primitives

/// Lets no more leave at once than a link takes without a queue: a leaky bucket.
///
/// What a frame needs leaves at once; a keyframe is spread over the time that the link needs for it.
struct Pacer: BitwiseCopyable {
  /// Off where nothing tells what the link bears.
  private(set) var isActive = false
  private var bytesPerSecond = 0
  /// Bytes that may leave at once.
  private var limit = 0
  /// Bytes that may leave now; negative after a packet that was larger than what was left.
  private(set) var budget = 0
  private var refilledAt: MonotonicTime

  /// A few packets, so that small frames keep together: what may leave at once over all but slow links.
  static let smallBurst = 8 * 1_200
  /// A slow link takes less at once, as time at the pacing rate, or else sound would wait behind it; two packets anyhow.
  static let slowBurst = TimeInterval64.milliseconds(150)
  static let leastBurst = 2 * 1_200
  /// What may leave at once, as time at the pacing rate.
  static let burst = TimeInterval64.milliseconds(25)

  init(now: MonotonicTime) {
    refilledAt = now
  }

  /// - Parameter limit: Bytes that may leave at once; nil for what suits a viewer's link.
  mutating func setRate(_ bitsPerSecond: Int, now: MonotonicTime, limit: Int? = nil) {
    refill(now)
    bytesPerSecond = max(0, bitsPerSecond / 8)
    self.limit = limit ?? Self.limit(bytesPerSecond)
    budget = min(budget, self.limit)
    isActive = true
  }

  /// Begins on a link of which nothing is known: `bytes` may leave at once, what follows at a careful rate.
  mutating func begin(_ bitsPerSecond: Int, bytes: Int, now: MonotonicTime) {
    setRate(bitsPerSecond, now: now)
    budget = bytes
  }

  mutating func deactivate() {
    isActive = false
  }

  @inline(__always)
  mutating func refill(_ now: MonotonicTime) {
    let elapsed = min((now - refilledAt).nanoseconds, 1_000_000_000)
    // Shorter steps would lose what is less than a byte.
    guard elapsed >= 100_000 else { return }
    refilledAt = now
    // What was given at the beginning is above the limit, and stays until it is used.
    budget = max(budget, min(budget &+ Int(Double(bytesPerSecond) * Double(elapsed) / 1e9), limit))
  }

  @inline(__always)
  mutating func spend(_ bytes: Int) {
    guard isActive else { return }
    // A debt of more than a second would never be paid in time.
    budget = max(budget &- bytes, -max(bytesPerSecond, Self.smallBurst))
  }

  private static func limit(_ bytesPerSecond: Int) -> Int {
    let slow = max(leastBurst, Int(Double(bytesPerSecond) * slowBurst.seconds))
    return max(min(smallBurst, slow), Int(Double(bytesPerSecond) * burst.seconds))
  }
}
