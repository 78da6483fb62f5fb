import Archive
import Incidents
import JSON
import Primitives
import Storage

// The catalogue's documents: read at the start, made anew of the journal where they are behind, written as events come.

extension CatalogDesk {
  /// Documents and heads read in one step.
  private static let page = 1_000

  /// Brings the index to where the journal is; returns when it is there, or the store cannot be read.
  package func catchUp() async {
    await onQueue { desk in
      desk.load()
      desk.compare()
      desk.readStale()
      desk.state.withLock { $0.isCaughtUp = true }
    }
  }

  /// Reads the journals of incidents that could not be followed.
  func mend() async {
    guard intake.withLock({ $0.isLoaded && !$0.stale.isEmpty }) else { return }
    await onQueue { $0.readStale() }
  }

  private func onQueue(_ work: @escaping @Sendable (CatalogDesk) -> Void) async {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        work(self)
        continuation.resume()
      }
    }
  }

  // MARK: - Reading

  private func load() {
    var last: String?
    while let documents = try? room.storage.documents(Self.collection, after: last, limit: Self.page) {
      let entries = documents.compactMap { document in
        CatalogEntry(json: document.value).map { ($0, document.value["words"]?.string ?? "") }
      }
      state.withLock { state in
        for (entry, words) in entries { state.index.put(entry, adding: words.split(separator: " ").map(String.init)) }
      }
      guard documents.count == Self.page else { break }
      last = documents.last?.key
    }
    intake.withLock { $0.isLoaded = true }
  }

  /// Marks as stale what the journal knows more of.
  private func compare() {
    var last: IncidentID?
    while let heads = try? room.storage.heads(after: last, limit: Self.page) {
      let behind = state.withLock { state in
        heads.filter { $0.incident != .audit && state.index.entry($0.incident)?.number ?? 0 < $0.number }
      }
      intake.withLock { $0.stale.formUnion(behind.map(\.incident)) }
      guard heads.count == Self.page else { break }
      last = heads.last?.incident
    }
  }

  private func readStale() {
    while let id = intake.withLock({ $0.stale.popFirst() }) {
      let record = CatalogRecord(of: id, in: room.storage)
      let now = room.clock.monotonic()
      state.withLock { state in
        guard let record, record.entry.number > state.index.entry(id)?.number ?? 0 else { return }
        state.index.put(record.entry, adding: record.words)
        state.unwritten[id] = now
      }
    }
  }

  // MARK: - Writing

  /// Writes documents that are behind: those of closed incidents at once, of open ones seldom, and on demand all.
  package func write(all: Bool) async {
    while true {
      let now = room.clock.monotonic()
      let changes = state.withLock { state -> [DocumentChange] in
        let due = state.unwritten.filter { id, since in
          all || now - since >= Self.openPatience || state.index.entry(id)?.state.isClosed ?? true
        }
        let ids = due.keys.prefix(Self.maximumBatch)
        for id in ids { state.unwritten[id] = nil }
        return ids.compactMap { state.document($0) }
      }
      guard !changes.isEmpty else { return }
      // What could not be written is behind the journal, and made anew at the next start.
      guard (try? await room.audit.store(changes)) != nil else { return }
    }
  }
}

extension CatalogDesk.State {
  func document(_ id: IncidentID) -> DocumentChange? {
    guard let entry = index.entry(id) else { return nil }
    return CatalogRecord(entry: entry, words: Set(index.words(of: id))).change
  }
}

/// An incident's entry with its words, as they are stored.
package struct CatalogRecord: Sendable {
  package let entry: CatalogEntry
  package let words: Set<String>

  init(entry: CatalogEntry, words: Set<String>) {
    self.entry = entry
    self.words = words
  }

  /// Folds the events of a whole journal; nil when they are none of an incident's.
  package init?(folding events: [JournalEvent]) {
    guard let first = events.first, var incident = try? Incident(opening: first) else { return nil }
    var entry = CatalogEntry(incident, after: first, previous: nil)
    var words = SearchWords.words(of: first)
    for event in events.dropFirst() {
      incident.apply(event)
      entry = CatalogEntry(incident, after: event, previous: entry)
      words.formUnion(SearchWords.words(of: event))
    }
    self.init(entry: entry, words: words)
  }

  /// Reads an incident's journal; nil when it cannot be read.
  init?(of id: IncidentID, in storage: any Storage) {
    var events: [JournalEvent] = []
    while let page = try? storage.events(of: id, after: events.count, limit: Self.page) {
      events += page
      if page.count < Self.page {
        self.init(folding: events)
        return
      }
    }
    return nil
  }

  private static let page = 1_000

  /// The document that says so.
  package var change: DocumentChange {
    guard case .object(var members) = entry.json else { preconditionFailure("an entry is an object") }
    members["words"] = .string(words.sorted().joined(separator: " "))
    return .put(collection: CatalogDesk.collection, key: entry.id.value, .object(members))
  }
}
