/// The media threads on which a source is mirrored, and what they know it by.
struct Mirrors: BitwiseCopyable {
  /// A bit for each thread.
  private(set) var threads: UInt64 = 0
  /// As in ``HandoverEntry/source``.
  private(set) var number: UInt32 = 0

  /// Media threads that one node can have: a bit each.
  static let maximumThreads = 64

  var isEmpty: Bool { threads == 0 }

  mutating func insert(_ thread: Int, as number: UInt32) {
    threads |= 1 << UInt64(thread)
    self.number = number
  }

  mutating func remove(_ thread: Int) {
    threads &= ~(1 << UInt64(thread))
  }
}
