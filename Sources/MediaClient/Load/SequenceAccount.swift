import Primitives

/// Counts what came of one stream and what did not, whatever the order, repairs and duplicates.
///
/// Unlike the counts of RFC 3550 it tells a duplicate from a repair, so that nothing hides a loss.
package struct SequenceAccount: Sendable {
  /// Numbers back for which a late packet can be told from a duplicate: 14 s of a 2.5 Mbit/s stream.
  package static let window: Int64 = 4_096

  /// What a packet was.
  package enum Arrival: Equatable, Sendable {
    case first
    /// The newest so far.
    case newest
    /// One that had been missing: reordered or repaired.
    case late
    case duplicate
    /// Older than the first packet or the window: not counted.
    case outside
    /// A jump further than the window: counting goes on from here and the hole is not counted.
    case restart
  }

  /// Numbers from the first to the highest.
  package private(set) var expected: UInt64 = 0
  /// Different numbers that came.
  package private(set) var received: UInt64 = 0
  package private(set) var duplicates: UInt64 = 0
  package private(set) var restarts: UInt64 = 0
  private var lowest: Int64 = 0
  private var highest: Int64?
  private var seen = [UInt64](repeating: 0, count: Int(Self.window / 64))

  package init() {}

  /// Numbers that never came, or have not yet.
  package var lost: UInt64 { expected - received }

  /// Notes a packet by its extended sequence number, which must not be negative.
  package mutating func insert(_ number: Int64) -> Arrival {
    guard let highest else {
      begin(at: number)
      return .first
    }
    if number > highest { return advance(to: number, from: highest) }
    guard number >= lowest, number > highest - Self.window else { return .outside }
    guard !contains(number) else {
      duplicates += 1
      return .duplicate
    }
    mark(number)
    return .late
  }

  private mutating func begin(at number: Int64) {
    for word in seen.indices { seen[word] = 0 }
    lowest = number
    highest = number
    expected += 1
    mark(number)
  }

  private mutating func advance(to number: Int64, from highest: Int64) -> Arrival {
    guard number - highest < Self.window else {
      restarts += 1
      begin(at: number)
      return .restart
    }
    for skipped in (highest + 1)..<number { clear(skipped) }
    // The new number's bit may still be set for the one a window before.
    clear(number)
    expected += UInt64(number - highest)
    self.highest = number
    mark(number)
    return .newest
  }

  private static func place(_ number: Int64) -> (word: Int, bit: UInt64) {
    let slot = Int(number & (window - 1))
    return (slot >> 6, 1 << UInt64(slot & 63))
  }

  private func contains(_ number: Int64) -> Bool {
    let (word, bit) = Self.place(number)
    return seen[word] & bit != 0
  }

  private mutating func mark(_ number: Int64) {
    let (word, bit) = Self.place(number)
    seen[word] |= bit
    received += 1
  }

  private mutating func clear(_ number: Int64) {
    let (word, bit) = Self.place(number)
    seen[word] &= ~bit
  }
}
