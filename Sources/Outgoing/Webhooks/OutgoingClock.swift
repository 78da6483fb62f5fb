import Foundation
import Primitives

/// Where the dispatcher reads the time and waits; tests put their own in.
package struct OutgoingClock: Sendable {
  package var now: @Sendable () -> UTCTime
  /// Returns after the interval, and throws when the task is cancelled before.
  package var wait: @Sendable (TimeInterval64) async throws -> Void

  package init(
    now: @escaping @Sendable () -> UTCTime, wait: @escaping @Sendable (TimeInterval64) async throws -> Void
  ) {
    self.now = now
    self.wait = wait
  }

  /// The system's clock.
  package static let system = OutgoingClock(
    now: { UTCTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) },
    wait: { try await Task.sleep(for: .nanoseconds(max($0.nanoseconds, 0))) })
}
