import Primitives

/// What a viewer's repairs may take of its link: a leaky bucket.
///
/// What is lost at the end of a full queue is asked for again, and each repair fills the queue further: without a limit the
/// repairs of a narrow link keep it full for seconds.
package struct RepairBudget: BitwiseCopyable {
  /// Share of what the link bears, in hundredths: more than what common loss needs.
  package static let share = 25
  /// The same while the link's queue is long.
  package static let shareOfFullLink = 10
  /// Most that is saved up, as time at that rate, and in bytes: a lost frame is repaired at once.
  package static let burst = TimeInterval64.milliseconds(500)
  package static let minimumBurst = 12 * 1_200

  /// What a first picture's repairs may take besides, bytes: without them it would stand until the next keyframe.
  package static let first = 24 * 1_200

  private var bytes = RepairBudget.first
  private var refilledAt = MonotonicTime.zero

  package init() {}

  /// Whether a repair may leave over a link that bears `bitsPerSecond`.
  package mutating func bears(_ bitsPerSecond: Int, isFull: Bool, now: MonotonicTime) -> Bool {
    let rate = Double(bitsPerSecond * (isFull ? Self.shareOfFullLink : Self.share) / 100) / 8
    let elapsed = min(max(now - refilledAt, .zero), Self.burst)
    if elapsed >= .milliseconds(1) {
      refilledAt = now
      let limit = max(Self.minimumBurst, Int(rate * Self.burst.seconds))
      // What was given at the beginning stays until it is used.
      bytes = max(bytes, min(bytes + Int(rate * elapsed.seconds), limit))
    }
    return bytes > 0
  }

  /// Takes note of a repair of `count` bytes.
  package mutating func spend(_ count: Int) {
    bytes -= count
  }
}

/// When each of a slot's last packets was sent again.
///
/// Receivers that do not know the round trip ask anew before the first answer can have come. Memory is made with the first
/// repair and owned by whoever calls ``deallocate()``: most viewers never need one.
struct RepairTimes: BitwiseCopyable {
  private static let capacity = PacketRing.videoCapacity
  /// The lower halves of the number and of the time in milliseconds.
  private var entries: UnsafeMutablePointer<(number: UInt32, time: UInt32)>?

  func deallocate() {
    entries?.deallocate()
  }

  /// Notes a repair; false, and nothing is noted, when the last one was less than `interval` ago.
  mutating func note(_ number: Int64, after interval: TimeInterval64, now: MonotonicTime) -> Bool {
    let entries = self.entries ?? allocate()
    let place = Int(truncatingIfNeeded: number) & (Self.capacity - 1)
    let own = UInt32(truncatingIfNeeded: number)
    let time = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
    if entries[place].number == own, Int64(time &- entries[place].time) < interval.milliseconds { return false }
    entries[place] = (own, time)
    return true
  }

  private mutating func allocate() -> UnsafeMutablePointer<(number: UInt32, time: UInt32)> {
    let made = UnsafeMutablePointer<(number: UInt32, time: UInt32)>.allocate(capacity: Self.capacity)
    made.initialize(repeating: (.max, 0), count: Self.capacity)
    entries = made
    return made
  }
}
