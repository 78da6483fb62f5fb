import Gateway
import MediaServer
import Primitives
import Testing

/// Which changes of what viewers see reach the journal.
struct ViewDiaryTests {
  private static let peer: PeerID = {
    var random = RandomSource.seeded(3)
    return PeerID(using: &random)
  }()

  private static func time(_ seconds: Double) -> MonotonicTime { .zero + .seconds(seconds) }

  private static func view(_ shows: SlotView.Shown, _ reason: SlotView.Reason?, _ kind: MediaKind = .video) -> SlotView
  {
    SlotView(source: SourceID(1), kind: kind, shows: shows, reason: reason, linkBitsPerSecond: nil)
  }

  /// What is written of a slot that shows `steps`, by second, when it is looked at every half second.
  private static func lines(
    _ steps: [(second: Double, view: SlotView)], until end: Double = 20
  ) -> [(second: Double, entry: ViewDiary.Entry)] {
    var diary = ViewDiary()
    var lines: [(Double, ViewDiary.Entry)] = []
    for tick in 0...Int(end * 2) {
      let second = Double(tick) / 2
      for step in steps where step.second == second {
        diary.note(step.view, slot: "0", of: peer, now: time(second))
      }
      for entry in diary.takeDue(time(second)) { lines.append((second, entry)) }
    }
    return lines
  }

  @Test func whatAFullNodeTakesAndGivesBackIsWrittenAtOnce() {
    let lines = Self.lines([(1, Self.view(.stills, .overload)), (6, Self.view(.layer(2), nil))])
    #expect(lines.map(\.second) == [1, 6])
    #expect(lines.map(\.entry.from) == [.full, .init(shows: .stills, reason: .overload)])
    #expect(lines.map(\.entry.to) == [.init(shows: .stills, reason: .overload), .full])
    #expect(lines.allSatisfy { $0.entry.peer == Self.peer && $0.entry.slot == "0" && $0.entry.source == SourceID(1) })
  }

  @Test func aBurstIsWrittenOnceWithHowItEnds() {
    let lines = Self.lines([
      (1, Self.view(.layer(0), .overload)), (1.5, Self.view(.stills, .overload)), (2, Self.view(.audioOnly, .overload)),
    ])
    #expect(lines.map(\.second) == [1, 3])
    #expect(lines.last?.entry.from.shows == .layer(0) && lines.last?.entry.to.shows == .audioOnly)
  }

  @Test func whatIsTakenBackBeforeItIsWrittenLeavesNoTrace() {
    let steps = [
      (1.0, Self.view(.layer(0), .overload)), (1.5, Self.view(.all, nil)), (2, Self.view(.layer(0), .overload)),
    ]
    #expect(Self.lines(steps).map(\.second) == [1])
  }

  @Test func aWeakLineIsWrittenOnceItHasSettled() {
    let settled = Self.lines([(1, Self.view(.layer(0), .link)), (4, Self.view(.layer(1), .link))])
    #expect(settled.map(\.second) == [9])
    #expect(settled.map(\.entry.to) == [.init(shows: .layer(1), reason: .link)])
    let wavering = Self.lines([(1, Self.view(.layer(0), .link)), (4, Self.view(.layer(2), nil))])
    #expect(wavering.isEmpty)
  }

  @Test(arguments: [
    view(.all, nil), view(.layer(2), nil), view(.layer(0), .wanted), view(.audioOnly, .overload, .audio),
  ])
  func whatNobodyTookIsNotWritten(view: SlotView) {
    #expect(Self.lines([(1, view)]).isEmpty)
  }

  @Test func nothingIsWrittenOfWhoIsGone() {
    var diary = ViewDiary()
    diary.note(Self.view(.layer(0), .link), slot: "0", of: Self.peer, now: .zero)
    #expect(diary.isWaiting)
    diary.forget(Self.peer)
    #expect(!diary.isWaiting)
    #expect(diary.takeDue(Self.time(60)).isEmpty)
  }

  @Test func theNumberOfSlotsIsBounded() {
    var diary = ViewDiary()
    for number in 0...ViewDiary.maximumSlots {
      diary.note(Self.view(.stills, .overload), slot: "\(number)", of: Self.peer, now: .zero)
    }
    #expect(diary.takeDue(.zero).count == ViewDiary.maximumSlots)
  }
}
