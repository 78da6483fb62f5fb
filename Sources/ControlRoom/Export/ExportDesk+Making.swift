import Archive
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Synchronization

// Making packages, one at a time, and taking up what an earlier run left.

extension ExportDesk {
  /// Takes up what an earlier run left: puts waiting exports back, and removes files that belong to none.
  ///
  /// Call it once, before anybody is let in.
  package func start() async throws(Refusal) {
    var ready: Set<String> = []
    var waiting: [EvidenceExport] = []
    var last: String?
    while true {
      let after = last
      let page = try await room.desk.read { (storage) throws(StorageError) in
        try storage.documents(Self.collection, after: after, limit: 1_000)
      }
      for document in page {
        guard let export = EvidenceExport(document: document.value) else { continue }
        if export.isActive { waiting.append(export) }
        if case .ready = export.state { ready.insert("\(export.id).zip") }
      }
      guard page.count == 1_000 else { break }
      last = page.last?.key
    }
    let (kept, folder) = (ready, folder)
    await BlockingWork.run { Self.tidy(folder, keeping: kept) }
    board.withLock { board in
      for export in waiting.sorted(by: { $0.requested.time < $1.requested.time }) {
        board.active[export.id] = export
        if export.isQueued { board.queue.append(export.id) }
      }
    }
    try await journalHandlings()
    wake.continuation.yield()
  }

  /// Removes what is no finished package: leftovers of a run that ended in the middle.
  private static func tidy(_ folder: String, keeping kept: Set<String>) {
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix("e-") && !kept.contains(name) {
      try? FileManager.default.removeItem(atPath: folder + "/" + name)
    }
  }

  /// Makes packages until cancelled.
  package func run() async {
    for await _ in wake.stream {
      while !Task.isCancelled, let export = next() { await make(export) }
      if Task.isCancelled { return }
    }
  }

  /// The next export of the queue, which is being made from now on.
  private func next() -> EvidenceExport? {
    board.withLock { board in
      while !board.queue.isEmpty {
        let id = board.queue.removeFirst()
        guard var export = board.active[id], (try? export.take(.begun)) != nil else { continue }
        board.active[id] = export
        board.isCalledOff = false
        return export
      }
      return nil
    }
  }

  private func make(_ export: EvidenceExport) async {
    let stop = CallOff()
    let result = await withTaskCancellationHandler {
      await PatientThread.run { [self] () -> Result<EvidenceExport.Package, PackageError> in
        let maker = PackageMaker(
          export, sources: sources, output: path(of: export.id), madeAt: room.clock.wall()
        ) { (progress) throws(PackageError) in
          try self.note(progress, of: export.id, stop)
        }
        do throws(PackageError) {
          return .success(try maker.make())
        } catch {
          return .failure(error)
        }
      }
    } onCancel: {
      stop.set()
    }
    await finish(export, result)
  }

  private func note(
    _ progress: EvidenceExport.Progress, of id: String, _ stop: CallOff
  ) throws(PackageError) {
    let isCalledOff = board.withLock { board in
      _ = try? board.active[id]?.take(.progressed(progress))
      return board.isCalledOff
    }
    if isCalledOff || stop.isSet { throw PackageError(.cancelled, "It was called off.") }
  }

  private func finish(_ export: EvidenceExport, _ result: Result<EvidenceExport.Package, PackageError>) async {
    let id = export.id
    let event: EvidenceExport.Event
    let payload: JSONValue
    switch result {
    case .success(let package):
      event = .finished(package)
      payload = [
        "export": .string(id), "state": "ready", "sha256": .string(Hex.encode(package.hash)),
        "bytes": .integer(package.length),
      ]
    // Withdrawn, or the server is stopping and makes it anew at its next start.
    case .failure(let error) where error.code == .cancelled: return
    case .failure(let error):
      event = .failed(error.text, room.clock.wall())
      payload = ["export": .string(id), "state": "failed", "detail": .string(error.text)]
    }
    if await !settle(export, event, payload) {
      // Withdrawn in the last moment, or not stored: nothing may be left that no document names.
      let path = path(of: id)
      await BlockingWork.run { _ = unlink(path) }
    }
  }

  /// Stores how the making ended; false when it was withdrawn meanwhile, or could not be stored for a while.
  private func settle(_ export: EvidenceExport, _ event: EvidenceExport.Event, _ payload: JSONValue) async -> Bool {
    for _ in 0..<Self.maximumTries {
      do throws(Refusal) {
        _ = try await step(export.id, in: export.incident, event, .exportFinished, payload, by: .system)
        return true
      } catch {
        // A withdrawal may be under way, or the store busy: both are over in a moment.
        guard board.withLock({ $0.active[export.id] != nil }), !Task.isCancelled else { return false }
        try? await Task.sleep(for: .seconds(1))
      }
    }
    return false
  }

  /// How often it is tried to store how the making ended.
  private static let maximumTries = 30

  // MARK: - What the command line did

  /// Documents of packages that the command line made while a server had the journal.
  package static let handlings = "handlings"

  /// Puts into the journal what the command line could not.
  private func journalHandlings() async throws(Refusal) {
    let documents = try await room.desk.read { (storage) throws(StorageError) in
      try storage.documents(Self.handlings, after: nil, limit: 1_000)
    }
    for document in documents {
      try await room.audit.record(
        .access, document.value, by: .commandLine,
        changes: [.delete(collection: Self.handlings, key: document.key)])
    }
  }
}

extension Actor {
  /// Whoever has the data folder in hand.
  package static let commandLine = Actor(id: "command-line", role: .system, name: "Command line")
}

/// Tells a thread to stop.
private final class CallOff: Sendable {
  private let flag = Mutex(false)

  func set() { flag.withLock { $0 = true } }

  var isSet: Bool { flag.withLock { $0 } }
}

/// A thread that lets everything else go first, calls above all.
enum PatientThread {
  /// Bytes; decoders want more than a thread has by itself.
  private static let stackLength = 8 << 20
  private static let niceness: Int32 = 10

  /// Runs `body`, which takes long, on a thread of its own.
  static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      let thread = Thread {
        // On Linux this concerns the calling thread, and those that it starts.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
        continuation.resume(returning: body())
      }
      thread.name = "export"
      thread.stackSize = stackLength
      thread.start()
    }
  }
}
