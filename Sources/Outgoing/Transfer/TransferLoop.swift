import CCurl
import Foundation
import Synchronization

/// Drives any number of libcurl transfers on one thread of its own.
///
/// A receiver that does not answer costs a socket and an entry, not a thread: it holds up no other. Connections are kept
/// and used again. ``stop()`` ends the thread; until then the thread keeps the loop alive.
final class TransferLoop: Sendable {
  private struct State {
    var waiting: [CurlTransfer] = []
    /// Calls that somebody waits for, so that a late cancellation leaves nothing behind.
    var live: Set<UInt64> = []
    var cancelled: Set<UInt64> = []
    var nextID: UInt64 = 0
    var isStopped = false
  }

  /// What the thread has to do in one round.
  private struct Round {
    var starting: [CurlTransfer] = []
    var cancelled: Set<UInt64> = []
    var isStopped = false
  }

  private let state = Mutex(State())
  private let multi: CurlMulti
  private let options: TransferOptions
  private let limits: TransferLimits
  private let ended = DispatchSemaphore(value: 0)

  /// Idle connections that are kept.
  private static let maximumIdleConnections = 64
  /// Longest time between two looks at the transfers, in milliseconds; calls, cancellation and data come at once.
  private static let pollMilliseconds: Int32 = 1_000

  init(options: TransferOptions, limits: TransferLimits, name: String) {
    self.options = options
    self.limits = limits
    multi = CurlMulti(idleConnections: Self.maximumIdleConnections)
    let thread = Thread { self.run() }
    thread.name = name
    thread.start()
  }

  /// Does `kind`; ends early when the task is cancelled.
  func perform(_ kind: TransferKind) async -> Result<OutgoingResponse, OutgoingError> {
    let id = state.withLock { state in
      state.nextID += 1
      state.live.insert(state.nextID)
      return state.nextID
    }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        submit(
          CurlTransfer(id: id, kind: kind, options: options, answerLimit: limits.answerBytes) {
            continuation.resume(returning: $0)
          })
      }
    } onCancel: {
      cancel(id)
    }
    state.withLock { state in
      state.live.remove(id)
      state.cancelled.remove(id)
    }
    return result
  }

  /// Fails everything that runs and waits, and ends the thread; returns when it has.
  func stop() {
    let isFirst = state.withLock { state in
      defer { state.isStopped = true }
      return !state.isStopped
    }
    guard isFirst else { return }
    multi.wake()
    ended.wait()
  }

  private func submit(_ transfer: CurlTransfer) {
    let refusal: OutgoingError? = state.withLock { state in
      if state.isStopped { return Self.stopped }
      if state.cancelled.contains(transfer.id) { return Self.cancelled }
      guard state.waiting.count < limits.waitingCalls else {
        return OutgoingError(.busy, "\(limits.waitingCalls) calls wait already. Try again in a minute.")
      }
      state.waiting.append(transfer)
      return nil
    }
    if let refusal { transfer.end(.failure(refusal)) } else { multi.wake() }
  }

  private func cancel(_ id: UInt64) {
    state.withLock { state in
      if state.live.contains(id) { state.cancelled.insert(id) }
    }
    multi.wake()
  }

  private static let stopped = OutgoingError(.stopped, "The server is stopping; nothing more is sent.")
  private static let cancelled = OutgoingError(.cancelled, "The call was given up.")

  // MARK: - The thread

  private func run() {
    var running: [UnsafeMutableRawPointer: CurlTransfer] = [:]
    while true {
      let round = nextRound(room: limits.callsAtATime - running.count)
      for transfer in round.starting { begin(transfer, round, &running) }
      for (handle, transfer) in running where round.isStopped || round.cancelled.contains(transfer.id) {
        multi.remove(handle)
        running[handle] = nil
        transfer.end(.failure(round.isStopped ? Self.stopped : Self.cancelled))
      }
      if round.isStopped { break }
      multi.perform()
      while let (handle, code) = multi.nextEnded() {
        multi.remove(handle)
        running.removeValue(forKey: handle)?.end(code)
      }
      let hasRoomForWaiting = running.count < limits.callsAtATime && state.withLock { !$0.waiting.isEmpty }
      multi.poll(milliseconds: hasRoomForWaiting ? 0 : Self.pollMilliseconds)
    }
    ended.signal()
  }

  private func nextRound(room: Int) -> Round {
    state.withLock { state in
      var round = Round(cancelled: state.cancelled, isStopped: state.isStopped)
      // What is cancelled or stopped while it waits is taken out without regard to room.
      if state.isStopped {
        round.starting = state.waiting
        state.waiting = []
      } else {
        round.starting = state.waiting.filter { state.cancelled.contains($0.id) }
        if !round.starting.isEmpty { state.waiting.removeAll { state.cancelled.contains($0.id) } }
        let count = min(room, state.waiting.count)
        round.starting += state.waiting.prefix(count)
        state.waiting.removeFirst(count)
      }
      return round
    }
  }

  private func begin(
    _ transfer: CurlTransfer, _ round: Round, _ running: inout [UnsafeMutableRawPointer: CurlTransfer]
  ) {
    if round.isStopped { return transfer.end(.failure(Self.stopped)) }
    if round.cancelled.contains(transfer.id) { return transfer.end(.failure(Self.cancelled)) }
    guard let handle = transfer.start(), multi.add(handle) else {
      return transfer.end(.failure(OutgoingError(.invalid, "This libcurl cannot make the call. Update libcurl.")))
    }
    running[handle] = transfer
  }
}

/// Libcurl's set of transfers.
///
/// Unchecked: the loop's thread alone uses it, but for ``wake()``, which libcurl allows from any thread.
private final class CurlMulti: @unchecked Sendable {
  private let handle: UnsafeMutableRawPointer

  /// Libcurl's global state is made once, before the first use.
  ///
  /// Libcurl leaves SIGPIPE to the program where it may use no signals: a broken connection is an error, not the end.
  private static let isReady: Bool = {
    signal(SIGPIPE, SIG_IGN)
    return curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
  }()

  init(idleConnections: Int) {
    guard Self.isReady, let handle = curl_multi_init() else {
      preconditionFailure("libcurl has no memory to begin with")
    }
    self.handle = handle
    _ = sl_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, idleConnections)
  }

  deinit {
    curl_multi_cleanup(handle)
  }

  func wake() { curl_multi_wakeup(handle) }

  func add(_ transfer: UnsafeMutableRawPointer) -> Bool { curl_multi_add_handle(handle, transfer) == CURLM_OK }

  func remove(_ transfer: UnsafeMutableRawPointer) { curl_multi_remove_handle(handle, transfer) }

  func perform() {
    var running: Int32 = 0
    curl_multi_perform(handle, &running)
  }

  func nextEnded() -> (UnsafeMutableRawPointer, CURLcode)? {
    var code = CURLE_OK
    return sl_curl_multi_next_ended(handle, &code).map { ($0, code) }
  }

  func poll(milliseconds: Int32) {
    curl_multi_poll(handle, nil, 0, milliseconds, nil)
  }
}
