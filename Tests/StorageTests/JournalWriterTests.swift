import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Synchronization
import Testing

@Suite("Journal writer")
struct JournalWriterTests {
  /// A store that counts, and fails or waits when told to.
  final class Stub: Storage {
    struct State {
      var transactions: [StorageTransaction] = []
      var failsAfter: Int?
    }
    let state = Mutex(State())
    /// Held by a test, it keeps a commit waiting.
    let gate = DispatchSemaphore(value: 0)
    let isGated: Bool

    init(isGated: Bool = false, failsAfter: Int? = nil) {
      self.isGated = isGated
      state.withLock { $0.failsAfter = failsAfter }
    }

    func append(_ transaction: StorageTransaction) throws(StorageError) {
      if isGated { gate.wait() }
      let fails = state.withLock { state in
        if let limit = state.failsAfter, state.transactions.count >= limit { return true }
        state.transactions.append(transaction)
        return false
      }
      if fails { throw StorageError(.full, "no room") }
    }

    func events(of: IncidentID, after: Int, limit: Int) throws(StorageError) -> [JournalEvent] { [] }
    func head(of: IncidentID) throws(StorageError) -> JournalHead? { nil }
    func heads(after: IncidentID?, limit: Int) throws(StorageError) -> [JournalHead] { [] }
    func document(_ collection: String, _ key: String) throws(StorageError) -> JSONValue? { nil }
    func documents(_: String, after: String?, limit: Int) throws(StorageError) -> [StoredDocument] { [] }
    func checkHealth() throws(StorageError) {}
    func close() {}
  }

  private static func change(_ number: Int) -> StorageTransaction {
    StorageTransaction(changes: [.put(collection: "c", key: "\(number)", .integer(number))])
  }

  /// Completions, in order, with whether they succeeded.
  final class Log: Sendable {
    let entries = Mutex<[(number: Int, isGood: Bool)]>([])

    func note(_ number: Int) -> @Sendable (Result<Void, StorageError>) -> Void {
      { result in
        let isGood = if case .success = result { true } else { false }
        self.entries.withLock { $0.append((number, isGood)) }
      }
    }
  }

  @Test func completionsComeInOrderAndCommitsAreShared() {
    let (stub, log) = (Stub(isGated: true), Log())
    let writer = JournalWriter(storage: stub) { _ in }
    for number in 0..<1_000 { writer.submit(Self.change(number), completion: log.note(number)) }
    // The first commit took what waited when it began; the rest is one commit, or two.
    for _ in 0..<10 { stub.gate.signal() }
    writer.stop()
    #expect(log.entries.withLock { $0.map(\.number) } == Array(0..<1_000))
    #expect(log.entries.withLock { $0.allSatisfy(\.isGood) })
    let commits = stub.state.withLock { $0.transactions }
    #expect(commits.count <= 3)
    #expect(commits.flatMap(\.changes).count == 1_000)
    #expect(writer.statistics.commits == commits.count)
  }

  @Test func nothingIsCompletedBeforeItsCommit() {
    let (stub, log) = (Stub(isGated: true), Log())
    let writer = JournalWriter(storage: stub) { _ in }
    writer.submit(Self.change(1), completion: log.note(1))
    writer.submit(StorageTransaction(), completion: log.note(2))
    #expect(log.entries.withLock { $0.isEmpty })
    for _ in 0..<3 { stub.gate.signal() }
    writer.stop()
    #expect(log.entries.withLock { $0.map(\.number) } == [1, 2])
  }

  @Test func afterAFailureEverythingFails() {
    let (stub, log) = (Stub(failsAfter: 1), Log())
    let failures = Mutex<[StorageError]>([])
    let writer = JournalWriter(storage: stub) { error in failures.withLock { $0.append(error) } }
    let isDone = DispatchSemaphore(value: 0)
    for number in 0..<3 {
      writer.submit(Self.change(number)) { result in
        log.note(number)(result)
        isDone.signal()
      }
      isDone.wait()
    }
    #expect(log.entries.withLock { $0.map(\.isGood) } == [true, false, false])
    #expect(failures.withLock { $0.map(\.code) } == [.full], "told once")
    #expect(!writer.hasRoom)
    stub.state.withLock { $0.failsAfter = nil }
    writer.submit(Self.change(9)) { result in
      log.note(9)(result)
      isDone.signal()
    }
    isDone.wait()
    #expect(log.entries.withLock { $0.last?.isGood } == false, "even when there is room again")
    writer.stop()
  }

  @Test func stoppingWritesWhatWaitsAndRefusesTheRest() {
    let (stub, log) = (Stub(), Log())
    let writer = JournalWriter(storage: stub) { _ in }
    for number in 0..<10_000 { writer.submit(Self.change(number), completion: log.note(number)) }
    writer.stop()
    #expect(log.entries.withLock { $0.count } == 10_000)
    #expect(stub.state.withLock { $0.transactions.flatMap(\.changes).count } == 10_000)
    #expect(!writer.hasRoom)
    let isDone = DispatchSemaphore(value: 0)
    writer.submit(Self.change(1)) { result in
      log.note(-1)(result)
      isDone.signal()
    }
    isDone.wait()
    #expect(log.entries.withLock { $0.last?.isGood } == false)
    writer.stop()
  }

  @Test func manyThreadsShareCommitsOnARealDisk() throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStorage(folder: folder.url)
    let (writer, log) = (JournalWriter(storage: store) { _ in }, Log())
    _ = concurrently(8) { worker in
      for number in 0..<250 {
        writer.submit(Self.change(worker * 1_000 + number), completion: log.note(worker * 1_000 + number))
      }
    }
    writer.stop()
    let order = log.entries.withLock { $0.map(\.number) }
    for worker in 0..<8 {
      #expect(order.filter { $0 / 1_000 == worker } == (0..<250).map { worker * 1_000 + $0 })
    }
    #expect(writer.statistics.commits < 2_000)
    #expect(try store.documents("c", after: nil, limit: 3_000).count == 2_000)
    store.close()
  }
}
