import Primitives
import RTP
import Testing

@Suite struct NACKGeneratorTests {
  private let roundTripTime = TimeInterval64.milliseconds(40)

  private func generator(after numbers: [Int64], at time: MonotonicTime = .zero) -> NACKGenerator {
    var generator = NACKGenerator()
    for number in numbers { _ = generator.insert(number, now: time) }
    return generator
  }

  private func numbers(_ round: NACKGenerator.Round) -> [UInt16] { round.lost.map(\.rawValue) }

  @Test func packetsInOrderAskForNothing() {
    var generator = NACKGenerator()
    for number in 100..<2_000 as Range<Int64> {
      let insertion = generator.insert(number, now: .zero)
      #expect(insertion == .inOrder)
    }
    #expect(generator.deadline == nil)
    #expect(generator.missingCount == 0)
  }

  @Test func gapIsAskedForAfterTheReorderingTolerance() {
    var generator = generator(after: [10])
    let insertion = generator.insert(13, now: .milliseconds(100))
    #expect(insertion == .gap(missing: 2))
    #expect(generator.deadline == .milliseconds(105))
    let early = generator.takeRound(now: .milliseconds(104), roundTripTime: roundTripTime)
    #expect(early == NACKGenerator.Round())
    let due = generator.takeRound(now: .milliseconds(105), roundTripTime: roundTripTime)
    #expect(numbers(due) == [11, 12])
    #expect(!due.needsKeyframe)
  }

  @Test func reorderedPacketIsNeverAskedFor() {
    var generator = generator(after: [10, 12])
    let insertion = generator.insert(11, now: .milliseconds(1))
    #expect(insertion == .recovered)
    #expect(generator.deadline == nil)
    let round = generator.takeRound(now: .milliseconds(50), roundTripTime: roundTripTime)
    #expect(round == NACKGenerator.Round())
  }

  @Test func duplicateIsNotMissing() {
    var generator = generator(after: [10, 12])
    let insertions = [10, 12, 11, 11].map { generator.insert($0, now: .zero) }
    #expect(insertions == [.notMissing, .notMissing, .recovered, .notMissing])
  }

  @Test func retriesWaitForALittleMoreThanTheRoundTrip() throws {
    var generator = generator(after: [10, 12])
    var waits: [Int64] = []
    var last: MonotonicTime?
    for _ in 0..<5 {
      let now = try #require(generator.deadline)
      let round = generator.takeRound(now: now, roundTripTime: roundTripTime)
      #expect(numbers(round) == [11])
      if let last { waits.append((now - last).milliseconds) }
      last = now
    }
    #expect(waits == [50, 50, 50, 50])
  }

  @Test func shortRoundTripDoesNotFloodThePeer() throws {
    var generator = generator(after: [10, 12])
    _ = generator.takeRound(now: .milliseconds(5), roundTripTime: .milliseconds(1))
    #expect(try #require(generator.deadline) - .milliseconds(5) >= NACKGenerator.minimumRetryInterval)
  }

  @Test func giveUpAsksForAKeyframeOnce() throws {
    var generator = generator(after: [10, 12])
    var requests = 0
    var now = MonotonicTime.zero
    while let deadline = generator.deadline {
      now = deadline
      let round = generator.takeRound(now: now, roundTripTime: roundTripTime)
      requests += round.lost.count
      if round.needsKeyframe { break }
    }
    #expect((3...NACKGenerator.maximumRequests).contains(requests))
    #expect(generator.missingCount == 0)
    #expect(generator.deadline == nil)
    #expect(now - .zero == NACKGenerator.maximumAge)
    let after = generator.takeRound(now: now, roundTripTime: roundTripTime)
    #expect(!after.needsKeyframe)
  }

  @Test func tooLargeAHoleNeedsAKeyframeAtOnce() {
    var generator = generator(after: [10])
    let insertion = generator.insert(12 + Int64(NACKGenerator.maximumMissing), now: .milliseconds(7))
    #expect(insertion == .overflow)
    #expect(generator.deadline == .milliseconds(7))
    let round = generator.takeRound(now: .milliseconds(7), roundTripTime: nil)
    #expect(round == NACKGenerator.Round(lost: [], needsKeyframe: true))
    let next = generator.insert(13 + Int64(NACKGenerator.maximumMissing), now: .milliseconds(8))
    #expect(next == .inOrder)
  }

  @Test func largestHoleIsAskedForInSeveralRounds() {
    var generator = generator(after: [10, 11 + Int64(NACKGenerator.maximumMissing)])
    var asked: [UInt16] = []
    var rounds = 0
    while asked.count < NACKGenerator.maximumMissing, rounds < 10 {
      let round = generator.takeRound(now: .milliseconds(5), roundTripTime: roundTripTime)
      #expect(round.lost.count <= NACKGenerator.maximumPerRound)
      asked += numbers(round)
      rounds += 1
    }
    #expect(asked == Array(11...522))
  }

  @Test func keyframeEndsTheWaitForWhatLiesBefore() {
    var generator = generator(after: [10, 13, 15])
    generator.forget(before: 14)
    #expect(generator.missingCount == 1)
    let round = generator.takeRound(now: .milliseconds(5), roundTripTime: roundTripTime)
    #expect(numbers(round) == [14])
  }

  @Test func randomLossAndReorderingLeavesNothingUnasked() {
    var random = RandomSource.seeded(11)
    var generator = NACKGenerator()
    var now = MonotonicTime.zero
    var unasked: Set<UInt16> = []
    for number in 65_500..<69_000 as Range<Int64> {
      now = now + .milliseconds(1)
      if number > 65_500, number < 68_990, Int.random(in: 0..<20, using: &random) == 0 {
        unasked.insert(UInt16(truncatingIfNeeded: number))
        continue
      }
      _ = generator.insert(number, now: now)
      for lost in generator.takeRound(now: now, roundTripTime: roundTripTime).lost {
        unasked.remove(lost.rawValue)
        // The repair comes back at once.
        _ = generator.insert(number - ((number - Int64(lost.rawValue)) & 0xffff), now: now)
      }
    }
    #expect(unasked.isEmpty)
  }
}
