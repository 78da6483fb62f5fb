import CSystemCalls
import Primitives

/// Where the recorder has the time from.
package struct RecorderClock: Sendable {
  package var wall: @Sendable () -> UTCTime
  package var monotonic: @Sendable () -> MonotonicTime

  package init(wall: @escaping @Sendable () -> UTCTime, monotonic: @escaping @Sendable () -> MonotonicTime) {
    self.wall = wall
    self.monotonic = monotonic
  }

  package static let system = RecorderClock(
    wall: { UTCTime(microseconds: Int64(sl_realtime_nanoseconds() / 1_000)) },
    monotonic: { MonotonicTime(nanoseconds: sl_monotonic_nanoseconds()) })

  /// How to turn monotonic times into those of the wall clock, as it stands now.
  func anchor() -> ClockAnchor { ClockAnchor(wall: wall(), monotonic: monotonic()) }
}

/// One moment on both clocks.
struct ClockAnchor: Sendable {
  let wall: UTCTime
  let monotonic: MonotonicTime

  func wall(at nanoseconds: UInt64) -> UTCTime { wall + (MonotonicTime(nanoseconds: nanoseconds) - monotonic) }
}
