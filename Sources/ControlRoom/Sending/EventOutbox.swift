import Incidents
import Storage
import Synchronization

/// What has to be stored in the same transaction as an event, and who hears of it once it is durable; webhooks.
final class EventOutbox: Sendable {
  /// The two halves of it.
  struct Handler: Sendable {
    let changes: @Sendable (JournalEvent, _ agency: String) -> [DocumentChange]
    let stored: @Sendable ([DocumentChange]) -> Void
  }

  private let handler = Mutex<Handler?>(nil)

  func set(_ new: Handler) { handler.withLock { $0 = new } }

  func changes(for events: [JournalEvent], agency: String) -> [DocumentChange] {
    guard let handler = handler.withLock({ $0 }) else { return [] }
    return events.flatMap { handler.changes($0, agency) }
  }

  func stored(_ changes: [DocumentChange]) {
    guard !changes.isEmpty else { return }
    handler.withLock { $0 }?.stored(changes)
  }
}
