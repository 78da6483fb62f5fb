import Cryptography
import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// The one place where incidents change: decides, numbers and chains events, has them stored, then makes them known.
///
/// A wish is decided against everything that was accepted before it. Accepted events go to the journal writer in order;
/// only when they are durable are they acknowledged and shown. A failed write ends the node's work: nothing after it
/// is accepted, and a restart goes on from the journal (DESIGN decision 5).
package final class IncidentDesk: Sendable {
  struct State {
    var entries: [IncidentID: IncidentEntry] = [:]
    /// Next serial number of the year that it belongs to.
    var serial: IncidentSerial?
    var hasFailed = false
    /// Open incidents whose journal cannot be read, with the reason.
    var unreadable: [IncidentID: String] = [:]
    /// How often incidents were put away: who replayed one meanwhile has to look again.
    var evictions = 0
  }

  let state = Mutex(State())
  let storage: any Storage
  let writer: JournalWriter
  let clock: ControlRoomClock
  let limits: ControlRoomLimits
  let reader: StorageReader
  let outbox: EventOutbox
  /// Told of every event once it is durable, in order, on the writer's thread; must not block.
  private let onPublished: @Sendable (JournalEvent, Incident) -> Void

  init(
    storage: any Storage, writer: JournalWriter, clock: ControlRoomClock, limits: ControlRoomLimits,
    outbox: EventOutbox,
    onPublished: @escaping @Sendable (JournalEvent, Incident) -> Void
  ) {
    self.storage = storage
    self.writer = writer
    self.clock = clock
    self.limits = limits
    self.outbox = outbox
    self.onPublished = onPublished
    reader = StorageReader(storage: storage)
  }

  /// Does what is wished, or says why not; returns when it is durable and known.
  func submit(_ wish: Wish) async throws(Refusal) -> Receipt {
    try await load(wish.incident)
    if let target = wish.mergeTarget { try await load(target) }
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Receipt, Refusal>, Never>) in
      let outcome = state.withLock { accept(wish, &$0) { continuation.resume(returning: $0) } }
      switch outcome {
      case .pending: break
      case .passedOn(let delivery):
        delivery.perform()
        continuation.resume(returning: .success(.ephemeral))
      case .finished(let result): continuation.resume(returning: result)
      }
    }
    return try result.get()
  }

  /// As ``submit(_:)``, without a task of its own: decides at once, so that wishes keep their order, and answers later.
  ///
  /// - Returns: False, and nothing was done, when the incident is not in memory.
  func submitAtOnce(_ wish: Wish, _ answer: @escaping @Sendable (Result<Receipt, Refusal>) -> Void) -> Bool {
    let outcome = state.withLock { state -> Acceptance? in
      state.entries[wish.incident] == nil ? nil : accept(wish, &state, answer)
    }
    switch outcome {
    case nil: return false
    case .pending: break
    case .passedOn(let delivery):
      delivery.perform()
      answer(.success(.ephemeral))
    case .finished(let result): answer(result)
    }
    return true
  }

  /// What acceptance leads to; the continuation is resumed exactly once in each case.
  enum Acceptance {
    /// The journal writer will answer.
    case pending
    case passedOn(EphemeralDelivery)
    case finished(Result<Receipt, Refusal>)
  }

  private func accept(
    _ wish: Wish, _ state: inout State, _ answer: @escaping @Sendable (Result<Receipt, Refusal>) -> Void
  ) -> Acceptance {
    guard !state.hasFailed else { return .finished(.failure(.unavailable)) }
    guard state.entries[wish.incident] != nil else { return .finished(.failure(.unknownIncident)) }
    do throws(Refusal) {
      if let earlier = try repetition(of: wish, state) {
        // What was accepted may not be durable yet: the answer waits for everything before it.
        writer.submit(StorageTransaction(events: [], changes: [])) { result in
          answer(result.map { _ in .durable(number: earlier, isRepeat: true) }.mapError { _ in .unavailable })
        }
        return .pending
      }
      let drafts = try drafts(for: wish, state)
      switch wish.kind.traits.durability {
      case .ephemeral: return .passedOn(passOn(wish, drafts, &state))
      case .durable:
        guard !drafts.isEmpty else {
          // It is so already, but perhaps by an event that is not durable yet.
          let number = state.entries[wish.incident]?.incident.number ?? 0
          writer.submit(StorageTransaction(events: [], changes: [])) { result in
            answer(result.map { _ in .durable(number: number, isRepeat: true) }.mapError { _ in .unavailable })
          }
          return .pending
        }
        try commit(drafts, for: wish, &state, answer)
        return .pending
      }
    } catch {
      return .finished(.failure(error))
    }
  }

  /// The number of the event that this wish led to before, if it is a retry.
  private func repetition(of wish: Wish, _ state: State) throws(Refusal) -> Int? {
    guard let key = wish.key, let earlier = state.entries[wish.incident]?.accepted[key] else { return nil }
    guard earlier.kind == wish.kind.rawValue, earlier.request == nil || earlier.request == wish.digest else {
      throw Refusal(.idReused, "This id was used for another message. Give every new message an id of its own.")
    }
    return earlier.number
  }

  private func drafts(for wish: Wish, _ state: State) throws(Refusal) -> [EventDraft] {
    guard let incident = state.entries[wish.incident]?.incident else { throw .unknownIncident }
    try authorize(wish, incident)
    if let target = wish.mergeTarget { try authorizeMerge(of: incident, into: state.entries[target]?.incident, wish) }
    do {
      return try incident.decide(
        wish.kind, payload: wish.payload, by: wish.principal.actor, at: clock.wall(), isServer: wish.isServer)
    } catch {
      throw Refusal(error)
    }
  }

  /// Holds the wish against the permission table; what the asker may not even follow looks as if it did not exist.
  private func authorize(_ wish: Wish, _ incident: Incident) throws(Refusal) {
    if wish.isServer { return }
    let relations = incident.relations(of: wish.principal.facts)
    guard case .client(let action) = wish.kind.traits.sender else {
      throw Refusal(.serverOnly, "Only the server sends messages of kind \(wish.kind.rawValue).")
    }
    guard PermissionTable.allows(wish.neededAction ?? action, role: wish.principal.role, relations: relations) else {
      let mayFollow = PermissionTable.allows(.follow, role: wish.principal.role, relations: relations)
      throw mayFollow ? .forbidden : .unknownIncident
    }
  }

  // MARK: - Durable events

  private func commit(
    _ drafts: [EventDraft], for wish: Wish, _ state: inout State,
    _ answer: @escaping @Sendable (Result<Receipt, Refusal>) -> Void
  ) throws(Refusal) {
    guard writer.hasRoom else {
      throw Refusal(.full, "The server is storing as fast as it can. Try again in a second.", retryAfter: .seconds(1))
    }
    guard var entry = state.entries.removeValue(forKey: wish.incident) else { throw .unknownIncident }
    var transaction = StorageTransaction(events: [], changes: wish.changes)
    let now = clock.wall()
    for (index, draft) in drafts.enumerated() {
      let event = JournalEvent(
        incident: wish.incident, number: entry.incident.number + 1, time: max(now, entry.incident.changedAt),
        actor: wish.principal.actor, kind: draft.kind.rawValue, payload: draft.payload,
        clientID: index == 0 ? wish.clientID : nil, previousHash: entry.incident.hash)
      entry.incident.apply(event)
      transaction.events.append(event)
    }
    let first = transaction.events[0].number
    if let key = wish.key {
      entry.accepted[key] = AcceptedEvent(number: first, kind: wish.kind.rawValue, request: wish.digest)
    }
    entry.usedAt = clock.monotonic()
    transaction.changes += entry.summaryChanges()
    let snapshot = entry.incident
    state.entries[wish.incident] = entry
    write(transaction, snapshot) { answer($0.map { .durable(number: first, isRepeat: false) }) }
  }

  /// Hands events to the writer; when they are durable they are made known, then answered for.
  func write(
    _ transaction: StorageTransaction, _ incident: Incident,
    _ answer: @escaping @Sendable (Result<Void, Refusal>) -> Void
  ) {
    let events = transaction.events
    let due = outbox.changes(for: events, agency: incident.agency)
    var transaction = transaction
    transaction.changes += due
    writer.submit(transaction) { [self] result in
      switch result {
      case .success:
        publish(events, incident)
        outbox.stored(due)
        answer(.success(()))
      case .failure:
        state.withLock { $0.hasFailed = true }
        answer(.failure(.unavailable))
      }
    }
  }

  private func publish(_ events: [JournalEvent], _ incident: Incident) {
    let rendered = events.map(RenderedEvent.init)
    let subscriptions = state.withLock { state -> [Subscription] in
      state.entries[incident.id]?.shown = incident
      for event in rendered { state.entries[incident.id]?.recent.append(event) }
      return state.entries[incident.id].map { Array($0.subscriptions.values) } ?? []
    }
    for event in rendered {
      for subscription in subscriptions { subscription.publish(event) }
      onPublished(event.event, incident)
    }
  }

  // MARK: - Ephemeral events

  private func passOn(_ wish: Wish, _ drafts: [EventDraft], _ state: inout State) -> EphemeralDelivery {
    var texts: [EphemeralDelivery.Message] = []
    for draft in drafts {
      state.entries[wish.incident]?.ephemeralSerial += 1
      let serial = state.entries[wish.incident]?.ephemeralSerial ?? 0
      let text = ServerMetadata.ephemeral(
        wish.incident, serial: serial, at: clock.wall(), actor: wish.principal.actor, draft)
      texts.append(.init(kind: draft.kind, payload: draft.payload, text: text))
    }
    let subscriptions = state.entries[wish.incident].map { Array($0.subscriptions.values) } ?? []
    return EphemeralDelivery(messages: texts, subscriptions: subscriptions)
  }
}

/// Messages that are passed on and forgotten.
struct EphemeralDelivery {
  struct Message {
    let kind: EventKind
    let payload: JSONValue
    let text: String
  }

  let messages: [Message]
  let subscriptions: [Subscription]

  func perform() {
    for subscription in subscriptions {
      for message in messages { subscription.pass(message) }
    }
  }
}
