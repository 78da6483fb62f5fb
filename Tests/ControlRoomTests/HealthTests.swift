import ControlRoom
import Incidents
import Primitives
import Testing

/// What is wrong with a node, since when, and that it comes and goes with its cause.
@Suite("Health")
struct HealthTests {
  private static let now = UTCTime(seconds: 1_795_403_482)

  private static func ids(_ change: (inout HealthFacts) -> Void) -> [String] {
    var facts = HealthFacts(now: now)
    facts.sending[.sms] = SendingRecord()
    change(&facts)
    return facts.alarms.map { "\($0.id) \($0.level.rawValue)" }
  }

  @Test func aNodeThatIsWellHasNoAlarm() {
    #expect(Self.ids { _ in }.isEmpty)
  }

  @Test(
    arguments: [(79, nil), (80, "space attention"), (94, "space attention"), (95, "space urgent")] as [(Int, String?)])
  func roomForRecordings(fullness: Int, expected: String?) {
    let ids = Self.ids { facts in
      (facts.space.archive, facts.space.quota) = (fullness, 100)
      (facts.space.diskFree, facts.space.diskCapacity) = (900, 1_000)
    }
    #expect(ids == [expected].compactMap { $0 })
  }

  @Test func roomThatWasNotMeasuredIsNoAlarm() {
    #expect(Self.ids { ($0.space.archive, $0.space.quota) = (100, 100) }.isEmpty)
  }

  @Test func everyTroubleHasItsAlarm() throws {
    #expect(Self.ids { $0.isJournalWritable = false } == ["journal urgent"])
    #expect(Self.ids { $0.unreadableIncidents = 2 } == ["unreadable urgent"])
    #expect(Self.ids { $0.recentLosses = 1 } == ["recorderLoss urgent"])
    #expect(Self.ids { $0.deadLetters = 1 } == ["webhooks attention"])
    #expect(Self.ids { $0.sending[.sms] = nil } == ["sms.missing advice"])
    #expect(Self.ids { $0.adminsWithoutFactor = 1 } == ["secondFactor advice"])
    #expect(Self.ids { $0.recorderBacklog = HealthFacts.maximumBacklog + 1 } == ["recorderBacklog attention"])
    let incident = try #require(IncidentID("i-1"))
    let trouble = SendingRecord.Trouble(since: Self.now, text: "no room")
    #expect(Self.ids { $0.recordingTroubles[incident] = trouble } == ["recorder urgent"])
  }

  @Test(
    arguments: [
      (30, nil), (20, "certificate attention"), (2, "certificate urgent"), (-1, "certificate urgent"),
    ] as [(Double, String?)])
  func theCertificatesEnd(days: Double, expected: String?) {
    let ids = Self.ids { $0.certificateEnd = Self.now + .seconds(days * 86_400) }
    #expect(ids == [expected].compactMap { $0 })
  }

  @Test func aClockThatWasSetIsNoticed() {
    var watch = ClockWatch()
    let at = { (seconds: Double) in MonotonicTime(nanoseconds: UInt64(1e12 + seconds * 1e9)) }
    watch.take(wall: Self.now, monotonic: at(0))
    watch.take(wall: Self.now + .seconds(5.4), monotonic: at(5))
    #expect(watch.jump == nil, "slewing is no jump")
    watch.take(wall: Self.now + .seconds(2), monotonic: at(10))
    #expect(watch.jump.map { Int($0.seconds.rounded()) } == -8)
    let jumped = watch
    let told = Self.ids { $0.clock = jumped }
    #expect(told == ["clock attention"])
    let later = Self.ids { facts in
      facts.clock = jumped
      facts.now = Self.now + .seconds(ClockWatch.memory + 10)
    }
    #expect(later.isEmpty)
  }

  @Test func alarmsKeepTheirStartAndAreRememberedWhenTheyEnd() {
    var list = AlarmList()
    let alarm = { (id: String, level: Alarm.Level) in Alarm(id, level, id, detail: "", remedy: "") }
    list.take([alarm("a", .attention)], at: Self.now)
    list.take([alarm("a", .attention), alarm("b", .urgent), alarm("c", .advice)], at: Self.now + .seconds(5))
    #expect(list.present.map(\.alarm.id) == ["b", "a", "c"])
    #expect(list.present[1].since == Self.now)
    list.take([], at: Self.now + .seconds(9))
    #expect(list.present.isEmpty && list.past.count == 2, "advice that was followed is not kept")
    #expect(list.past.allSatisfy { $0.until == Self.now + .seconds(9) })
    list.take([alarm("a", .attention)], at: Self.now + .seconds(20))
    #expect(list.present[0].since == Self.now + .seconds(20), "it began anew")
  }

  @Test func ratesAreOfTheLastMinute() {
    var history = LoadHistory()
    for step in 0...30 {
      history.take(
        LoadHistory.Sample(
          at: MonotonicTime(nanoseconds: UInt64(1e12) + UInt64(step) * 5_000_000_000), events: UInt64(step * 10),
          commits: step * 2, commitSeconds: Double(step) * 0.004, peers: 3, losses: step < 20 ? 0 : 7))
    }
    #expect(history.eventsPerSecond == 2)
    #expect(abs((history.commitMilliseconds ?? 0) - 2) < 1e-6)
    #expect(history.losses(within: 600) == 7 && history.losses(within: 20) == 0)
    #expect(history.json.array?.count == 30)
  }

  @Test func troubleWithSendingBeginsWithTheFirstFailureAndEndsWithSuccess() async throws {
    let test = try await TestRoom()
    let settings = try SettingsDesk(room: test.room, standard: ServiceSettings())
    let sender = LinkSender(room: test.room, sms: nil, mail: nil, settings: settings, receiptKey: [1])
    #expect(sender.record(of: .sms) == SendingRecord())
    let trial = try await sender.try(.sms, to: "+4915112345678", base: "http://node", by: person(.admin))
    #expect(trial.steps.map(\.state) == [.done, .failed] && trial.to == "+49…78")
    #expect(sender.record(of: .sms).trouble == nil, "what is not set up is no trouble of the provider")
    await #expect(throws: Refusal.self) {
      try await sender.try(.sms, to: "+4915112345678", base: "http://node", by: person(.supervisor))
    }
    test.room.stop()
  }
}
