import CongestionControl
import Primitives
import RTP
import Testing

/// Receivers that lie: nothing traps, and the target stays within its bounds.
@Suite struct HostileFeedbackTests {
  /// A viewer with a seed's worth of bad luck.
  private struct Attack {
    var random: RandomSource
    var sequence: UInt16
    var now = MonotonicTime.zero + .seconds(1)

    init(seed: UInt64) {
      random = .seeded(seed)
      sequence = UInt16(truncatingIfNeeded: random.next())
    }

    func number(_ range: ClosedRange<Int>, _ random: inout RandomSource) -> Int { .random(in: range, using: &random) }

    mutating func step(_ estimator: inout BandwidthEstimator) {
      now = now + .microseconds(Int64(number(0...(number(0...50, &random) == 0 ? 20_000_000 : 20_000), &random)))
      switch number(0...9, &random) {
      case 0...3:
        for _ in 0..<number(1...40, &random) {
          sequence &+= 1
          estimator.noteSent(
            sequence, bytes: number(0...2_000, &random), probe: UInt8(number(0...8, &random)), now: now)
        }
      case 4...6: estimator.receive(feedback(), now: now)
      case 7: estimator.receive(maximum: random.next() >> UInt64(number(0...63, &random)), now: now)
      case 8:
        estimator.receive(
          loss: UInt8(number(0...255, &random)),
          roundTripTime: TimeInterval64(nanoseconds: Int64(bitPattern: random.next())), now: now)
      default:
        estimator.setWanted(Int(truncatingIfNeeded: random.next()))
        estimator.tick(now: now)
        _ = estimator.takeProbe(now: now)
      }
    }

    /// Half of it about packets that were sent, with times as they please.
    private mutating func feedback() -> TransportFeedback {
      let isKnown = number(0...1, &random) == 0
      let back = UInt16(number(0...3_000, &random))
      let count = number(0...(number(0...20, &random) == 0 ? 8_192 : min(Int(back) + 1, 200)), &random)
      let wild = number(0...3, &random)
      let statuses = (0..<count).map { _ -> TransportFeedback.Status in
        if number(0...4, &random) == 0 { return .notReceived }
        switch wild {
        case 0: return .received(delta: Int16(truncatingIfNeeded: random.next()))
        case 1: return .received(delta: 0)
        default: return .received(delta: Int16(number(-20...60, &random)))
        }
      }
      let honest = UInt32(truncatingIfNeeded: now.nanoseconds / 64_000_000)
      return TransportFeedback(
        senderSSRC: SSRC(1), mediaSSRC: SSRC(2),
        baseSequence: SequenceNumber(isKnown ? sequence &- back : UInt16(truncatingIfNeeded: random.next())),
        referenceTime: number(0...3, &random) == 0 ? UInt32(truncatingIfNeeded: random.next()) : honest,
        feedbackCount: UInt8(truncatingIfNeeded: random.next()), statuses: statuses)
    }
  }

  @Test func aClockThatIsSetForwardForEverTrapsNothing() {
    var estimator = BandwidthEstimator(initial: 300_000, now: .zero)
    defer { estimator.deallocate() }
    let start = MonotonicTime.zero + .seconds(1)
    for sequence in 0..<20 as Range<UInt16> { estimator.noteSent(sequence, bytes: 1_200, probe: 0, now: start) }
    var reference: UInt32 = 0
    for count in 0..<60_000 {
      // The third implausible one in a row is believed.
      if count.isMultiple(of: 3) { reference = (reference &+ (1 << 23) &- 1) & 0xff_ffff }
      estimator.receive(
        TransportFeedback(
          senderSSRC: SSRC(1), mediaSSRC: SSRC(2), baseSequence: SequenceNumber(UInt16(count % 20)),
          referenceTime: reference, feedbackCount: UInt8(truncatingIfNeeded: count),
          statuses: [.received(delta: 4)]),
        now: start + .milliseconds(Int64(count)))
    }
    #expect(estimator.absurdFeedback > 1_000)
  }

  @Test(arguments: 1...40) func nothingTrapsAndTheTargetStaysWithinBounds(seed: UInt64) {
    var estimator = BandwidthEstimator(initial: 300_000, now: .zero)
    defer { estimator.deallocate() }
    var attack = Attack(seed: seed)
    for _ in 0..<3_000 {
      attack.step(&estimator)
      #expect((BandwidthEstimator.minimum...BandwidthEstimator.maximum).contains(estimator.target))
      #expect(estimator.queueDelay >= .zero)
    }
    #expect(estimator.absurdFeedback > 0)
  }

  @Test func aReceiverThatClaimsAllArrivedAtOnceGetsNoMoreThanIsWanted() {
    var estimator = BandwidthEstimator(initial: 300_000, now: .zero)
    defer { estimator.deallocate() }
    estimator.setWanted(2_000_000)
    var sequence: UInt16 = 0
    var probeBytes = (id: UInt8(0), left: 0)
    for step in 0..<6_000 {
      let now = MonotonicTime.zero + .milliseconds(Int64(step) * 10)
      estimator.tick(now: now)
      if let probe = estimator.takeProbe(now: now) { probeBytes = (probe.id, probe.bytes) }
      while probeBytes.left > 0 {
        sequence &+= 1
        estimator.noteSent(sequence, bytes: 600, probe: probeBytes.id, now: now)
        probeBytes.left -= 600
      }
      sequence &+= 1
      estimator.noteSent(sequence, bytes: 400, probe: 0, now: now)
      guard step % 10 == 9 else { continue }
      let statuses = Array(repeating: TransportFeedback.Status.received(delta: 0), count: 10)
      estimator.receive(
        TransportFeedback(
          senderSSRC: SSRC(1), mediaSSRC: SSRC(2), baseSequence: SequenceNumber(sequence &- 9),
          referenceTime: UInt32(step * 10 / 64), feedbackCount: 0, statuses: statuses), now: now)
    }
    #expect(estimator.target <= 2_500_000 * 5 / 4)
  }
}
