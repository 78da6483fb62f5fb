import CongestionControl
import Primitives
import Testing

@Suite struct SentPacketsTests {
  private func at(_ milliseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

  @Test func remembersWhenAndHowMuch() {
    var sent = SentPackets()
    defer { sent.deallocate() }
    sent.note(7, bytes: 1_200, probe: 3, now: at(5))
    guard case .known(let index) = sent.place(of: 7) else {
      Issue.record("not found")
      return
    }
    #expect(sent[index].sentAt == 5_000_000)
    #expect(sent[index].bytes == 1_200)
    #expect(sent[index].probe == 3)
    #expect(sent[index].fate == .inFlight)
    #expect(sent.bytes == 1_200)
  }

  @Test func tellsForgottenFromNeverSent() {
    var sent = SentPackets()
    defer { sent.deallocate() }
    for number in 0..<3_000 { sent.note(UInt16(number), bytes: 100, probe: 0, now: at(1)) }
    #expect(sent.place(of: 0) == .forgotten)
    #expect(sent.place(of: 1_975) == .forgotten)
    #expect(sent.place(of: 1_976) == .known(index: 952))
    #expect(sent.place(of: 2_999) == .known(index: 951))
    #expect(sent.place(of: 3_000) == .neverSent)
    #expect(sent.place(of: 65_535) == .neverSent)
  }

  @Test func goesOnAcrossTheWrap() {
    var sent = SentPackets()
    defer { sent.deallocate() }
    for number in 65_530..<65_545 { sent.note(UInt16(truncatingIfNeeded: number), bytes: 100, probe: 0, now: at(1)) }
    #expect(sent.place(of: 65_530) != .neverSent)
    #expect(sent.place(of: 8) != .neverSent)
    #expect(sent.place(of: 9) == .neverSent)
    #expect(sent.place(of: 65_529) == .neverSent)
  }

  @Test func nothingIsKnownAtTheStart() {
    let sent = SentPackets()
    defer { sent.deallocate() }
    #expect(sent.place(of: 0) == .neverSent)
  }

  @Test func anEntryTakesSixteenBytes() {
    #expect(MemoryLayout<SentPackets.Entry>.stride <= 16)
    #expect(SentPackets.capacity * MemoryLayout<SentPackets.Entry>.stride <= 32 * 1_024)
  }
}
