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

  /// Hundreds of viewers each keep one of these: it stays small where feedback comes in time.
  @Test func whatFeedbackToldOfGivesWay() {
    var sent = SentPackets()
    defer { sent.deallocate() }
    for number in 0..<3_000 {
      sent.note(UInt16(number), bytes: 100, probe: 0, now: at(UInt64(3 * number)))
      if number >= 50, case .known(let index) = sent.place(of: UInt16(number - 50)) {
        sent.setFate(.received, at: index)
      }
    }
    #expect(sent.place(of: 2_743) == .forgotten)
    #expect(sent.place(of: 2_744) != .forgotten)
  }

  @Test func whatFeedbackDidNotTellOfYetIsKept() {
    var sent = SentPackets()
    defer { sent.deallocate() }
    for number in 0..<1_024 { sent.note(UInt16(number), bytes: number, probe: 0, now: at(UInt64(3 * number))) }
    for number in 0..<1_024 {
      guard case .known(let index) = sent.place(of: UInt16(number)) else {
        Issue.record("\(number) is lost")
        continue
      }
      #expect(sent[index].bytes == UInt16(number))
      #expect(sent[index].sentAt == UInt64(3_000_000 * number))
    }
  }

  @Test func whatWasReportedLostIsKeptForHalfASecond() {
    var sent = SentPackets()
    defer { sent.deallocate() }
    for number in 0..<400 {
      sent.note(UInt16(number), bytes: 100, probe: 0, now: at(UInt64(number)))
      if case .known(let index) = sent.place(of: UInt16(number)) { sent.setFate(.lost, at: index) }
    }
    #expect(sent.place(of: 0) != .forgotten)
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

  @Test func timesAreExact() {
    var sent = SentPackets()
    defer { sent.deallocate() }
    let start: UInt64 = 987_654_321_987_654_321
    let steps: [UInt64] = [0, 1, 999_999_999, 20_000_000_000, 30_000_000_000]
    for (number, step) in steps.enumerated() {
      sent.note(UInt16(number), bytes: 1_500 + number, probe: 255, now: MonotonicTime(nanoseconds: start + step))
    }
    for (number, step) in steps.enumerated() {
      guard case .known(let index) = sent.place(of: UInt16(number)) else {
        Issue.record("\(number) is lost")
        continue
      }
      #expect(sent[index].sentAt == start + step)
      #expect(sent[index].bytes == UInt16(1_500 + number))
      #expect(sent[index].probe == 255)
      sent.setFate(.lost, at: index)
      #expect(sent[index].fate == .lost)
      #expect(sent[index].sentAt == start + step)
    }
  }
}
