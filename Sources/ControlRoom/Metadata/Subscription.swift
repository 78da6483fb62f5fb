import Incidents
import JSON
import Primitives
import Synchronization

/// One client's view of one incident over one carrier: every event that it may see, in order, none twice, none missing.
///
/// While the reader keeps up, events come as they happen. When too many wait for it, they are left to the journal, which
/// is then read at the reader's own pace until it has caught up. A reader that takes nothing for
/// ``ControlRoomLimits/slowReaderTimeout`` is sent away with a reason and may resume later. It never holds up anyone.
package final class Subscription: Sendable {
  private enum Mode {
    /// Events are sent as they are made known.
    case live
    /// Events are read from the journal; those made known meanwhile will be found there.
    case catchingUp
    case ended
  }

  private struct State {
    var mode = Mode.catchingUp
    /// Number of the last event that was sent or is not for this reader.
    var cursor: Int
  }

  let incident: IncidentID
  let actor: Actor
  let facts: PrincipalFacts
  private let audience: Audience
  private let desk: IncidentDesk
  private let sink: any MetadataSink
  private let state: Mutex<State>
  /// Messages that the carrier has not taken yet; outside of the lock, since a carrier may answer before `send` returns.
  private let inFlight = Atomic<Int>(0)
  private let isPresent = Atomic<Bool>(true)

  init(_ incident: IncidentID, after cursor: Int, of principal: Principal, desk: IncidentDesk, sink: any MetadataSink) {
    self.incident = incident
    actor = principal.actor
    facts = principal.facts
    audience = Audience(principal.role)
    self.desk = desk
    self.sink = sink
    state = Mutex(State(cursor: cursor))
  }

  /// Nothing is sent from now on; false when it had ended before.
  @discardableResult
  func end() -> Bool {
    state.withLock { state in
      if case .ended = state.mode { return false }
      state.mode = .ended
      return true
    }
  }

  /// Ends it because its reader has lost the right, and says so.
  func revoke() {
    guard end() else { return }
    let refusal = Refusal(.forbidden, "You no longer belong to this incident.")
    sink.send(ServerMetadata.unsubscribed(incident, because: refusal, inReplyTo: nil), taken: { _ in })
  }

  /// Whether its reader is counted among those present until now; asked by whoever takes them off the list.
  func leave() -> Bool { isPresent.exchange(false, ordering: .relaxed) }

  // MARK: - Live

  /// Takes an event that was just made known.
  func publish(_ event: RenderedEvent) {
    let mustCatchUp = state.withLock { state in
      guard case .live = state.mode, event.event.number == state.cursor + 1 else { return false }
      guard inFlight.load(ordering: .relaxed) < desk.limits.maximumInFlight else {
        state.mode = .catchingUp
        return true
      }
      state.cursor += 1
      if desk.isVisible(event.event, to: facts) { send(event.text(for: audience)) }
      return false
    }
    if mustCatchUp { start() }
  }

  /// Passes on what is not stored; a reader that is behind misses it.
  func pass(_ message: EphemeralDelivery.Message) {
    guard !message.kind.audience(of: message.payload).isDisjoint(with: audience) else { return }
    state.withLock { state in
      guard case .live = state.mode, inFlight.load(ordering: .relaxed) < desk.limits.maximumInFlight else { return }
      send(message.text)
    }
  }

  /// Called with the lock held, so that messages keep their order and none follows the end.
  private func send(_ text: String) {
    inFlight.add(1, ordering: .relaxed)
    sink.send(text) { [weak self] _ in self?.inFlight.subtract(1, ordering: .relaxed) }
  }

  // MARK: - Catching up

  /// Reads from the journal until nothing is left, then goes live.
  func start() {
    Task { await catchUp() }
  }

  private func catchUp() async {
    while true {
      do throws(Refusal) {
        let cursor = state.withLock { $0.cursor }
        let events = try await desk.events(of: incident, after: cursor, limit: desk.limits.catchUpPage)
        guard !events.isEmpty else {
          if goLive() { return }
          continue
        }
        guard await hand(events) else {
          return fail(Refusal(.slowReader, "Messages were not read in time. Connect again and resume."))
        }
      } catch {
        return fail(error)
      }
    }
  }

  /// Sends a page and waits until the carrier has taken it; false when it does not in time.
  private func hand(_ events: [RenderedEvent]) async -> Bool {
    let visible = events.filter { desk.isVisible($0.event, to: facts) }
    let isTaken: Bool
    if let last = visible.last {
      for event in visible.dropLast() { unlessEnded { send(event.text(for: audience)) } }
      isTaken = await withDeadline(desk.limits.slowReaderTimeout) { done in
        if !self.unlessEnded({ self.sink.send(last.text(for: self.audience), taken: done) }) { done(false) }
      }
    } else {
      isTaken = true
    }
    return state.withLock { state in
      if let number = events.last?.event.number { state.cursor = number }
      if case .ended = state.mode { return false }
      return isTaken
    }
  }

  /// Does something that must not follow the end; false when that has come.
  @discardableResult
  private func unlessEnded(_ body: () -> Void) -> Bool {
    state.withLock { state in
      if case .ended = state.mode { return false }
      body()
      return true
    }
  }

  /// Whether there is nothing left to do here: live from now on, or ended.
  private func goLive() -> Bool {
    desk.state.withLock { desk in
      state.withLock { state in
        if case .ended = state.mode { return true }
        // Under the desk's lock nothing new is made known between the comparison and the change.
        guard (desk.entries[incident]?.published ?? 0) <= state.cursor else { return false }
        state.mode = .live
        return true
      }
    }
  }

  private func fail(_ refusal: Refusal) {
    if end() { sink.close(refusal) }
  }
}

/// Waits for `start` to report, but no longer than `limit`; false when the time is over.
func withDeadline(
  _ limit: Duration, _ start: @escaping @Sendable (_ done: @escaping @Sendable (Bool) -> Void) -> Void
) async -> Bool {
  let once = FirstAnswer()
  return await withCheckedContinuation { continuation in
    once.set(continuation)
    let timer = Task {
      try await Task.sleep(for: limit)
      once.answer(false)
    }
    start { isTaken in
      timer.cancel()
      once.answer(isTaken)
    }
  }
}

/// Resumes a continuation with the first of several answers.
private final class FirstAnswer: Sendable {
  private let continuation = Mutex<CheckedContinuation<Bool, Never>?>(nil)

  func set(_ new: CheckedContinuation<Bool, Never>) {
    continuation.withLock { $0 = new }
  }

  func answer(_ value: Bool) {
    let waiting = continuation.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
    waiting?.resume(returning: value)
  }
}
