import Incidents
import JSON
import Outgoing
import Primitives
import Storage
import Testing

@Suite("Webhooks")
struct WebhookTests {
  static let created = UTCTime(seconds: 1_790_000_000)

  static func webhook(_ id: String = "cad", agency: String = "demo", kinds: Set<String> = []) throws -> Webhook {
    try Webhook(
      id: id, url: "https://cad.test/in", secret: "whsec-0123456789abcdef", agency: agency, kinds: kinds,
      createdAt: created)
  }

  static func event(_ incident: String = "i1", _ number: Int = 1, kind: String = "note") -> JournalEvent {
    guard let incident = IncidentID(incident) else { preconditionFailure("a valid identifier") }
    return JournalEvent(
      incident: incident, number: number, time: created, actor: .system, kind: kind, payload: ["text": "x"],
      clientID: nil, previousHash: JournalEvent.genesisHash)
  }

  // Computed by Python's hmac module.
  @Test("the signature is HMAC-SHA256 over time and body")
  func signs() {
    let value = WebhookSignature.value(
      secret: "whsec-0123456789abcdef", timestamp: "1790000000", body: Array(#"{"event":1}"#.utf8))
    #expect(value == "v1=ae05f732bf5f7af268d89428125970b2799b5f7d1410b09888df2c99970dc3ff")
  }

  @Test("what is stored is read back")
  func roundTrips() throws {
    let webhook = try Self.webhook(kinds: ["note", "chat"])
    #expect(Webhook(json: webhook.json) == webhook)
    var delivery = WebhookDelivery(webhook: "cad", incident: Self.event().incident, number: 7, createdAt: Self.created)
    delivery.tries = 3
    delivery.lastError = "The receiver answered 500."
    #expect(WebhookDelivery(json: delivery.json) == delivery)
    #expect(delivery.key == "cad/i1/000000000007")
    let letter = WebhookDeadLetter(delivery: delivery, diedAt: Self.created)
    #expect(WebhookDeadLetter(json: letter.json) == letter)
  }

  @Test("a webhook that cannot work is refused")
  func refuses() {
    for (id, url, secret) in [
      ("a/b", "https://x/", "0123456789abcdef"), ("", "https://x/", "0123456789abcdef"),
      ("a", "file:///x", "0123456789abcdef"), ("a", "https://x/", "short"),
      ("a", "https://x/", String(repeating: "s", count: 257)),
    ] {
      #expect(throws: OutgoingError.self) {
        try Webhook(id: id, url: url, secret: secret, agency: "demo", createdAt: Self.created)
      }
    }
  }

  @Test("the outbox writes one delivery for each receiver that wants the event")
  func chooses() throws {
    let registry = WebhookRegistry()
    _ = try registry.put(Self.webhook("all"))
    _ = try registry.put(Self.webhook("chats", kinds: ["chat"]))
    _ = try registry.put(Self.webhook("other", agency: "elsewhere"))
    _ = try registry.put(Self.webhook("audit", kinds: ["audit.signIn"]))
    let outbox = WebhookOutbox(registry: registry)
    func receivers(_ kind: String) -> [String] {
      outbox.changes(for: Self.event(kind: kind), agency: "demo").compactMap { change in
        guard case .put(WebhookDelivery.collection, _, let value) = change else { return nil }
        return WebhookDelivery(json: value)?.webhook
      }
    }
    #expect(receivers("note") == ["all"])
    #expect(receivers("chat") == ["all", "chats"])
    #expect(receivers("audit.signIn") == ["audit"])
    #expect(registry.pending("all") == 2)
    #expect(registry.pending("other") == 0)
  }

  @Test("a receiver with too much waiting gets no more, and others do")
  func limitsPending() throws {
    let registry = WebhookRegistry()
    _ = try registry.put(Self.webhook("full"))
    let outbox = WebhookOutbox(registry: registry)
    let event = Self.event()
    for _ in 0..<WebhookRegistry.maximumPending { _ = outbox.changes(for: event, agency: "demo") }
    _ = try registry.put(Self.webhook("empty"))
    #expect(outbox.changes(for: event, agency: "demo").count == 1)
    #expect(registry.overflowed == 1)
  }

  @Test("there is room for a number of webhooks; changing one needs none")
  func limitsWebhooks() throws {
    let registry = WebhookRegistry()
    for index in 0..<WebhookRegistry.maximumWebhooks { _ = try registry.put(Self.webhook("w\(index)")) }
    _ = try registry.put(Self.webhook("w3", kinds: ["chat"]))
    #expect(registry["w3"]?.kinds == ["chat"])
    #expect(throws: OutgoingError.self) { try registry.put(Self.webhook("more")) }
  }

  @Test("webhooks are read out of the store")
  func loads() throws {
    let (registry, storage) = (WebhookRegistry(), MemoryStorage())
    try storage.append(StorageTransaction(changes: registry.put(Self.webhook("a")) + registry.put(Self.webhook("b"))))
    try storage.append(StorageTransaction(changes: registry.remove("a")))
    let other = WebhookRegistry()
    try other.load(from: storage)
    #expect(try other.webhooks == [Self.webhook("b")])
  }
}

@Suite("Back-off")
struct BackoffPolicyTests {
  @Test("pauses grow from seconds to hours and then end")
  func grows() {
    var policy = BackoffPolicy()
    policy.jitter = 0
    var random = RandomSource.seeded(1)
    let pauses = (1...11).compactMap { policy.delay(afterTries: $0, random: &random)?.seconds }
    #expect(pauses.count == 11)
    #expect(pauses[..<4] == [2, 5, 12.5, 31.25])
    let hours = pauses.reduce(0, +) / 3_600
    #expect((8...9).contains(hours))
    #expect(policy.delay(afterTries: 12, random: &random) == nil)
  }

  @Test("jitter stays within its share and is not always the same")
  func jitters() {
    let policy = BackoffPolicy()
    var random = RandomSource.seeded(7)
    let pauses = (0..<1_000).compactMap { _ in policy.delay(afterTries: 2, random: &random)?.seconds }
    #expect(pauses.allSatisfy { (4...6).contains($0) })
    #expect((pauses.min() ?? 5) < 4.1)
    #expect((pauses.max() ?? 5) > 5.9)
  }

  @Test("what will never be right is tried three times")
  func givesUpEarly() {
    var random = RandomSource.seeded(1)
    #expect(BackoffPolicy().delay(afterTries: 2, isRejected: true, random: &random) != nil)
    #expect(BackoffPolicy().delay(afterTries: 3, isRejected: true, random: &random) == nil)
  }

  @Test("a receiver may ask for more time, up to a limit")
  func heeds() {
    let policy = BackoffPolicy()
    var random = RandomSource.seeded(1)
    #expect(policy.delay(afterTries: 1, retryAfter: .seconds(90), random: &random) == .seconds(90))
    #expect(policy.delay(afterTries: 1, retryAfter: .seconds(1e9), random: &random) == policy.maximumDelay)
    #expect((policy.delay(afterTries: 1, retryAfter: .seconds(0), random: &random)?.seconds ?? 0) > 1)
  }

  @Test("any number of tries is counted without a trap", arguments: [0, -1, 100_000])
  func bears(_ tries: Int) {
    var policy = BackoffPolicy()
    policy.maximumTries = .max
    var random = RandomSource.seeded(1)
    #expect(policy.delay(afterTries: tries, random: &random) ?? .zero <= policy.maximumDelay)
  }
}

@Suite("Delivery schedule")
struct DeliveryScheduleTests {
  let now = WebhookTests.created

  func chain(_ webhook: String, _ incident: Int) -> DeliveryChain {
    DeliveryChain(webhook: webhook, incident: "i\(incident)")
  }

  @Test("a chain has one delivery under way, and a webhook a few chains")
  func limits() {
    var schedule = DeliverySchedule()
    for incident in 0..<10 {
      schedule.note(chain("a", incident))
      schedule.note(chain("a", incident))
    }
    let first = (0..<DeliverySchedule.callsPerWebhook).map { _ in schedule.next(now: now) }
    #expect(first == (0..<DeliverySchedule.callsPerWebhook).map { chain("a", $0) })
    #expect(schedule.next(now: now) == nil)
    schedule.finish(chain("a", 0), .more)
    #expect(schedule.next(now: now) == chain("a", 4))
  }

  @Test("webhooks take turns")
  func takesTurns() {
    var schedule = DeliverySchedule()
    for incident in 0..<4 { schedule.note(chain("a", incident)) }
    schedule.note(chain("b", 0))
    #expect(schedule.next(now: now) == chain("a", 0))
    #expect(schedule.next(now: now) == chain("b", 0))
    #expect(schedule.next(now: now) == chain("a", 1))
  }

  @Test("a chain waits until its time")
  func waits() {
    var schedule = DeliverySchedule()
    schedule.note(chain("a", 0))
    _ = schedule.next(now: now)
    schedule.finish(chain("a", 0), .wait(until: now + .seconds(5)))
    #expect(schedule.deadline == now + .seconds(5))
    schedule.note(chain("a", 0))
    #expect(schedule.next(now: now + .seconds(4.9)) == nil)
    #expect(schedule.next(now: now + .seconds(5)) == chain("a", 0))
    #expect(schedule.deadline == nil)
  }

  @Test("a waiting chain can be hurried, and one that is unknown begins")
  func hurries() {
    var schedule = DeliverySchedule()
    schedule.note(chain("a", 0))
    _ = schedule.next(now: now)
    schedule.finish(chain("a", 0), .wait(until: now + .seconds(5)))
    schedule.hurry(chain("a", 0))
    schedule.hurry(chain("a", 1))
    #expect(schedule.next(now: now) == chain("a", 0))
    #expect(schedule.next(now: now) == chain("a", 1))
    #expect(schedule.next(now: now + .seconds(9)) == nil)
  }

  @Test("what is noted while the store is looked at is not forgotten")
  func looksAgain() {
    var schedule = DeliverySchedule()
    schedule.note(chain("a", 0))
    _ = schedule.next(now: now)
    schedule.note(chain("a", 0))
    schedule.finish(chain("a", 0), .empty)
    #expect(schedule.next(now: now) == chain("a", 0))
    schedule.finish(chain("a", 0), .empty)
    #expect(schedule.next(now: now) == nil)
  }

  @Test("chains that find no room are read again when others are done")
  func asksForScan() {
    var schedule = DeliverySchedule()
    let count = DeliverySchedule.chainsPerWebhook
    for incident in 0...count { schedule.note(chain("a", incident)) }
    #expect(schedule.takeScans() == [])
    for _ in 0..<count / 2 {
      guard let chain = schedule.next(now: now) else { break }
      schedule.finish(chain, .empty)
    }
    #expect(schedule.takeScans() == ["a"])
    #expect(schedule.takeScans() == [])
  }

  @Test("a late or doubled end changes nothing")
  func ignoresStrayEnds() {
    var schedule = DeliverySchedule()
    schedule.finish(chain("a", 0), .more)
    schedule.note(chain("a", 0))
    schedule.finish(chain("a", 0), .empty)
    #expect(schedule.next(now: now) == chain("a", 0))
    schedule.finish(chain("a", 0), .empty)
    schedule.finish(chain("a", 0), .empty)
    #expect(schedule.next(now: now) == nil)
    #expect(schedule.deadline == nil)
  }
}
