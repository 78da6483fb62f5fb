import Incidents
import Synchronization

/// Tells the parts of the node about every durable event.
final class JournalTap: Sendable {
  typealias Observer = @Sendable (JournalEvent, Incident) -> Void

  private struct State {
    var observers: [(id: Int, observer: Observer)] = []
    var lastID = 0
  }

  private let state = Mutex(State())

  /// Begins to tell `observer`; what ``remove(_:)`` wants comes back.
  @discardableResult
  func listen(_ observer: @escaping Observer) -> Int {
    state.withLock { state in
      state.lastID += 1
      state.observers.append((state.lastID, observer))
      return state.lastID
    }
  }

  func remove(_ id: Int) {
    state.withLock { state in state.observers.removeAll { $0.id == id } }
  }

  /// Lets go of all observers.
  func clear() {
    state.withLock { $0.observers = [] }
  }

  func tell(_ event: JournalEvent, _ incident: Incident) {
    for entry in state.withLock({ $0.observers }) { entry.observer(event, incident) }
  }
}
