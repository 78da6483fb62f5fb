import Primitives

/// Bits per second over the last whole measuring interval.
struct RateMeter: BitwiseCopyable {
  private(set) var bitsPerSecond = 0
  private var bytes = 0
  private var startedAt = MonotonicTime.zero
  private let interval: TimeInterval64

  init(interval: TimeInterval64 = .milliseconds(500)) {
    self.interval = interval
  }

  /// Whether anything came in this interval or the last one.
  var isActive: Bool { bitsPerSecond > 0 || bytes > 0 }

  @inline(__always)
  mutating func add(_ count: Int) {
    bytes &+= count
  }

  /// Closes the interval when it is over.
  mutating func update(_ now: MonotonicTime) {
    let elapsed = now - startedAt
    guard elapsed >= interval else { return }
    bitsPerSecond = Int(Double(bytes) * 8 / elapsed.seconds)
    bytes = 0
    startedAt = now
  }
}
