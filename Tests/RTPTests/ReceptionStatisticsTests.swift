import Primitives
import RTP
import Testing

@Suite struct ReceptionStatisticsTests {
  private func statistics(_ numbers: [UInt16]) -> ReceptionStatistics {
    var statistics = ReceptionStatistics(clockRate: 90_000)
    for number in numbers {
      statistics.update(sequenceNumber: SequenceNumber(number), timestamp: 0, arrival: .zero)
    }
    return statistics
  }

  @Test func nothingReceivedMeansNoBlock() {
    var empty = ReceptionStatistics(clockRate: 90_000)
    let block = empty.makeReportBlock(ssrc: SSRC(1), now: .zero)
    #expect(block == nil)
    #expect(empty.expected == 0)
  }

  @Test func highestNumberCountsCycles() {
    #expect(statistics([65_534, 65_535, 0, 1]).extendedHighestSequence == 0x1_0001)
    #expect(statistics([65_534, 0, 65_535]).extendedHighestSequence == 0x1_0000)
  }

  @Test func lossIsExpectedMinusReceived() {
    #expect(statistics([10, 11, 14, 15]).cumulativeLost == 2)
    #expect(statistics([10, 12, 11]).cumulativeLost == 0)
  }

  @Test func duplicatesMakeTheLossNegative() {
    #expect(statistics([10, 10, 10]).cumulativeLost == -2)
  }

  @Test func fractionCountsSinceTheLastReport() throws {
    var statistics = statistics([0, 1, 2, 3])
    _ = statistics.makeReportBlock(ssrc: SSRC(1), now: .zero)
    for number in [4, 5, 7] as [UInt16] {
      statistics.update(sequenceNumber: SequenceNumber(number), timestamp: 0, arrival: .zero)
    }
    let made = statistics.makeReportBlock(ssrc: SSRC(9), now: .zero)
    let block = try #require(made)
    #expect(block.ssrc == SSRC(9))
    #expect(block.fractionLost == 64)
    #expect(block.cumulativeLost == 1)
    let idle = statistics.makeReportBlock(ssrc: SSRC(9), now: .zero)
    #expect(idle?.fractionLost == 0)
  }

  @Test func jumpIsIgnoredUntilTheNextPacketConfirmsIt() {
    var statistics = statistics([10, 11])
    let outcomes = [30_000, 12, 40_000, 40_001].map {
      statistics.update(sequenceNumber: SequenceNumber($0), timestamp: 0, arrival: .zero)
    }
    #expect(outcomes == [.ignored, .counted, .ignored, .restarted])
    #expect(statistics.extendedHighestSequence == 40_001)
    #expect(statistics.received == 1)
    #expect(statistics.cumulativeLost == 0)
  }

  @Test func evenSpacingHasNoJitter() {
    var statistics = ReceptionStatistics(clockRate: 90_000)
    for index in 0..<100 as Range<UInt64> {
      statistics.update(
        sequenceNumber: SequenceNumber(UInt16(index)), timestamp: UInt32(index) * 900,
        arrival: .milliseconds(1_000_000_000 + index * 10))
    }
    #expect(statistics.jitter == 0)
  }

  @Test func jitterApproachesTheMeanDeviation() {
    // Every other packet is 5 ms late: |D| is 450 ticks each time, and A.8 converges on it.
    var statistics = ReceptionStatistics(clockRate: 90_000)
    for index in 0..<400 as Range<UInt64> {
      statistics.update(
        sequenceNumber: SequenceNumber(UInt16(index)), timestamp: UInt32(index) * 900,
        arrival: .milliseconds(index * 10 + index % 2 * 5))
    }
    #expect((445...451).contains(statistics.jitter))
  }

  @Test func firstJitterIsASixteenthOfTheDeviation() {
    var statistics = ReceptionStatistics(clockRate: 8_000)
    statistics.update(sequenceNumber: SequenceNumber(0), timestamp: 0, arrival: .zero)
    statistics.update(sequenceNumber: SequenceNumber(1), timestamp: 160, arrival: .milliseconds(60))
    #expect(statistics.jitter == 320 / 16)
  }

  @Test func blockAnswersTheSenderReport() throws {
    var statistics = statistics([1])
    statistics.noteSenderReport(ntpTime: NTPTimestamp(bits: 0x1111_2222_3333_4444), arrival: .milliseconds(1_000))
    let made = statistics.makeReportBlock(ssrc: SSRC(1), now: .milliseconds(6_250))
    let block = try #require(made)
    #expect(block.lastSenderReport == 0x2222_3333)
    #expect(block.delaySinceLastSenderReport == 0x0005_4000)
  }

  @Test func senderReportMapsTimestampsToTheWallClock() throws {
    var clock = SenderReportClock(clockRate: 90_000)
    #expect(clock.ntpTime(of: 1) == nil)
    let start = NTPTimestamp(unixNanoseconds: 1_700_000_000_000_000_000)
    clock.update(ntpTime: start, rtpTimestamp: 0xffff_ff00)
    #expect(clock.ntpTime(of: 0xffff_ff00) == start)
    // One second later, across the wrap; and one second earlier.
    #expect(clock.ntpTime(of: 0xffff_ff00 &+ 90_000) == start.advanced(by: .milliseconds(1_000)))
    #expect(clock.ntpTime(of: 0xffff_ff00 &- 90_000) == start.advanced(by: .milliseconds(-1_000)))
    #expect(clock.rtpTimestamp(at: start.advanced(by: .milliseconds(500))) == 0xffff_ff00 &+ 45_000)
    #expect(clock.rtpTimestamp(at: start.advanced(by: .milliseconds(-500))) == 0xffff_ff00 &- 45_000)
    clock.update(ntpTime: NTPTimestamp(bits: 0), rtpTimestamp: 5)
    #expect(clock.ntpTime(of: 0xffff_ff00) == start)
  }
}
