import Primitives
import SRTP
import Testing

@Suite struct PacketIndexTests {
  struct Case {
    let highest: Int64
    let number: UInt16
    let expected: Int64
  }

  /// RFC 3711 appendix A, and its edges.
  static let cases: [Case] = [
    Case(highest: -1, number: 65_535, expected: 65_535),
    Case(highest: -1, number: 0, expected: 0),
    Case(highest: 10, number: 11, expected: 11),
    Case(highest: 65_535, number: 0, expected: 65_536),
    Case(highest: 65_536, number: 65_535, expected: 65_535),
    Case(highest: 32_767, number: 65_535, expected: 65_535),
    Case(highest: 98_303, number: 65_535, expected: 131_071),
    Case(highest: 98_302, number: 65_535, expected: 65_535),
    Case(highest: 98_304, number: 0, expected: 65_536),
    Case(highest: 98_305, number: 0, expected: 131_072),
    // Rollover 0 has nothing before it.
    Case(highest: 5, number: 65_530, expected: 65_530),
    // One more than a key may protect.
    Case(highest: 0xffff_ffff_ffff, number: 0, expected: 1 << 48),
  ]

  @Test(arguments: cases)
  func estimatesTheNearestIndex(_ row: Case) {
    #expect(PacketIndex.estimate(sequenceNumber: row.number, highest: row.highest) == row.expected)
  }
}

@Suite struct ReplayWindowTests {
  /// Against a set of all numbers seen, over random walks with small and huge jumps.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func agreesWithASetOfEverythingSeen(seed: UInt64) {
    var random = RandomSource.seeded(seed)
    var window = ReplayWindow<2>()
    var seen: Set<Int64> = []
    var highest: Int64 = -1
    for _ in 0..<5_000 {
      let jump = Int64(random.next() % 40 == 0 ? random.next() % 1_000 : random.next() % 6)
      let number = max(0, highest + jump - Int64(random.next() % 140))
      let expected: SRTPRejection? =
        number > highest ? nil : highest - number >= 128 ? .tooOld : seen.contains(number) ? .replayed : nil
      #expect(window.objection(to: number) == expected)
      guard expected == nil else { continue }
      window.accept(number)
      seen.insert(number)
      highest = max(highest, number)
      #expect(window.highest == highest)
    }
  }
}
