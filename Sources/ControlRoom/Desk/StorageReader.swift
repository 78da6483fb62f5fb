import Dispatch
import Incidents
import JSON
import Primitives
import Storage

/// Reads from the store on threads of its own, so that a slow disk never holds up the tasks that serve people.
struct StorageReader: Sendable {
  let storage: any Storage
  private let queue = DispatchQueue(label: "sightline.storage-reader", attributes: .concurrent)
  private let slots = DispatchSemaphore(value: maximumReads)

  /// Reads at a time.
  static let maximumReads = 8

  init(storage: any Storage) {
    self.storage = storage
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any Storage) throws(StorageError) -> Value
  ) async throws(StorageError) -> Value {
    let result = await withCheckedContinuation { continuation in
      queue.async {
        slots.wait()
        defer { slots.signal() }
        let result: Result<Value, StorageError>
        do throws(StorageError) {
          result = .success(try body(storage))
        } catch {
          result = .failure(error)
        }
        continuation.resume(returning: result)
      }
    }
    return try result.get()
  }
}
