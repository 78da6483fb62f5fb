import Foundation
import Primitives

/// Where the control room reads the time; tests put their own in.
package struct ControlRoomClock: Sendable {
  package var wall: @Sendable () -> UTCTime
  package var monotonic: @Sendable () -> MonotonicTime

  package init(wall: @escaping @Sendable () -> UTCTime, monotonic: @escaping @Sendable () -> MonotonicTime) {
    self.wall = wall
    self.monotonic = monotonic
  }

  /// The system's clocks.
  package static let system = ControlRoomClock(
    wall: {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return UTCTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    },
    monotonic: { MonotonicTime(nanoseconds: DispatchTime.now().uptimeNanoseconds) })
}
