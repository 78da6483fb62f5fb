import Synchronization

/// What the control room counts, for `/metrics`.
package final class ControlRoomCounters: Sendable {
  private let refusals = Mutex<[Refusal.Code: UInt64]>([:])
  private let eventCount = Atomic<UInt64>(0)
  private let storageFailures = Atomic<UInt64>(0)

  package func noteRefusal(_ code: Refusal.Code) {
    refusals.withLock { $0[code, default: 0] += 1 }
  }

  func noteEvent() { eventCount.wrappingAdd(1, ordering: .relaxed) }

  func noteStorageFailure() { storageFailures.wrappingAdd(1, ordering: .relaxed) }

  /// Durable events since the start.
  package var events: UInt64 { eventCount.load(ordering: .relaxed) }

  package var failures: UInt64 { storageFailures.load(ordering: .relaxed) }

  /// Refused messages by code; every code has its row from the start.
  package var refused: [(code: Refusal.Code, count: UInt64)] {
    let counted = refusals.withLock { $0 }
    return Refusal.Code.allCases.map { ($0, counted[$0] ?? 0) }
  }
}
