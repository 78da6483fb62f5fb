import Primitives
import Relay
import Testing

/// How often sound is repeated on a link.
@Suite struct LinkLossTests {
  struct Course: Sendable {
    var fractions: [UInt8]
    var expected: UInt8
  }

  struct Room: Sendable {
    var link: Int?
    var expected: UInt8
  }

  private static let start = MonotonicTime(nanoseconds: 1_000_000_000)

  @Test(
    "the share lost decides, and a few losses keep it on",
    arguments: [
      Course(fractions: [0, 7, 3], expected: 0), Course(fractions: [8], expected: 1),
      Course(fractions: [25, 0, 0], expected: 1), Course(fractions: [26], expected: 2),
      Course(fractions: [255, 8, 0], expected: 2), Course(fractions: [8, 26], expected: 2),
    ])
  func shares(_ test: Course) {
    var loss = LinkLoss()
    for fraction in test.fractions { loss.noteReport(fraction, now: Self.start) }
    #expect(loss.repetitions == test.expected)
  }

  @Test("it ends when nothing was lost for a while", arguments: [(UInt8(0), false), (2, false), (3, true), (8, true)])
  func ends(fraction: UInt8, isOn: Bool) {
    var loss = LinkLoss()
    loss.noteReport(20, now: Self.start)
    loss.noteReport(fraction, now: Self.start + .seconds(10))
    loss.update(now: Self.start + .seconds(14))
    #expect(loss.repetitions == 1)
    loss.update(now: Self.start + LinkLoss.hold)
    #expect((loss.repetitions > 0) == isOn)
    loss.update(now: Self.start + .seconds(10) + LinkLoss.hold)
    #expect(loss.repetitions == 0)
  }

  @Test(
    "a thin link is not filled up with repetitions",
    arguments: [
      Room(link: nil, expected: 2), Room(link: 0, expected: 0), Room(link: 40_000, expected: 0),
      Room(link: 100_000, expected: 0), Room(link: 130_000, expected: 1), Room(link: 150_000, expected: 1),
      Room(link: 200_000, expected: 2), Room(link: 5_000_000, expected: 2), Room(link: .max, expected: 2),
    ])
  func thinLinks(_ test: Room) {
    var loss = LinkLoss()
    loss.noteReport(100, now: Self.start)
    #expect(loss.repetitions(sound: 48_000, link: test.link) == test.expected)
    #expect(loss.repetitions(sound: 0, link: test.link) == 2)
    #expect(LinkLoss().repetitions(sound: 48_000, link: test.link) == 0)
  }

  @Test("feedback about the link itself counts in place of reports on streams")
  func feedback() {
    var loss = LinkLoss()
    for step in UInt64(0)..<100 {
      let now = Self.start + .milliseconds(Int64(step) * 100)
      loss.noteFeedback(received: 30, missing: 0, now: now)
      loss.noteReport(50, now: now)
    }
    #expect(loss.repetitions == 0, "what is lost before the relay says nothing about the link")
    let later = Self.start + .seconds(10)
    for _ in 0..<10 { loss.noteFeedback(received: 10, missing: 2, now: later) }
    #expect(loss.repetitions == 2)
    loss.update(now: later + LinkLoss.hold)
    loss.noteReport(10, now: later + LinkLoss.hold)
    #expect(loss.repetitions == 1, "without feedback, reports count again")
  }
}
