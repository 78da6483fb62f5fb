import Primitives

/// Lets no more leave at once than a link takes without a queue: a leaky bucket.
///
/// What a frame needs leaves at once; a keyframe is spread over the time that the link needs for it.
struct Pacer: BitwiseCopyable {
  /// Off until the viewer's feedback tells what its link bears.
  private(set) var isActive = false
  private var bytesPerSecond = 0
  /// Bytes that may leave now; negative after a packet that was larger than what was left.
  private(set) var budget = 0
  private var refilledAt: MonotonicTime

  /// The least that may leave at once: a few packets, so that small frames keep together.
  static let minimumBurst = 8 * 1_200
  /// What may leave at once, as time at the pacing rate.
  static let burst = TimeInterval64.milliseconds(25)

  init(now: MonotonicTime) {
    refilledAt = now
  }

  mutating func setRate(_ bitsPerSecond: Int, now: MonotonicTime, burst: TimeInterval64 = Pacer.burst) {
    refill(now, burst: burst)
    bytesPerSecond = max(0, bitsPerSecond / 8)
    isActive = true
  }

  mutating func deactivate() {
    isActive = false
  }

  @inline(__always)
  mutating func refill(_ now: MonotonicTime, burst: TimeInterval64 = Pacer.burst) {
    let elapsed = min((now - refilledAt).nanoseconds, 1_000_000_000)
    // Shorter steps would lose what is less than a byte.
    guard elapsed >= 100_000 else { return }
    refilledAt = now
    let limit = max(Self.minimumBurst, Int(Double(bytesPerSecond) * burst.seconds))
    budget = min(budget &+ Int(Double(bytesPerSecond) * Double(elapsed) / 1e9), limit)
  }

  @inline(__always)
  mutating func spend(_ bytes: Int) {
    guard isActive else { return }
    // A debt of more than a second would never be paid in time.
    budget = max(budget &- bytes, -max(bytesPerSecond, Self.minimumBurst))
  }
}
