import Foundation
import NIOCore
import Primitives

/// Where the gateway reads the time; tests put their own in.
package struct GatewayClock: Sendable {
  package var wall: @Sendable () -> UnixTime
  package var monotonic: @Sendable () -> MonotonicTime

  package init(wall: @escaping @Sendable () -> UnixTime, monotonic: @escaping @Sendable () -> MonotonicTime) {
    self.wall = wall
    self.monotonic = monotonic
  }

  /// The system's clocks.
  package static let system = GatewayClock(
    wall: { UnixTime(seconds: Int64(Date().timeIntervalSince1970)) },
    monotonic: { MonotonicTime(nanoseconds: NIODeadline.now().uptimeNanoseconds) })
}
