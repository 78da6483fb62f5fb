import Primitives

/// Bits per second over the last whole measuring interval, or over the last few, the newest weighing most.
///
/// The first interval begins with the first bytes after a pause, not in the midst of it, and tells what came so far before
/// it is over: what has just begun would else look like a part of what it is, and through the weight of what was before
/// for seconds.
struct RateMeter: BitwiseCopyable {
  private(set) var bitsPerSecond = 0
  private var bytes = 0
  /// Nil while nothing comes.
  private var startedAt: MonotonicTime?
  /// Whether a whole interval was measured since the last pause.
  private var isSettled = false
  private let interval: TimeInterval64
  /// Of the newest interval; 1 to forget the others.
  private let weight: Double

  /// After so long there is a figure: a few pictures.
  static let firstLook = TimeInterval64.milliseconds(250)

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
    guard let startedAt else {
      if bytes > 0 { self.startedAt = now }
      return
    }
    let elapsed = now - startedAt
    guard elapsed >= (isSettled ? interval : Self.firstLook) else { return }
    let newest = Double(bytes) * 8 / elapsed.seconds
    // What begins and what ends shows at once.
    let isSteady = isSettled && bytes > 0
    bitsPerSecond = isSteady ? Int(Double(bitsPerSecond) + weight * (newest - Double(bitsPerSecond))) : Int(newest)
    guard elapsed >= interval else { return }
    isSettled = bytes > 0
    self.startedAt = bytes > 0 ? now : nil
    bytes = 0
  }
}
