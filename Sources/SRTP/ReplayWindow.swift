/// Which packet numbers were accepted, among the highest and those just below it (RFC 3711 §3.3.2).
///
/// A ring of bits in plain memory: number `n` has bit `n % size`. Hot path: no allocation, no ARC.
package struct ReplayWindow<let words: Int>: BitwiseCopyable {
  /// Packets that the window tells apart.
  package static var size: Int64 { Int64(words) * 64 }

  /// The highest accepted number; -1 before the first.
  package private(set) var highest: Int64 = -1
  private var bits = InlineArray<words, UInt64>(repeating: 0)

  package init() {}

  /// Why `number` must not be accepted; nil when it is fresh.
  @inline(__always)
  package func objection(to number: Int64) -> SRTPRejection? {
    if number > highest { return nil }
    if highest &- number >= Self.size { return .tooOld }
    return bits[Self.word(of: number)] & Self.mask(of: number) == 0 ? nil : .replayed
  }

  /// Records `number`, which must be authentic and fresh.
  @inline(__always)
  package mutating func accept(_ number: Int64) {
    if number > highest {
      forget(from: highest &+ 1, upTo: number)
      highest = number
    }
    bits[Self.word(of: number)] |= Self.mask(of: number)
  }

  /// Clears the bits that the numbers from `first` to `last` reuse.
  @inline(__always)
  private mutating func forget(from first: Int64, upTo last: Int64) {
    if last &- first >= Self.size {
      bits = InlineArray(repeating: 0)
      return
    }
    var number = first
    while number <= last {
      bits[Self.word(of: number)] &= ~Self.mask(of: number)
      number &+= 1
    }
  }

  @inline(__always)
  private static func word(of number: Int64) -> Int {
    Int(truncatingIfNeeded: number >> 6) % words
  }

  @inline(__always)
  private static func mask(of number: Int64) -> UInt64 {
    1 << UInt64(truncatingIfNeeded: number & 63)
  }
}
