import Dispatch
import Synchronization

/// Hashes passwords on threads of its own, few at a time: scrypt is dear on purpose and must not hold up anything else.
struct PasswordWorker: Sendable {
  private let queue = DispatchQueue(label: "sightline.passwords", attributes: .concurrent)
  private let slots = DispatchSemaphore(value: maximumRunning)
  private let waiting = Waiting()

  /// Derivations at a time.
  static let maximumRunning = 2
  /// Derivations that may wait; more are refused.
  static let maximumWaiting = 32

  private final class Waiting: Sendable {
    let count = Mutex(0)
  }

  /// Runs `body` when it is its turn; refuses when too many wait.
  func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async throws(Refusal) -> Value {
    let isAccepted = waiting.count.withLock { count in
      guard count < Self.maximumWaiting else { return false }
      count += 1
      return true
    }
    guard isAccepted else {
      throw Refusal(.full, "Too many people sign in at once. Try again in a few seconds.", retryAfter: .seconds(3))
    }
    return await withCheckedContinuation { continuation in
      queue.async {
        slots.wait()
        let value = body()
        slots.signal()
        waiting.count.withLock { $0 -= 1 }
        continuation.resume(returning: value)
      }
    }
  }
}
