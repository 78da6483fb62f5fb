import ControlRoom
import Cryptography
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Synchronization
import Testing

/// A store in memory that can be held up or made to fail.
final class MemoryStorage: Storage {
  struct State {
    var events: [IncidentID: [JournalEvent]] = [:]
    var documents: [String: [String: JSONValue]] = [:]
    var fails = false
  }

  private let state = Mutex(State())
  /// While somebody holds it, no write ends.
  private let gate = DispatchSemaphore(value: 1)

  func fail() { state.withLock { $0.fails = true } }
  func recover() { state.withLock { $0.fails = false } }
  func hold() { gate.wait() }
  func release() { gate.signal() }

  /// Returns when a write has come as far as the gate.
  func waitForWrite() async {
    await withCheckedContinuation { continuation in
      arrivals.withLock { $0.waiter = continuation }
      arrive(0)
    }
  }

  private let arrivals = Mutex<(count: Int, waiter: CheckedContinuation<Void, Never>?)>((0, nil))

  private func arrive(_ count: Int) {
    let waiter = arrivals.withLock { arrivals -> CheckedContinuation<Void, Never>? in
      arrivals.count += count
      guard arrivals.count > 0 else { return nil }
      defer { arrivals.waiter = nil }
      return arrivals.waiter
    }
    waiter?.resume()
  }

  func append(_ transaction: StorageTransaction) throws(StorageError) {
    arrive(1)
    gate.wait()
    defer {
      gate.signal()
      arrivals.withLock { $0.count -= 1 }
    }
    let error: StorageError? = state.withLock { state in
      if state.fails { return StorageError(.full, "The disk is full.") }
      var events = state.events
      for event in transaction.events {
        let last = events[event.incident]?.last
        let isFollowing =
          event.number == (last?.number ?? 0) + 1 && event.previousHash == last?.hash ?? JournalEvent.genesisHash
        guard isFollowing else { return StorageError(.conflict, "\(event.incident) \(event.number)") }
        events[event.incident, default: []].append(event)
      }
      state.events = events
      for change in transaction.changes {
        switch change {
        case .put(let collection, let key, let value): state.documents[collection, default: [:]][key] = value
        case .delete(let collection, let key): state.documents[collection]?[key] = nil
        }
      }
      return nil
    }
    if let error { throw error }
  }

  func events(of incident: IncidentID, after number: Int, limit: Int) throws(StorageError) -> [JournalEvent] {
    state.withLock { Array(($0.events[incident] ?? []).dropFirst(number).prefix(limit)) }
  }

  func head(of incident: IncidentID) throws(StorageError) -> JournalHead? {
    state.withLock { $0.events[incident]?.last }.map {
      JournalHead(incident: $0.incident, number: $0.number, hash: $0.hash)
    }
  }

  func heads(after incident: IncidentID?, limit: Int) throws(StorageError) -> [JournalHead] {
    state.withLock { state in
      state.events.values.compactMap(\.last).filter { $0.incident.value > incident?.value ?? "" }
        .sorted { $0.incident.value < $1.incident.value }.prefix(limit)
        .map { JournalHead(incident: $0.incident, number: $0.number, hash: $0.hash) }
    }
  }

  func document(_ collection: String, _ key: String) throws(StorageError) -> JSONValue? {
    state.withLock { $0.documents[collection]?[key] }
  }

  func documents(_ collection: String, after key: String?, limit: Int) throws(StorageError) -> [StoredDocument] {
    state.withLock { state in
      (state.documents[collection] ?? [:]).filter { $0.key > key ?? "" }.sorted { $0.key < $1.key }.prefix(limit)
        .map { StoredDocument(key: $0.key, value: $0.value) }
    }
  }

  func checkHealth() throws(StorageError) {}
  func close() {}
}

/// A carrier in memory: keeps what it is sent, and takes it at once or when a test says so.
final class TestSink: MetadataSink {
  private struct State {
    var messages: [JSONValue] = []
    var untaken: [@Sendable (Bool) -> Void] = []
    var takes: Bool
    var closedBecause: Refusal?
    var waiters: [(check: @Sendable ([JSONValue], Refusal?) -> Bool, resume: CheckedContinuation<Void, Never>)] = []
  }

  private let state: Mutex<State>

  init(takes: Bool = true) {
    state = Mutex(State(takes: takes))
  }

  func send(_ text: String, taken: @escaping @Sendable (Bool) -> Void) {
    let message = (try? JSONValue(parsing: text)) ?? .string(text)
    let (isTaken, ready) = state.withLock { state in
      state.messages.append(message)
      if !state.takes { state.untaken.append(taken) }
      return (state.takes, Self.ready(&state))
    }
    // Before `send` returns: a carrier may do that.
    if isTaken { taken(true) }
    for waiter in ready { waiter.resume() }
  }

  func close(_ refusal: Refusal) {
    let ready = state.withLock { state in
      if state.closedBecause == nil { state.closedBecause = refusal }
      return Self.ready(&state)
    }
    for waiter in ready { waiter.resume() }
  }

  /// From now on nothing is taken.
  func stall() { state.withLock { $0.takes = false } }

  /// From now on everything is taken at once, and what was not yet is.
  func open() {
    let untaken = state.withLock { state in
      defer { state.untaken = [] }
      state.takes = true
      return state.untaken
    }
    for taken in untaken { taken(true) }
  }

  private static func ready(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
    let (messages, refusal) = (state.messages, state.closedBecause)
    let ready = state.waiters.filter { $0.check(messages, refusal) }
    state.waiters.removeAll { $0.check(messages, refusal) }
    return ready.map(\.resume)
  }

  /// Returns when `check` holds for what was sent and for why it was closed.
  func wait(until check: @escaping @Sendable ([JSONValue], Refusal?) -> Bool) async {
    await withCheckedContinuation { continuation in
      let holds = state.withLock { state in
        if check(state.messages, state.closedBecause) { return true }
        state.waiters.append((check, continuation))
        return false
      }
      if holds { continuation.resume() }
    }
  }

  /// Returns when the event with `number` has come.
  func wait(forEvent number: Int) async {
    await wait { messages, _ in messages.contains { $0["event"]?["number"]?.integer == number } }
  }

  func wait(forKind kind: String) async {
    await wait { messages, _ in messages.contains { $0["kind"]?.string == kind } }
  }

  func waitForClose() async -> Refusal? {
    await wait { _, refusal in refusal != nil }
    return closedBecause
  }

  var messages: [JSONValue] { state.withLock { $0.messages } }
  var closedBecause: Refusal? { state.withLock { $0.closedBecause } }
  func messages(of kind: String) -> [JSONValue] { messages.filter { $0["kind"]?.string == kind } }
  /// Numbers of the durable events, in the order in which they came.
  var numbers: [Int] { messages(of: "event").compactMap { $0["event"]?["number"]?.integer } }
  var ephemerals: [JSONValue] { messages(of: "ephemeral").compactMap { $0["event"] } }
}

/// A clock that stands until it is moved.
final class TestClock: Sendable {
  private let seconds = Mutex(0.0)
  static let start = UTCTime(seconds: 1_795_403_482)

  func advance(_ interval: Double) { seconds.withLock { $0 += interval } }

  var clock: ControlRoomClock {
    ControlRoomClock(
      wall: { [self] in Self.start + .seconds(seconds.withLock { $0 }) },
      monotonic: { [self] in MonotonicTime(nanoseconds: UInt64(1e12 + seconds.withLock { $0 } * 1e9)) })
  }
}

/// A control room with its store, its clock and people who come in.
struct TestRoom {
  let room: ControlRoom
  let storage: any Storage
  let clock: TestClock

  init(
    storage: any Storage = MemoryStorage(), clock: TestClock = TestClock(), limits: ControlRoomLimits = Self.limits
  ) async throws {
    self.storage = storage
    self.clock = clock
    let secrets = try #require(SecretBox(key: [UInt8](repeating: 7, count: SecretBox.keyLength)))
    room = try ControlRoom(
      storage: storage, agency: "metro", secrets: secrets, limits: limits, clock: clock.clock
    ) { _ in }
    try await room.start()
  }

  /// Without bounds on rates, which have tests of their own.
  static var limits: ControlRoomLimits {
    var limits = ControlRoomLimits()
    limits.durableRate = 1e9
    limits.durableBurst = 1e9
    limits.ephemeralRate = 1e9
    limits.ephemeralBurst = 1e9
    return limits
  }

  func open(_ place: JSONValue? = nil, exercise: Bool = false, agency: String = "metro") async throws -> IncidentID {
    let drafts = try Incident.openingDrafts(
      agency: agency, priority: .p2, type: nil, place: place, exercise: exercise, origin: "operator")
    return try await room.open(drafts, by: person(.operator, "opener", agency: agency))
  }

  @discardableResult
  func say(_ text: String, in id: IncidentID, named name: String? = nil, by who: Principal = person(.operator))
    async throws -> Receipt
  {
    try await room.submit(Wish(.chat, ["text": .string(text)], in: id, by: who, clientID: name))
  }

  /// The server's own wish.
  @discardableResult
  func note(_ kind: EventKind, _ payload: JSONValue, in id: IncidentID) async throws -> Receipt {
    try await room.submit(Wish(kind, payload, in: id, by: .system, isServer: true))
  }

  func enter(_ principal: Principal = person(.operator), _ sink: TestSink) -> MetadataSession {
    MetadataSession(room: room, principal: principal, sink: sink)
  }
}

func person(
  _ role: Role, _ id: String? = nil, agency: String = "metro", linked: IncidentID? = nil, unit: String? = nil,
  desk: String? = nil
) -> Principal {
  let id = id ?? "\(role.rawValue)-1"
  return Principal(
    actor: Actor(id: id, role: role, name: id),
    facts: PrincipalFacts(
      actorID: id, role: role, agency: linked == nil ? agency : "", linkedIncident: linked, unit: unit, desk: desk))
}

func refusal(_ body: () async throws -> Void) async -> Refusal? {
  do {
    try await body()
    return nil
  } catch {
    return error as? Refusal
  }
}

func envelope(_ members: JSONValue) -> String {
  guard case .object(var object) = members else { return "" }
  object["v"] = 1
  return JSONValue.object(object).canonical
}
