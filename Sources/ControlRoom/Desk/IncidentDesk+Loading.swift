import Cryptography
import Incidents
import JSON
import Primitives
import Storage

// Bringing incidents into memory, and opening new ones.

extension IncidentDesk {
  /// Collection of the incidents' summaries, by their identifiers.
  static let summaries = "incidents"
  /// Events read in one step.
  private static let page = 1_000

  /// Brings all incidents that are not closed into memory.
  func loadOpen() async throws(Refusal) {
    var last: String?
    var merges: [(from: IncidentID, into: IncidentID)] = []
    while true {
      let after = last
      let documents = try await read { (storage) throws(StorageError) in
        try storage.documents(Self.summaries, after: after, limit: Self.page)
      }
      for document in documents {
        let state = document.value["state"]?.string.flatMap(IncidentState.init)
        if state?.isClosed == false, let id = IncidentID(document.key) { await loadIfReadable(id) }
      }
      for document in documents where document.value["state"]?.string == IncidentState.merged.rawValue {
        if let from = IncidentID(document.key),
          let into = document.value["mergedInto"]?.string.flatMap({ IncidentID($0) })
        {
          merges.append((from, into))
        }
      }
      guard documents.count == Self.page else { break }
      last = documents.last?.key
    }
    try await finishMerges(merges)
  }

  /// One journal that cannot be read must not keep the others from being served: it is named, and left alone.
  private func loadIfReadable(_ id: IncidentID) async {
    do throws(Refusal) {
      try await load(id)
    } catch {
      state.withLock { $0.unreadable[id] = error.text }
    }
  }

  /// Brings an incident into memory, if it is not there; throws when there is none.
  ///
  /// Returns when its opening is durable: before that there is nothing to show.
  func load(_ id: IncidentID) async throws(Refusal) {
    guard id != .audit else { throw .unknownIncident }
    while true {
      let (isKnown, isShown, evictions) = state.withLock {
        ($0.entries[id] != nil, $0.entries[id]?.shown != nil, $0.evictions)
      }
      if isShown { return }
      if isKnown {
        try await settle()
        continue
      }
      guard let entry = try await replay(id) else { throw .unknownIncident }
      state.withLock { state in
        // Another task may have been faster, and its entry may have moved on, or been put away again since.
        guard state.entries[id] == nil, state.evictions == evictions else { return }
        state.entries[id] = entry
        makeRoom(&state, keeping: id)
      }
    }
  }

  /// Returns when everything accepted before is durable and was made known.
  func settle() async throws(Refusal) {
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<Void, StorageError>, Never>) in
      writer.submit(StorageTransaction(events: [], changes: [])) { continuation.resume(returning: $0) }
    }
    if case .failure = result { throw .unavailable }
  }

  /// Folds an incident's whole journal.
  private func replay(_ id: IncidentID) async throws(Refusal) -> IncidentEntry? {
    var entry: IncidentEntry?
    while true {
      let after = entry?.incident.number ?? 0
      let events = try await read { (storage) throws(StorageError) in
        try storage.events(of: id, after: after, limit: Self.page)
      }
      for event in events {
        if entry == nil {
          guard let incident = try? Incident(opening: event) else { return nil }
          entry = IncidentEntry(incident, limits: limits, at: clock.monotonic())
        } else {
          entry?.incident.apply(event)
        }
        entry?.note(event)
      }
      guard events.count == Self.page else { break }
    }
    guard var entry else { return nil }
    entry.shown = entry.incident
    entry.savedSummary = entry.incident.summary
    return entry
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any Storage) throws(StorageError) -> Value
  ) async throws(Refusal) -> Value {
    do {
      return try await reader.read(body)
    } catch {
      throw Refusal(.unavailable, error.text)
    }
  }

  /// Forgets closed incidents that nobody listens to and that are wholly durable; the journal keeps them.
  private func makeRoom(_ state: inout State, keeping id: IncidentID) {
    let share = max(1, limits.maximumIncidents / 8)
    // Not at every one: when all are open, looking through them finds nothing to put away.
    guard state.entries.count > limits.maximumIncidents, state.entries.count % share == 0 else { return }
    let resting = state.entries.values.filter {
      $0.incident.state.isClosed && $0.subscriptions.isEmpty && $0.published == $0.incident.number
        && $0.incident.id != id
    }
    for entry in resting.sorted(by: { $0.usedAt < $1.usedAt }).prefix(share + 1) {
      state.entries[entry.incident.id] = nil
      state.evictions += 1
    }
  }

  // MARK: - Opening

  /// Opens an incident; `id` nil takes the next free number of the year.
  ///
  /// Returns when it is durable. Opening one that is there already under the given id changes nothing.
  func open(
    _ drafts: [EventDraft], id: IncidentID?, by principal: Principal, clientID: String? = nil,
    alsoStore: @escaping @Sendable (IncidentID) -> [DocumentChange] = { _ in [] }
  ) async throws(Refusal) -> IncidentID {
    if let id, try await exists(id) { return id }
    let chosen = if let id { id } else { try await nextFree() }
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<IncidentID, Refusal>, Never>) in
      let refusal = state.withLock { state in
        accept(drafts, chosen, principal, clientID, alsoStore(chosen), &state) { continuation.resume(returning: $0) }
      }
      if let refusal { continuation.resume(returning: .failure(refusal)) }
    }
    return try result.get()
  }

  private func accept(
    _ drafts: [EventDraft], _ id: IncidentID, _ principal: Principal, _ clientID: String?,
    _ changes: [DocumentChange], _ state: inout State,
    _ answer: @escaping @Sendable (Result<IncidentID, Refusal>) -> Void
  ) -> Refusal? {
    guard !state.hasFailed, writer.hasRoom else { return .unavailable }
    if state.entries[id] != nil {
      writer.submit(StorageTransaction(events: [], changes: [])) { result in
        answer(result.map { _ in id }.mapError { _ in .unavailable })
      }
      return nil
    }
    var transaction = StorageTransaction(events: [], changes: changes + (state.serial.map { [$0.change] } ?? []))
    var entry: IncidentEntry?
    for draft in drafts {
      let event = JournalEvent(
        incident: id, number: (entry?.incident.number ?? 0) + 1, time: clock.wall(), actor: principal.actor,
        kind: draft.kind.rawValue, payload: draft.payload, clientID: entry == nil ? clientID : nil,
        previousHash: entry?.incident.hash ?? JournalEvent.genesisHash)
      if entry == nil {
        guard let incident = try? Incident(opening: event) else {
          return Refusal(.badPayload, "An incident begins with its opening.")
        }
        entry = IncidentEntry(incident, limits: limits, at: clock.monotonic())
      } else {
        entry?.incident.apply(event)
      }
      transaction.events.append(event)
    }
    guard var entry else { return Refusal(.badPayload, "An incident begins with its opening.") }
    transaction.changes += entry.summaryChanges()
    let incident = entry.incident
    state.entries[id] = entry
    makeRoom(&state, keeping: id)
    write(transaction, incident) { answer($0.map { id }) }
    return nil
  }

  private func exists(_ id: IncidentID) async throws(Refusal) -> Bool {
    do throws(Refusal) {
      try await load(id)
      return true
    } catch  where error.code == .notFound {
      return false
    }
  }

  /// The next number of the year that no journal has: links may have given one away, and its incident be long closed.
  private func nextFree() async throws(Refusal) -> IncidentID {
    let next = try await nextSerial()
    while true {
      let id = state.withLock { $0.take(next) }
      let head = try await read { (storage) throws(StorageError) in try storage.head(of: id) }
      if head == nil { return id }
    }
  }

  private func nextSerial() async throws(Refusal) -> IncidentSerial {
    let year = IncidentSerial.year(of: clock.wall())
    if let known = state.withLock({ $0.serial }), known.year == year { return known }
    let document = try await read { (storage) throws(StorageError) in
      try storage.document(IncidentSerial.collection, IncidentSerial.key(year))
    }
    return IncidentSerial(year: year, last: document?["last"]?.integer ?? 0)
  }
}

extension IncidentDesk.State {
  /// The next identifier of the year; `known` is what the store has, for the first use of a year.
  mutating func take(_ known: IncidentSerial?) -> IncidentID {
    var serial = serial
    if let known, serial?.year != known.year { serial = known }
    var next = serial ?? IncidentSerial(year: 0, last: 0)
    repeat { next.last += 1 } while entries[next.id] != nil
    self.serial = next
    return next.id
  }
}

/// The year's running number of incidents, such as `26-001482`.
struct IncidentSerial: Hashable, Sendable {
  /// The last two digits.
  let year: Int
  /// The number given last.
  var last: Int

  static let collection = "counters"

  static func key(_ year: Int) -> String { "incidents-\(year)" }

  static func year(of time: UTCTime) -> Int {
    Int(CivilDate(daysSince1970: time.seconds / 86_400).year % 100)
  }

  var id: IncidentID {
    let digits = String(last)
    let text = "\(year)-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    guard let id = IncidentID(text) else { preconditionFailure("digits make an identifier: \(text)") }
    return id
  }

  var change: DocumentChange {
    .put(collection: Self.collection, key: Self.key(year), ["last": .integer(last)])
  }
}

extension IncidentEntry {
  init(_ incident: Incident, limits: ControlRoomLimits, at now: MonotonicTime) {
    self.incident = incident
    recent = RecentEvents(limit: limits.recentEvents)
    usedAt = now
  }

  /// Takes in what a replayed event says about what is known.
  mutating func note(_ event: JournalEvent) {
    guard let clientID = event.clientID else { return }
    // A fix was completed and marked before it was written down; every other payload is as it was sent.
    let request = event.kind == EventKind.location.rawValue ? nil : Digest.sha256(event.payload.canonicalBytes)
    accepted[ClientKey(actor: event.actor.id, clientID: clientID)] = AcceptedEvent(
      number: event.number, kind: event.kind, request: request)
  }

  /// The summary's document, when it says something new.
  mutating func summaryChanges() -> [DocumentChange] {
    let summary = incident.summary
    guard summary != savedSummary else { return [] }
    savedSummary = summary
    return [.put(collection: IncidentDesk.summaries, key: incident.id.value, summary)]
  }
}
