import Foundation
import Synchronization

/// Writes transactions on a thread of its own, as many as wait in one commit, so that one fsync serves them all.
///
/// Completions are called on that thread, in the order of submission, after their commit is durable. After a failed
/// commit everything fails: what was decided on top of it must not be stored without it.
package final class JournalWriter: Sendable {
  private struct Item {
    let transaction: StorageTransaction
    let completion: @Sendable (Result<Void, StorageError>) -> Void
  }

  private struct Queue {
    var items: [Item] = []
    var failure: StorageError?
    var isStopping = false
    var statistics = Statistics()
  }

  /// What was written since the start.
  package struct Statistics: Hashable, Sendable {
    package var commits = 0
    package var events = 0
    /// Seconds spent in commits, fsync included.
    package var seconds = 0.0
  }

  private let queue = Mutex(Queue())
  /// Signalled once for each submission, and to stop.
  private let wake = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)
  private let storage: any Storage
  private let onFailure: @Sendable (StorageError) -> Void

  /// Transactions that may wait; callers ask ``hasRoom`` before they accept anything.
  package static let maximumWaiting = 65_536
  /// Transactions in one commit.
  package static let maximumBatch = 4_096

  package init(storage: any Storage, onFailure: @escaping @Sendable (StorageError) -> Void) {
    self.storage = storage
    self.onFailure = onFailure
    let thread = Thread { [weak self] in
      while let writer = self, writer.work() {}
    }
    thread.name = "journal-writer"
    thread.start()
  }

  /// Whether there is room for another transaction.
  package var hasRoom: Bool {
    queue.withLock { $0.items.count < Self.maximumWaiting && $0.failure == nil && !$0.isStopping }
  }

  package var statistics: Statistics { queue.withLock { $0.statistics } }

  /// Has `transaction` written; `completion` is called once, on the writer's thread.
  ///
  /// An empty transaction is answered when everything before it is durable. After ``stop()`` everything fails, on another
  /// thread, since callers hold their locks while they submit.
  package func submit(
    _ transaction: StorageTransaction, completion: @escaping @Sendable (Result<Void, StorageError>) -> Void
  ) {
    let isTaken = queue.withLock { queue in
      if queue.isStopping { return false }
      queue.items.append(Item(transaction: transaction, completion: completion))
      return true
    }
    guard isTaken else {
      return DispatchQueue.global().async {
        completion(.failure(StorageError(.unavailable, "The server is stopping. Try again when it is back.")))
      }
    }
    wake.signal()
  }

  /// Writes what waits, then ends the thread; returns when it has.
  package func stop() {
    let isFirst = queue.withLock { queue in
      defer { queue.isStopping = true }
      return !queue.isStopping
    }
    guard isFirst else { return }
    wake.signal()
    ended.wait()
  }

  /// Waits for work and does it; false when the thread is to end.
  private func work() -> Bool {
    wake.wait()
    let (items, failure, isStopping) = queue.withLock { queue -> ([Item], StorageError?, Bool) in
      let items = Array(queue.items.prefix(Self.maximumBatch))
      queue.items.removeFirst(items.count)
      // Signals of items that are taken along find the queue empty later, which costs nothing but a look.
      return (items, queue.failure, queue.isStopping && queue.items.isEmpty)
    }
    if !items.isEmpty { finish(items, failure.map { .failure($0) } ?? commit(items)) }
    if isStopping { ended.signal() }
    return !isStopping
  }

  private func commit(_ items: [Item]) -> Result<Void, StorageError> {
    var all = StorageTransaction()
    for item in items {
      all.events += item.transaction.events
      all.changes += item.transaction.changes
    }
    if all.isEmpty { return .success(()) }
    let start = DispatchTime.now().uptimeNanoseconds
    do throws(StorageError) {
      try storage.append(all)
    } catch {
      queue.withLock { $0.failure = error }
      onFailure(error)
      return .failure(error)
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    queue.withLock { queue in
      queue.statistics.commits += 1
      queue.statistics.events += all.events.count
      queue.statistics.seconds += seconds
    }
    return .success(())
  }

  private func finish(_ items: [Item], _ result: Result<Void, StorageError>) {
    for item in items { item.completion(result) }
  }
}
