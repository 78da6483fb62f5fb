import MediaClient
import Testing

@Suite("Sequence accounts")
struct SequenceAccountTests {
  @Test(arguments: [
    ([10, 11, 12], 3, 3, 0),
    ([10, 12, 13], 4, 3, 0),
    ([10, 12, 11, 13], 4, 4, 0),
    ([10, 11, 11, 10, 12], 3, 3, 2),
    ([10, 13, 11, 11, 12], 4, 4, 1),
    // One before the first was never expected.
    ([10, 9, 11], 2, 2, 0),
    // Far apart but within the window, and back to fill the hole.
    ([0, 4_095, 1], 4_096, 3, 0),
  ])
  func `expected, received and duplicate packets are told apart`(
    numbers: [Int64], expected: UInt64, received: UInt64, duplicates: UInt64
  ) {
    var account = SequenceAccount()
    for number in numbers { _ = account.insert(number) }
    #expect(account.expected == expected)
    #expect(account.received == received)
    #expect(account.lost == expected - received)
    #expect(account.duplicates == duplicates)
  }

  @Test func `each arrival is named`() {
    var account = SequenceAccount()
    #expect(account.insert(5_000) == .first)
    #expect(account.insert(5_003) == .newest)
    #expect(account.insert(5_001) == .late)
    #expect(account.insert(5_001) == .duplicate)
    #expect(account.insert(4_999) == .outside)
    #expect(account.insert(5_003 + SequenceAccount.window - 1) == .newest)
    #expect(account.insert(5_002) == .outside)
    #expect(account.insert(50_000) == .restart)
    #expect(account.restarts == 1)
  }

  @Test func `a number a whole window later is not taken for a duplicate`() {
    var account = SequenceAccount()
    for number in 0..<(3 * SequenceAccount.window) where number % 100 != 7 { _ = account.insert(number) }
    #expect(account.duplicates == 0)
    // A number that was left out is still missing, whatever stood in its place a window before.
    #expect(account.insert(3 * SequenceAccount.window - 81) == .late)
    #expect(account.expected == UInt64(3 * SequenceAccount.window))
    #expect(account.lost == UInt64((0..<(3 * SequenceAccount.window)).count { $0 % 100 == 7 }) - 1)
  }
}
