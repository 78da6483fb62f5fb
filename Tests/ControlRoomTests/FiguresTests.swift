import ControlRoom
import Incidents
import JSON
import Primitives
import Testing

@Suite("Figures")
struct FiguresTests {
  private static let start = UTCTime(seconds: 1_795_403_482)

  /// A journal told as steps: seconds since the start, kind, payload.
  private func journal(
    named name: String = "26-1", exercise: Bool = false, at beginning: UTCTime = start,
    _ steps: [(Double, EventKind, JSONValue)]
  ) throws -> [JournalEvent] {
    let id = try #require(IncidentID(name))
    let opened: (Double, EventKind, JSONValue) = (
      0, .opened,
      ["agency": "metro", "priority": "P2", "exercise": .bool(exercise), "origin": "operator"]
    )
    return ([opened] + steps).enumerated().map { index, step in
      JournalEvent(
        incident: id, number: index + 1, time: beginning + .seconds(step.0), actor: .system, kind: step.1.rawValue,
        payload: step.2, clientID: nil, previousHash: JournalEvent.genesisHash)
    }
  }

  private func report(
    _ journals: [JournalEvent]..., exercise: Bool = false, agency: String = "metro", after seconds: Double = 60
  ) -> FigureReport {
    var book = FigureBook()
    for event in journals.joined() { book.take(event) }
    let now = Self.start + .seconds(seconds)
    return book.report(agency: agency, isExercise: exercise, hours: now.hour - 100..<now.hour + 100, now: now)
  }

  private func stage(_ seconds: Double, _ stage: CallerStage, _ reason: CallerFailure? = nil) -> (
    Double, EventKind, JSONValue
  ) {
    (
      seconds, .callerStage,
      .members([
        "caller": "c-1", "stage": .string(stage.rawValue), "reason": reason.map { .string($0.rawValue) },
      ])
    )
  }

  private let added: (Double, EventKind, JSONValue) = (1, .callerAdded, ["caller": "c-1"])

  @Test(arguments: [
    (0.0, 1), (0.5, 1), (1, 1), (1.01, 2), (15, 15), (15.01, 16), (119.5, 120), (120, 120), (120.01, nil), (1e9, nil),
  ])
  func secondsFallIntoTheBinThatEndsWithThem(seconds: Double, bin: Int?) {
    var histogram = SecondsHistogram()
    histogram.add(seconds)
    #expect(histogram.percentile(0.5) == bin)
    #expect(histogram.beyond == (bin == nil ? 1 : 0))
    #expect(histogram.total == 1)
  }

  @Test func sharesAreCountedWithinTheSecond() {
    var histogram = SecondsHistogram()
    for seconds in [3.0, 14.9, 15, 15.1, 19, 25, 400] { histogram.add(seconds) }
    #expect(histogram.count(within: 15) == 3)
    #expect(histogram.count(within: 20) == 5)
    #expect(histogram.percentile(0.5) == 16)
    #expect(histogram.percentile(0.95) == nil)
  }

  @Test func anAnswerIsTheFirstTimeThatSomebodyTookIt() throws {
    let figures = report(
      try journal([
        (2, .stateChanged, ["state": "queued"]), (9, .stateChanged, ["state": "active"]),
        (20, .stateChanged, ["state": "monitored"]), (30, .stateChanged, ["state": "active"]),
      ]))
    #expect(figures.sum.opened == 1)
    #expect(figures.sum.answers.total == 1)
    #expect(figures.sum.answers.percentile(1) == 9)
    #expect(figures.openNow == 1)
    #expect(figures.waitingNow == 0)
  }

  @Test func theFunnelCountsHowFarASessionCame() throws {
    let figures = report(
      try journal([
        added, stage(2, .linkSent), stage(6, .opened), stage(7, .cameraOK), stage(8, .connecting), stage(10, .live),
      ]))
    #expect(figures.sum.reached == [1, 1, 1, 1, 1, 1, 1])
    #expect(figures.sum.dropOuts.isEmpty)
    #expect(figures.sum.openedToLive.percentile(1) == 4)
    #expect(figures.sum.sentToLive.percentile(1) == 8)
    #expect(figures.liveNow == 1)
  }

  @Test(arguments: [
    (
      [CallerStage.opened], CallerStage.failed, CallerFailure?.some(.permissionDenied), CallerStage.opened,
      "permissionDenied"
    ),
    ([CallerStage.linkSent], .expired, CallerFailure?.none, .linkSent, "expired"),
    ([], .declined, CallerFailure?.some(.noSmartphone), .requested, "noSmartphone"),
    ([.opened, .locationOK], .ended, CallerFailure?.none, .locationOK, "ended"),
  ])
  func whoIsLostIsCountedWithTheReason(
    before: [CallerStage], last: CallerStage, reason: CallerFailure?, after: CallerStage, words: String
  ) throws {
    let figures = report(try journal([added] + before.map { stage(3, $0) } + [stage(5, last, reason)]))
    #expect(figures.sum.dropOuts == [FigureHour.DropOut(after: after, reason: words): 1])
  }

  @Test func whoComesBackAfterAFailureIsNotLost() throws {
    let figures = report(
      try journal([added, stage(2, .opened), stage(3, .failed, .connectionFailed), stage(9, .live)]))
    #expect(figures.sum.dropOuts.isEmpty)
    #expect(figures.sum.reached.last == 1)
  }

  @Test func whoWasLiveIsNotLostByTheEnd() throws {
    let figures = report(
      try journal([
        added, stage(2, .opened), stage(3, .live), stage(50, .ended), (55, .stateChanged, ["state": "ended"]),
      ]))
    #expect(figures.sum.dropOuts.isEmpty)
    #expect(figures.liveNow == 0)
    #expect(figures.openNow == 0)
  }

  @Test func anIncidentThatEndsLosesWhoWasOnTheWay() throws {
    let figures = report(try journal([added, stage(2, .opened), (5, .stateChanged, ["state": "cancelled"])]))
    #expect(figures.sum.dropOuts == [FigureHour.DropOut(after: .opened, reason: "incidentOver"): 1])
  }

  @Test func exercisesAndOtherAgenciesAreNotMixedIn() throws {
    let (real, drill) = (try journal(named: "26-1", []), try journal(named: "26-2", exercise: true, []))
    #expect(report(real, drill).sum.opened == 1)
    #expect(report(real, drill, exercise: true).sum.opened == 1)
    #expect(report(real, drill, agency: "other").sum.opened == 0)
  }

  @Test func presenceCountsOnceAnHour() throws {
    let watching: (Double, Bool) -> (Double, EventKind, JSONValue) = { seconds, isOn in
      (seconds, .watching, ["on": .bool(isOn), "account": "a-1", "role": "operator", "name": "Ada"])
    }
    let figures = report(
      try journal([
        added, stage(2, .live), watching(3, true), stage(60, .paused), stage(70, .live), watching(80, false),
        watching(90, true), watching(7_200, false), (7_201, .stateChanged, ["state": "ended"]),
      ]), after: 7_300)
    let hours = figures.hours.keys.sorted()
    #expect(hours.count == 3)
    for hour in hours {
      #expect(figures.hours[hour]?.openIncidents == 1)
      #expect(figures.hours[hour]?.liveCallers == 1)
      #expect(figures.hours[hour]?.viewers == 1)
    }
  }

  @Test func whatGoesOnIsCountedUntilNow() throws {
    let figures = report(try journal([added, stage(2, .live)]), after: 2 * 3_600)
    #expect(figures.hours.values.map(\.openIncidents).reduce(0, +) == 3)
    #expect(figures.hours.values.map(\.liveCallers).reduce(0, +) == 3)
  }

  @Test func aRecordingIsSealedAfterTheEnd() throws {
    let events = try journal([
      (1, .recording, ["state": "started"]), (5, .stateChanged, ["state": "ended"]),
      (9, .recording, ["state": "sealed"]),
    ])
    var book = FigureBook()
    for event in events.dropLast() { book.take(event) }
    #expect(book.followedCount == 1)
    book.take(events[2 + 1])
    #expect(book.followedCount == 0)
    #expect(report(events).sum.recorded == 1)
    #expect(report(events).sum.sealed == 1)
  }

  @Test func whatWasTakenInIsNotTakenInAgain() throws {
    let events = try journal([(3, .stateChanged, ["state": "active"])])
    #expect(report(events, events).sum.opened == 1)
  }

  @Test func aMonthLaterItIsForgotten() throws {
    let later = Self.start + .seconds(Double(FigureBook.horizon + 1) * 3_600)
    var book = FigureBook()
    for event in try journal(named: "26-1", [(3, .stateChanged, ["state": "ended"])]) { book.take(event) }
    for event in try journal(named: "26-2", at: later, []) { book.take(event) }
    let figures = book.report(agency: "metro", isExercise: false, hours: 0..<later.hour + 1, now: later)
    #expect(figures.sum.opened == 1)
    #expect(book.followedCount == 1)
  }

  @Test func theDeskReadsWhatWasBeforeAndFollowsWhatComes() async throws {
    let room = try await TestRoom()
    let before = try await room.open()
    let catalog = CatalogDesk(room: room.room)
    await catalog.catchUp()
    let desk = FigureDesk(room: room.room, catalog: catalog)
    #expect(!desk.isComplete)
    await desk.read()
    room.clock.advance(7)
    try await room.note(.stateChanged, ["state": "active"], in: before)
    _ = try await room.open()
    await desk.settle()
    let hour = TestClock.start.hour
    let figures = desk.report(agency: "metro", isExercise: false, hours: hour..<hour + 2)
    #expect(desk.isComplete)
    #expect(figures.sum.opened == 2)
    #expect(figures.sum.answers.percentile(1) == 7)
    #expect(figures.waitingNow == 1)
  }
}

@Suite("Audit search")
struct AuditSearchTests {
  @Test func findsBackwardsByPersonKindAndText() async throws {
    let room = try await TestRoom()
    let (ada, ben) = (person(.supervisor, "ada"), person(.auditor, "ben"))
    for number in 1...5 {
      try await room.room.audit.record(.access, ["what": .string("look \(number)")], by: ada.actor)
      try await room.room.audit.record(.settings, ["setting": .string("s\(number)")], by: ben.actor)
    }
    var query = AuditQuery()
    query.person = "ADA"
    let first = try await room.room.audit.search(query, before: nil, limit: 2)
    #expect(first.events.map { $0.payload["what"]?.string } == ["look 5", "look 4"])
    let rest = try await room.room.audit.search(query, before: first.next, limit: 10)
    #expect(rest.events.map { $0.payload["what"]?.string } == ["look 3", "look 2", "look 1"])
    #expect(rest.next == nil)
    query = AuditQuery()
    (query.kind, query.text) = (EventKind.settings.rawValue, "s3")
    #expect(try await room.room.audit.search(query, before: nil, limit: 10).events.count == 1)
  }
}
