import Primitives
import Synchronization

/// What became of the sessions of a run; shared by the tasks that set them up and the loops that run them.
final class LoadTally: Sendable {
  /// One session's way to its media.
  struct SetUp: Sendable {
    let participant: LoadParticipant
    /// Just before the offer was made.
    let began: MonotonicTime
    /// The answer was there.
    var answered: MonotonicTime?
    /// The keys were there.
    var connected: MonotonicTime?
    /// Nil for callers.
    var media: LoadReceiverTimes?
  }

  private struct State {
    var sessions: [LoadParticipant: SetUp] = [:]
    var failures: [String] = []
    var failed = 0
    var lost = 0
    var isEnding = false
  }

  private let state = Mutex(State())

  /// Failures that are kept with their reasons; all are counted.
  static let maximumReasons = 10

  func begin(_ participant: LoadParticipant, at now: MonotonicTime) {
    state.withLock { $0.sessions[participant] = SetUp(participant: participant, began: now) }
  }

  func update(_ participant: LoadParticipant, _ change: (inout SetUp) -> Void) {
    state.withLock { state in
      guard var setUp = state.sessions[participant] else { return }
      change(&setUp)
      state.sessions[participant] = setUp
    }
  }

  /// Notes a session that did not come about.
  func fail(_ participant: LoadParticipant, _ reason: String) {
    state.withLock { state in
      state.failed += 1
      if state.failures.count < Self.maximumReasons { state.failures.append("\(participant): \(reason)") }
    }
  }

  /// Notes a session that ended by itself while it was measured.
  func lose(_ participant: LoadParticipant, _ reason: String) {
    state.withLock { state in
      guard !state.isEnding, state.sessions[participant]?.connected != nil else { return }
      state.lost += 1
      if state.failures.count < Self.maximumReasons { state.failures.append("\(participant) was lost: \(reason)") }
    }
  }

  /// From now on sessions end because we want it.
  func end() {
    state.withLock { $0.isEnding = true }
  }

  var setUps: [SetUp] { state.withLock { Array($0.sessions.values) } }
  var failures: [String] { state.withLock { $0.failures } }
  var failed: Int { state.withLock { $0.failed } }
  var lost: Int { state.withLock { $0.lost } }

  /// Sessions with keys.
  var connected: (callers: Int, viewers: Int) {
    state.withLock { state in
      state.sessions.values.reduce(into: (0, 0)) { count, setUp in
        guard setUp.connected != nil else { return }
        switch setUp.participant.role {
        case .caller: count.0 += 1
        case .viewer: count.1 += 1
        }
      }
    }
  }
}
