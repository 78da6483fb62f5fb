import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// A store in memory that says what is written, and can refuse to.
final class MemoryStorage: Storage {
  private struct State {
    var events: [IncidentID: [JournalEvent]] = [:]
    var documents: [String: [String: JSONValue]] = [:]
    var refusals = 0
  }

  private let state = Mutex(State())
  /// What the dispatcher has written, in order.
  let writes: AsyncStream<[DocumentChange]>
  private let written: AsyncStream<[DocumentChange]>.Continuation

  init() {
    (writes, written) = AsyncStream.makeStream()
  }

  /// For the dispatcher's `store`.
  func store(_ changes: [DocumentChange]) throws(StorageError) {
    let refuses = state.withLock { state in
      defer { state.refusals = max(0, state.refusals - 1) }
      return state.refusals > 0
    }
    if refuses { throw StorageError(.full, "The disk is full.") }
    try append(StorageTransaction(changes: changes))
    written.yield(changes)
  }

  func refuse(_ count: Int) { state.withLock { $0.refusals = count } }

  func keys(_ collection: String) -> [String] { state.withLock { ($0.documents[collection] ?? [:]).keys.sorted() } }

  func append(_ transaction: StorageTransaction) throws(StorageError) {
    state.withLock { state in
      for event in transaction.events { state.events[event.incident, default: []].append(event) }
      for change in transaction.changes {
        switch change {
        case .put(let collection, let key, let value): state.documents[collection, default: [:]][key] = value
        case .delete(let collection, let key): state.documents[collection]?[key] = nil
        }
      }
    }
  }

  func events(of incident: IncidentID, after number: Int, limit: Int) throws(StorageError) -> [JournalEvent] {
    state.withLock { Array(($0.events[incident] ?? []).filter { $0.number > number }.prefix(limit)) }
  }

  func head(of incident: IncidentID) throws(StorageError) -> JournalHead? {
    state.withLock { state in
      state.events[incident]?.last.map { JournalHead(incident: incident, number: $0.number, hash: $0.hash) }
    }
  }

  func heads(after incident: IncidentID?, limit: Int) throws(StorageError) -> [JournalHead] { [] }

  func document(_ collection: String, _ key: String) throws(StorageError) -> JSONValue? {
    state.withLock { $0.documents[collection]?[key] }
  }

  func documents(_ collection: String, after key: String?, limit: Int) throws(StorageError) -> [StoredDocument] {
    state.withLock { state in
      // By bytes, as SQLite sorts.
      let sorted = (state.documents[collection] ?? [:]).sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      return sorted.filter { (key ?? "").utf8.lexicographicallyPrecedes($0.key.utf8) }.prefix(limit)
        .map { StoredDocument(key: $0.key, value: $0.value) }
    }
  }

  func checkHealth() throws(StorageError) {}

  func close() {}
}
