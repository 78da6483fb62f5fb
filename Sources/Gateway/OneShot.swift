import Synchronization

/// A value that comes once and is waited for from anywhere.
final class OneShot<Value: Sendable>: Sendable {
  private enum State {
    case waiting([CheckedContinuation<Value, any Error>])
    case done(Result<Value, any Error>)
  }

  private let state = Mutex(State.waiting([]))

  /// The value, or what came in its place.
  func value() async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let result: Result<Value, any Error>? = state.withLock { state in
        switch state {
        case .waiting(let others):
          state = .waiting(others + [continuation])
          return nil
        case .done(let result):
          return result
        }
      }
      if let result { continuation.resume(with: result) }
    }
  }

  func succeed(_ value: Value) { finish(.success(value)) }

  /// Without effect when there is a result already.
  func fail(_ error: any Error) { finish(.failure(error)) }

  private func finish(_ result: Result<Value, any Error>) {
    let waiting: [CheckedContinuation<Value, any Error>] = state.withLock { state in
      guard case .waiting(let continuations) = state else { return [] }
      state = .done(result)
      return continuations
    }
    for continuation in waiting { continuation.resume(with: result) }
  }
}
