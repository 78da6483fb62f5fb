import CongestionControl
import Primitives
import Testing

@Suite struct ReceiverClockTests {
  private func at(_ seconds: Double) -> MonotonicTime { .zero + .seconds(seconds) }

  @Test func followsTheWrapOfTheReferenceTime() {
    var clock = ReceiverClock()
    #expect(clock.read(0xff_fffe, now: at(10)) == .ticks(0xff_fffe * 256))
    #expect(clock.read(0x00_0001, now: at(10.2)) == .ticks(0x100_0001 * 256))
  }

  @Test func takesFeedbackThatWasOvertaken() {
    var clock = ReceiverClock()
    _ = clock.read(100, now: at(10))
    #expect(clock.read(98, now: at(10.01)) == .ticks(98 * 256))
  }

  @Test(arguments: [UInt32(100 + 200), 0xff_ff00, 0x80_0000]) func doesNotBelieveAJump(reference: UInt32) {
    var clock = ReceiverClock()
    _ = clock.read(100, now: at(10))
    #expect(clock.read(reference, now: at(10.1)) == .implausible)
    #expect(clock.read(102, now: at(10.2)) == .ticks(102 * 256))
  }

  @Test func believesAClockThatWasSet() {
    var clock = ReceiverClock()
    _ = clock.read(100, now: at(10))
    #expect(clock.read(10_000, now: at(10.1)) == .implausible)
    #expect(clock.read(10_001, now: at(10.2)) == .implausible)
    #expect(clock.read(10_002, now: at(10.3)) == .restarted(10_002 * 256))
    #expect(clock.read(10_003, now: at(10.4)) == .ticks(10_003 * 256))
  }

  @Test func aPauseIsNoJump() {
    var clock = ReceiverClock()
    _ = clock.read(100, now: at(10))
    #expect(clock.read(100 + 10_000, now: at(650)) == .ticks(10_100 * 256))
  }
}
