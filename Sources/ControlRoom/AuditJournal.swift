import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// The journal of what concerns no single incident: accounts, sign-ins, settings, looks at evidence.
///
/// Documents that change with an event, such as an account, are stored in the same transaction.
package final class AuditJournal: Sendable {
  private struct Head {
    var number: Int
    var hash: [UInt8]
  }

  private let head: Mutex<Head>
  private let writer: JournalWriter
  private let reader: StorageReader
  private let clock: ControlRoomClock

  init(storage: any Storage, writer: JournalWriter, clock: ControlRoomClock) throws(StorageError) {
    self.writer = writer
    self.clock = clock
    reader = StorageReader(storage: storage)
    let stored = try storage.head(of: .audit)
    head = Mutex(Head(number: stored?.number ?? 0, hash: stored?.hash ?? JournalEvent.genesisHash))
  }

  /// Stores an event of `actor`, with `changes`; returns when all is durable.
  package func record(
    _ kind: EventKind, _ payload: JSONValue, by actor: Actor, changes: [DocumentChange] = []
  ) async throws(Refusal) {
    // A payload carries what strangers typed, user names for one: it is refused, and nothing stops.
    do {
      try kind.traits.payload.validate(payload)
    } catch {
      throw Refusal(.badPayload, "The payload of \(kind.rawValue) is not right. \(error.description)")
    }
    guard writer.hasRoom else { throw .unavailable }
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<Void, StorageError>, Never>) in
      head.withLock { head in
        let event = JournalEvent(
          incident: .audit, number: head.number + 1, time: clock.wall(), actor: actor, kind: kind.rawValue,
          payload: payload, clientID: nil, previousHash: head.hash)
        head = Head(number: event.number, hash: event.hash)
        writer.submit(StorageTransaction(events: [event], changes: changes)) { continuation.resume(returning: $0) }
      }
    }
    if case .failure = result { throw .unavailable }
  }

  /// Stores documents that need no event of their own; returns when they are durable.
  package func store(_ changes: [DocumentChange]) async throws(Refusal) {
    guard !changes.isEmpty else { return }
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<Void, StorageError>, Never>) in
      writer.submit(StorageTransaction(events: [], changes: changes)) { continuation.resume(returning: $0) }
    }
    if case .failure = result { throw .unavailable }
  }

  /// The events of one actor among the last ``ownHorizon``, newest first.
  package func recentEvents(of actor: String) async throws(Refusal) -> [JournalEvent] {
    let last = head.withLock { $0.number }
    let events = try await events(after: max(0, last - Self.ownHorizon), limit: Self.ownHorizon)
    return events.filter { $0.actor.id == actor }.reversed()
  }

  /// Number of the last event; 0 when there is none.
  var lastNumber: Int { head.withLock { $0.number } }

  /// Events that are looked through for somebody's own.
  static let ownHorizon = 2_000

  /// Events after `number`, at most `limit`.
  package func events(after number: Int, limit: Int) async throws(Refusal) -> [JournalEvent] {
    do {
      return try await reader.read { (storage) throws(StorageError) in
        try storage.events(of: .audit, after: number, limit: limit)
      }
    } catch {
      throw Refusal(.unavailable, error.text)
    }
  }
}
