import Primitives

/// What keyframes take, spread over a long time: bits per second.
///
/// A keyframe is as large as many pictures. Counted where it comes, each would make its layer look for a while as if it did
/// not fit any more; so it counts little at first, and for long.
struct KeyframeMeter: BitwiseCopyable {
  /// Over which a keyframe counts: to 1/e of its share.
  static let span = TimeInterval64.milliseconds(12_000)
  /// A layer without a keyframe for this long is not known to send any.
  static let lifetime = TimeInterval64.milliseconds(8_000)

  private var average = 0.0
  private var bytes = 0
  private var updatedAt: MonotonicTime?
  private var lastAt: MonotonicTime?
  /// Whether any came lately.
  private(set) var isActive = false

  var bitsPerSecond: Int { Int(average) }

  @inline(__always)
  mutating func add(_ count: Int) {
    bytes &+= count
  }

  /// Counts what came since the last time; to be called often beside ``span``.
  mutating func update(_ now: MonotonicTime) {
    let elapsed = min(max(now - (updatedAt ?? now), .zero), Self.span)
    updatedAt = now
    average -= average * (elapsed.seconds / Self.span.seconds)
    if bytes > 0 {
      average += Double(bytes) * 8 / Self.span.seconds
      bytes = 0
      lastAt = now
    }
    isActive = lastAt.map { now - $0 < Self.lifetime } ?? false
  }
}
