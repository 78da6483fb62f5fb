import Primitives

/// What keyframes take, spread over a long time: bits per second.
///
/// A keyframe is as large as many pictures. Counted where it comes, each would make its layer look for a while as if it did
/// not fit any more; so it counts little, and for long.
struct KeyframeMeter: BitwiseCopyable {
  /// Over which a keyframe counts, to 1/e of its share; less while the first one is not so long ago.
  static let span = TimeInterval64.milliseconds(12_000)
  static let firstSpan = TimeInterval64.milliseconds(4_000)
  /// A layer without a keyframe for this long is not known to send any.
  static let lifetime = TimeInterval64.milliseconds(8_000)

  private var average = 0.0
  private var bytes = 0
  private var updatedAt = MonotonicTime.zero
  /// Nil before any.
  private var firstAt: MonotonicTime?
  private var lastAt = MonotonicTime.zero
  /// Whether any came lately.
  private(set) var isActive = false

  var bitsPerSecond: Int { Int(average) }

  @inline(__always)
  mutating func add(_ count: Int) {
    bytes &+= count
  }

  /// Counts what came since the last time; to be called often beside ``span``.
  mutating func update(_ now: MonotonicTime) {
    if bytes > 0, firstAt == nil { firstAt = now }
    guard let firstAt else { return }
    let span = min(max(now - firstAt, Self.firstSpan), Self.span)
    let elapsed = min(max(now - updatedAt, .zero), span)
    updatedAt = now
    average -= average * (elapsed.seconds / span.seconds)
    if bytes > 0 {
      average += Double(bytes) * 8 / span.seconds
      bytes = 0
      lastAt = now
    }
    isActive = now - lastAt < Self.lifetime
  }
}
