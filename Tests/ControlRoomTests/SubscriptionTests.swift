import ControlRoom
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Testing

/// Every event that its reader may see, in order, none twice, none missing.
@Suite("Subscriptions")
struct SubscriptionTests {
  @Test func startsWithASnapshotAndAllEvents() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    for number in 0..<5 { try await test.say("\(number)", in: id) }
    let sink = TestSink()
    let session = test.enter(person(.operator), sink)
    await session.receive(envelope(["id": "s", "kind": "subscribe", "incident": .string(id.value)]))
    await sink.wait(forEvent: 6)
    try await test.say("live", in: id)
    await sink.wait(forEvent: 7)
    #expect(sink.messages.first?["kind"] == "subscribed")
    #expect(sink.messages.first?["inReplyTo"] == "s")
    #expect(sink.messages.first?["snapshot"]?["number"] == 6)
    #expect(sink.numbers == Array(1...7))
    let stored = try test.storage.events(of: id, after: 0, limit: 99).map(\.json)
    #expect(sink.messages(of: "event").compactMap { $0["event"] } == stored, "as it was hashed")
    await session.end()
    test.room.stop()
  }

  @Test("resuming after any number", arguments: [0, 1, 3, 6])
  func resumes(after number: Int) async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    for number in 0..<5 { try await test.say("\(number)", in: id) }
    let sink = TestSink()
    let session = test.enter(person(.operator), sink)
    await session.receive(
      envelope(["kind": "subscribe", "incident": .string(id.value), "after": .integer(number)]))
    try await test.say("last", in: id)
    await sink.wait(forEvent: 7)
    #expect(sink.numbers == Array(number + 1...7))
    await session.end()
    test.room.stop()
  }

  @Test func nobodyResumesFromTheFuture() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let sink = TestSink()
    let session = test.enter(person(.operator), sink)
    await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value), "after": 2]))
    #expect(sink.messages.map { $0["code"] } == ["badPayload"])
    await session.receive(envelope(["kind": "subscribe", "incident": "26-404404"]))
    #expect(sink.messages.last?["code"] == "notFound")
    test.room.stop()
  }

  @Test func readersSeeOnlyWhatIsForThem() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    try await test.note(.callerAdded, ["caller": "c1", "phone": "+4930111"], in: id)
    try await test.note(.callerAdded, ["caller": "c2", "phone": "+4930222"], in: id)
    let (caller, guest) = (TestSink(), TestSink())
    let sessions = [
      test.enter(person(.caller, "c1", linked: id), caller), test.enter(person(.guest, "g", linked: id), guest),
    ]
    for session in sessions { await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value)])) }
    _ = try await test.room.submit(Wish(.note, ["text": "secret"], in: id, by: person(.operator)))
    _ = try await test.room.submit(Wish(.chat, ["text": "team", "to": "team"], in: id, by: person(.operator)))
    try await test.note(.location, ["caller": "c2", "lat": 1, "lon": 2, "source": "device"], in: id)
    try await test.say("end", in: id)
    for sink in [caller, guest] { await sink.wait(forEvent: 7) }
    #expect(caller.numbers == [2, 7])
    #expect(guest.numbers == [7])
    #expect(!caller.messages.map(\.canonical).joined().contains("+4930222"))
    for session in sessions { await session.end() }
    test.room.stop()
  }

  @Test("clients with two carriers that come and go miss nothing", arguments: 1...4 as ClosedRange<UInt64>)
  func randomReconnects(seed: UInt64) async throws {
    var limits = TestRoom.limits
    limits.catchUpPage = 7
    limits.maximumInFlight = 5
    limits.recentEvents = 16
    let test = try await TestRoom(limits: limits)
    let id = try await test.open()
    let total = 400
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for number in 0..<total { _ = try? await test.say("\(number)", in: id) }
      }
      for client in 0..<4 as Range<UInt64> {
        group.addTask {
          let client = Client(test, id, seed: seed * 100 + client, last: total + 1)
          await client.run()
          #expect(client.seen == Array(1...total + 1))
          #expect(client.perCarrierFaults == 0)
        }
      }
    }
    test.room.stop()
  }

  /// Reads over two carriers, each of which it drops at random and resumes with the last number that it saw on any.
  final class Client {
    private let test: TestRoom
    private let id: IncidentID
    private let last: Int
    private var random: RandomSource
    private(set) var seen: [Int] = []
    /// Gaps and doubles within what one carrier delivered.
    private(set) var perCarrierFaults = 0

    init(_ test: TestRoom, _ id: IncidentID, seed: UInt64, last: Int) {
      self.test = test
      self.id = id
      self.last = last
      random = .seeded(seed)
    }

    func run() async {
      while seen.last ?? 0 < last {
        let start = seen.last ?? 0
        let target = min(last, start + 1 + Int(random.next() % 40))
        let sinks = [TestSink(), TestSink()]
        let sessions = sinks.map { test.enter(person(.operator), $0) }
        for session in sessions {
          await session.receive(
            envelope(["kind": "subscribe", "incident": .string(id.value), "after": .integer(start)]))
        }
        // One carrier goes at once, with or without having told anything.
        let first = Int(random.next() % 2)
        await sessions[first].end()
        await sinks[1 - first].wait(forEvent: target)
        await sessions[1 - first].end()
        for sink in sinks { note(sink.numbers, after: start) }
      }
    }

    /// What is new is taken in; a carrier's numbers have to follow each other from where it began.
    private func note(_ numbers: [Int], after start: Int) {
      if numbers != Array(start + 1..<start + 1 + numbers.count) { perCarrierFaults += 1 }
      seen += numbers.filter { $0 > seen.last ?? 0 }
    }
  }

  // MARK: - Slow readers

  @Test func aSlowReaderIsSentAwayAndNobodyElseNotices() async throws {
    var limits = TestRoom.limits
    limits.maximumInFlight = 8
    limits.catchUpPage = 4
    limits.slowReaderTimeout = .milliseconds(50)
    let test = try await TestRoom(limits: limits)
    let id = try await test.open()
    let (slow, quick) = (TestSink(), TestSink())
    let sessions = [test.enter(person(.operator, "slow"), slow), test.enter(person(.operator, "quick"), quick)]
    for session in sessions { await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value)])) }
    for sink in [slow, quick] { await sink.wait(forEvent: 1) }
    slow.stall()
    for number in 0..<100 { try await test.say("\(number)", in: id) }
    await quick.wait(forEvent: 101)
    let refused = await slow.waitForClose()
    #expect(refused?.code == .slowReader)
    #expect(quick.numbers == Array(1...101))
    #expect(quick.closedBecause == nil)
    #expect(slow.numbers.count <= 1 + 8 + 4, "no more than the bounds was pressed on it")
    // It comes back and goes on.
    let again = TestSink()
    let session = test.enter(person(.operator, "slow"), again)
    await session.receive(
      envelope(["kind": "subscribe", "incident": .string(id.value), "after": .integer(slow.numbers.last ?? 0)]))
    await again.wait(forEvent: 101)
    #expect(slow.numbers + again.numbers == Array(1...101))
    for session in sessions + [session] { await session.end() }
    test.room.stop()
  }

  @Test func aReaderThatCatchesUpGoesOnLive() async throws {
    var limits = TestRoom.limits
    limits.maximumInFlight = 4
    limits.catchUpPage = 4
    let test = try await TestRoom(limits: limits)
    let id = try await test.open()
    let sink = TestSink()
    let session = test.enter(person(.operator), sink)
    await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value)]))
    await sink.wait(forEvent: 1)
    sink.stall()
    for number in 0..<50 { try await test.say("\(number)", in: id) }
    sink.open()
    await sink.wait(forEvent: 51)
    try await test.say("live again", in: id)
    await sink.wait(forEvent: 52)
    #expect(sink.numbers == Array(1...52))
    #expect(sink.closedBecause == nil)
    await session.end()
    test.room.stop()
  }

  // MARK: - What is not stored

  @Test func ephemeralMessagesArePassedOnAndForgotten() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let (sink, guest) = (TestSink(), TestSink())
    let sessions = [test.enter(person(.operator), sink), test.enter(person(.guest, "g", linked: id), guest)]
    for session in sessions { await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value)])) }
    // Presence tells when both are live.
    try await test.say("ready", in: id)
    for sink in [sink, guest] { await sink.wait(forEvent: 2) }
    try await test.say("live", in: id)
    for sink in [sink, guest] { await sink.wait(forEvent: 3) }
    let typing = Wish(.typing, ["on": true, "to": "team"], in: id, by: person(.supervisor))
    #expect(try await test.room.submit(typing) == .ephemeral)
    _ = try await test.room.submit(Wish(.typing, ["on": false], in: id, by: person(.supervisor)))
    let isLast: @Sendable ([JSONValue], Refusal?) -> Bool = { messages, _ in
      messages.contains { $0["event"]?["kind"] == "typing" && $0["event"]?["payload"]?["on"] == false }
    }
    await sink.wait(until: isLast)
    await guest.wait(until: isLast)
    #expect(sink.ephemerals.filter { $0["kind"] == "typing" }.count == 2)
    #expect(guest.ephemerals.filter { $0["kind"] == "typing" }.count == 1, "what is for the team stays there")
    #expect(try test.storage.head(of: id)?.number == 3)
    for session in sessions { await session.end() }
    test.room.stop()
  }

  // MARK: - Losing the right

  @Test func standingDownEndsTheSubscription() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    try await test.note(.unitAssigned, ["unit": "medic-7"], in: id)
    let sink = TestSink()
    let rita = person(.responder, "rita", unit: "medic-7")
    let session = test.enter(rita, sink)
    await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value)]))
    await sink.wait(forEvent: 2)
    try await test.note(.unitStoodDown, ["unit": "medic-7"], in: id)
    try await test.say("after", in: id)
    #expect(sink.messages.last?["kind"] == "unsubscribed")
    #expect(sink.messages.last?["code"] == "forbidden")
    #expect(!sink.numbers.contains(4))
    await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value), "after": 3]))
    #expect(sink.messages.last?["code"] == "notFound")
    await session.end()
    test.room.stop()
  }

  @Test func disconnectingEndsEveryCarrierOfAnActor() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let sinks = [TestSink(), TestSink(), TestSink()]
    let guest = person(.guest, "g", linked: id)
    let sessions = [test.enter(guest, sinks[0]), test.enter(guest, sinks[1]), test.enter(person(.operator), sinks[2])]
    test.room.disconnect(actor: "g", because: Refusal(.forbidden, "The link was revoked."))
    #expect(sinks.map { $0.closedBecause?.code } == [.forbidden, .forbidden, nil])
    for session in sessions { await session.end() }
    test.room.disconnect(actor: "operator-1", because: Refusal(.forbidden, "x"))
    #expect(sinks[2].closedBecause == nil, "who has gone is not called back")
    test.room.stop()
  }
}
