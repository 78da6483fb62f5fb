import Primitives

/// Whether a media thread has time to spare, and if not, how much it can forward.
///
/// Once a second: what the thread used of a processor, and what it sent meanwhile. A pure function of what it is told.
package struct ThreadLoad {
  /// What the thread can forward, bits per second; nil while it has time to spare.
  package private(set) var bitsPerSecond: Int?
  private var measuredAt: MonotonicTime
  private var processorTime: UInt64 = 0
  private var bytesSent: UInt64 = 0

  package static let interval = TimeInterval64.milliseconds(1_000)
  /// Share of a processor beyond which pictures are reduced: what is left takes bursts and handshakes.
  static let high = 0.85
  /// Share below which more is tried.
  static let low = 0.7
  /// By how much more each second.
  private static let growth = 1.15

  package init(now: MonotonicTime) {
    measuredAt = now
  }

  /// Takes the thread's counters; call it as often as you like.
  ///
  /// - Parameters:
  ///   - processorTime: Nanoseconds since the thread began.
  ///   - bytesSent: Since the thread began.
  package mutating func update(processorTime: UInt64, bytesSent: UInt64, now: MonotonicTime) {
    let elapsed = now - measuredAt
    guard elapsed >= Self.interval else { return }
    let share = Double(processorTime &- self.processorTime) / Double(elapsed.nanoseconds)
    let sent = Double(bytesSent &- self.bytesSent) * 8 / elapsed.seconds
    (self.processorTime, self.bytesSent, measuredAt) = (processorTime, bytesSent, now)
    if share > Self.high {
      bitsPerSecond = Int(sent * Self.high / share)
    } else if let limit = bitsPerSecond, share < Self.low {
      // Far above what is sent the limit means nothing any more.
      let larger = Double(limit) * Self.growth
      bitsPerSecond = larger > sent * 2 ? nil : Int(larger)
    }
  }
}
