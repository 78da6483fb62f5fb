import Outgoing
import Primitives
import Synchronization

/// A clock that stands still until a test moves it.
final class ManualClock: Sendable {
  private struct State {
    var now = UTCTime(seconds: 1_790_000_000)
    var waiters: [Int: (until: UTCTime, continuation: CheckedContinuation<Void, any Error>)] = [:]
    var cancelled: Set<Int> = []
    var nextID = 0
  }

  private let state = Mutex(State())
  /// How long somebody wants to wait, as soon as it does.
  let pauses: AsyncStream<TimeInterval64>
  private let paused: AsyncStream<TimeInterval64>.Continuation

  init() {
    (pauses, paused) = AsyncStream.makeStream()
  }

  var now: UTCTime { state.withLock { $0.now } }

  var clock: OutgoingClock { OutgoingClock(now: { self.now }, wait: { try await self.wait($0) }) }

  func advance(_ interval: TimeInterval64) {
    let due = state.withLock { state in
      state.now = state.now + interval
      let due = state.waiters.filter { $0.value.until <= state.now }
      for id in due.keys { state.waiters[id] = nil }
      return due.values.map(\.continuation)
    }
    for continuation in due { continuation.resume() }
  }

  private func wait(_ interval: TimeInterval64) async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let isCancelled = state.withLock { state in
          if state.cancelled.contains(id) { return true }
          state.waiters[id] = (state.now + interval, continuation)
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) } else { paused.yield(interval) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.cancelled.insert(id)
        return state.waiters.removeValue(forKey: id)
      }
      waiter?.continuation.resume(throwing: CancellationError())
    }
  }
}
