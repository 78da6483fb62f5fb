import Primitives
import Synchronization

/// When a viewer's media began; shared with the task that set the session up.
package final class LoadReceiverTimes: Sendable {
  private struct State {
    var firstPacket: MonotonicTime?
    var firstKeyframe: MonotonicTime?
    var firstLive: MonotonicTime?
  }

  private let state = Mutex(State())

  package init() {}

  package var firstPacket: MonotonicTime? { state.withLock { $0.firstPacket } }
  package var firstKeyframe: MonotonicTime? { state.withLock { $0.firstKeyframe } }
  /// The first video packet that was sent after the viewer had received something.
  ///
  /// A server may show a cached keyframe at once and go on only at the next one.
  package var firstLive: MonotonicTime? { state.withLock { $0.firstLive } }

  func notePacket(_ now: MonotonicTime) { state.withLock { $0.firstPacket = now } }
  func noteKeyframe(_ now: MonotonicTime) { state.withLock { $0.firstKeyframe = now } }
  func noteLive(_ now: MonotonicTime) { state.withLock { $0.firstLive = now } }
}
