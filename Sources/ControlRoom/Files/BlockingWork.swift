import Dispatch

/// Work that waits for a disk, kept off the few threads on which everything asynchronous runs.
package enum BlockingWork {
  private static let queue = DispatchQueue(label: "sightline.blocking", attributes: .concurrent)

  /// Runs `body` on a thread that may wait.
  package static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: body()) }
    }
  }
}
