import Primitives

/// Bits per second over the last whole measuring interval, or over the last few, the newest weighing most.
struct RateMeter: BitwiseCopyable {
  private(set) var bitsPerSecond = 0
  private var bytes = 0
  private var startedAt = MonotonicTime.zero
  private let interval: TimeInterval64
  /// Of the newest interval; 1 to forget the others.
  private let weight: Double

  init(interval: TimeInterval64 = .milliseconds(500), weight: Double = 1) {
    self.interval = interval
    self.weight = weight
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
    let newest = Double(bytes) * 8 / elapsed.seconds
    // What begins and what ends shows at once.
    let isSteady = bitsPerSecond > 0 && bytes > 0
    bitsPerSecond = isSteady ? Int(Double(bitsPerSecond) + weight * (newest - Double(bitsPerSecond))) : Int(newest)
    bytes = 0
    startedAt = now
  }
}
