import Incidents
import Synchronization

/// Tells the parts of the node about every durable event.
final class JournalTap: Sendable {
  typealias Observer = @Sendable (JournalEvent, Incident) -> Void

  private let observers = Mutex<[Observer]>([])

  func listen(_ observer: @escaping Observer) {
    observers.withLock { $0.append(observer) }
  }

  func tell(_ event: JournalEvent, _ incident: Incident) {
    for observer in observers.withLock({ $0 }) { observer(event, incident) }
  }
}
