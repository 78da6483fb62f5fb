import Archive
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// Evidence packages: who wants one, who agrees, how far it is, and who fetched it.
///
/// Each step is in the incident's journal before it counts, in one transaction with the export's document. Of several
/// answers that come at once exactly one is taken: a step claims its export first, and whoever comes meanwhile is told so.
package final class ExportDesk: Sendable {
  struct Board {
    /// Exports that something is still to be done about.
    var active: [String: EvidenceExport] = [:]
    /// Exports whose next step is being stored.
    var claimed: Set<String> = []
    /// Exports to be made, the first one next.
    var queue: [String] = []
    /// What is being made was called off.
    var isCalledOff = false
  }

  let room: ControlRoom
  let sources: PackageSources
  /// `DATA/exports`.
  let folder: String
  let board = Mutex(Board())
  private let requiresApproval: Bool
  /// Something is in the queue.
  let wake = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

  static let collection = "exports"
  /// Packages that wait or are being made.
  package static let maximumQueued = 16
  /// Exports that wait for a second person.
  package static let maximumRequested = 64
  /// Exports of one incident that a list shows, the newest.
  package static let maximumListed = 200

  /// - Parameters:
  ///   - folder: Where packages are kept; made when it is missing.
  ///   - requiresApproval: Whether a second person has to agree to every export; custodians need one always.
  package init(room: ControlRoom, sources: PackageSources, folder: String, requiresApproval: Bool) {
    self.room = room
    self.sources = sources
    self.folder = folder
    self.requiresApproval = requiresApproval
  }

  /// Where an export's package lies.
  func path(of export: String) -> String { "\(folder)/\(export).zip" }

  // MARK: - Steps

  /// Asks for a package of an incident.
  package func request(
    _ incident: IncidentID, reason: String, redaction: RedactionOrder?, by principal: Principal
  ) async throws(Refusal) -> EvidenceExport {
    let present = try await room.incident(incident, for: principal, to: .requestExport)
    var random = RandomSource.system
    let export = EvidenceExport(
      id: "e-\(Hex.encode(random.bytes(8)))", incident: incident, agency: present.agency,
      requested: signature(principal, reason),
      needsApproval: requiresApproval || principal.role == .custodian, redaction: redaction)
    try board.withLock { board throws(Refusal) in
      try Self.checkRoom(for: export, on: board)
      board.active[export.id] = export
      board.claimed.insert(export.id)
    }
    do throws(Refusal) {
      try await store(
        export, .exportRequested,
        .members([
          "export": .string(export.id), "account": .string(principal.actor.id), "reason": .string(reason),
          "approval": .bool(export.needsApproval), "redacted": redaction.map { _ in true },
        ]), by: principal)
    } catch {
      board.withLock { board in
        board.active[export.id] = nil
        board.claimed.remove(export.id)
      }
      throw error
    }
    release(export)
    return export
  }

  /// The second person's answer.
  package func decide(
    _ id: String, in incident: IncidentID, approve: Bool, reason: String?, by principal: Principal
  ) async throws(Refusal) -> EvidenceExport {
    _ = try await room.incident(incident, for: principal, to: .approveExport)
    let by = signature(principal, reason)
    return try await step(
      id, in: incident, approve ? .approved(by) : .refused(by), .exportDecided,
      .members([
        "export": .string(id), "account": .string(principal.actor.id),
        "decision": .string(approve ? "approved" : "refused"), "reason": reason.map { .string($0) },
      ]), by: principal)
  }

  /// Takes a wish back, or deletes a package that is ready.
  package func remove(_ id: String, in incident: IncidentID, by principal: Principal) async throws(Refusal) {
    _ = try await room.incident(incident, for: principal, to: .requestExport)
    let export = try await export(id, in: incident)
    if export.isActive {
      guard export.requested.actor.id == principal.actor.id else {
        throw Refusal(.forbidden, "Only \(export.requested.actor.name) can withdraw it. To refuse it, decide about it.")
      }
      _ = try await step(
        id, in: incident, .withdrawn(room.clock.wall()), .exportDecided,
        ["export": .string(id), "account": .string(principal.actor.id), "decision": "withdrawn"], by: principal)
    } else {
      _ = try await step(
        id, in: incident, .deleted(signature(principal, nil)), .exportFinished,
        ["export": .string(id), "account": .string(principal.actor.id), "state": "deleted"], by: principal)
      let path = path(of: id)
      await BlockingWork.run { _ = unlink(path) }
    }
  }

  /// Claims an export, stores its next step, and lets it go.
  func step(
    _ id: String, in incident: IncidentID, _ event: EvidenceExport.Event, _ kind: EventKind, _ payload: JSONValue,
    by principal: Principal
  ) async throws(Refusal) -> EvidenceExport {
    let isClaimed = board.withLock { $0.claimed.insert(id).inserted }
    guard isClaimed else {
      throw Refusal(.wrongState, "Somebody else is deciding about this export. Look at it again.")
    }
    do throws(Refusal) {
      // Nobody else changes it from here on.
      let present = try await export(id, in: incident)
      var next = present
      try next.take(event)
      if next.isQueued, !present.isQueued {
        let queued = next
        try board.withLock { board throws(Refusal) in try Self.checkRoom(for: queued, on: board) }
      }
      try await store(next, kind, payload, by: principal)
      release(next)
      return next
    } catch {
      _ = board.withLock { $0.claimed.remove(id) }
      throw error
    }
  }

  private static func checkRoom(for export: EvidenceExport, on board: Board) throws(Refusal) {
    let active = board.active.values
    let count = active.count { $0.isQueued == export.isQueued }
    guard count < (export.isQueued ? maximumQueued : maximumRequested) else {
      throw Refusal(
        .full,
        export.isQueued
          ? "\(maximumQueued) packages wait to be made already. Try again when some are ready."
          : "\(maximumRequested) exports wait for a decision already. Have some decided first.",
        retryAfter: .seconds(60))
    }
  }

  /// The step is durable: what it leads to.
  private func release(_ export: EvidenceExport) {
    let isQueued = board.withLock { board in
      if case .making = board.active[export.id]?.state, !export.isQueued { board.isCalledOff = true }
      board.claimed.remove(export.id)
      board.active[export.id] = export.isActive ? export : nil
      board.queue.removeAll { $0 == export.id }
      if case .approved = export.state { board.queue.append(export.id) }
      return !board.queue.isEmpty
    }
    if isQueued { wake.continuation.yield() }
  }

  func store(
    _ export: EvidenceExport, _ kind: EventKind, _ payload: JSONValue, by principal: Principal
  ) async throws(Refusal) {
    _ = try await room.submit(
      Wish(
        kind, payload, in: export.incident, by: principal, isServer: true,
        changes: [.put(collection: Self.collection, key: Self.key(export), export.document)]))
  }

  private static func key(_ export: EvidenceExport) -> String { "\(export.incident)/\(export.id)" }

  private func signature(_ principal: Principal, _ reason: String?) -> EvidenceExport.Signature {
    .init(actor: principal.actor, time: room.clock.wall(), reason: reason)
  }

  // MARK: - Looking

  /// The exports of an incident, newest first; at most ``maximumListed``.
  package func exports(of incident: IncidentID) async throws(Refusal) -> [EvidenceExport] {
    let prefix = "\(incident)/"
    var found: [EvidenceExport] = []
    var last = prefix
    while true {
      let after = last
      let page = try await room.desk.read { (storage) throws(StorageError) in
        try storage.documents(Self.collection, after: after, limit: Self.page)
      }
      let ours = page.prefix { $0.key.hasPrefix(prefix) }
      found += ours.compactMap { EvidenceExport(document: $0.value) }
      guard ours.count == Self.page, let final = ours.last else { break }
      last = final.key
    }
    let active = board.withLock { $0.active }
    return found.map { active[$0.id] ?? $0 }.sorted { $0.requested.time > $1.requested.time }
      .prefix(Self.maximumListed).map { $0 }
  }

  private static let page = 500

  /// One export of an incident.
  package func export(_ id: String, in incident: IncidentID) async throws(Refusal) -> EvidenceExport {
    if let active = board.withLock({ $0.active[id] }), active.incident == incident { return active }
    let document = try await room.desk.read { (storage) throws(StorageError) in
      try storage.document(Self.collection, "\(incident)/\(id)")
    }
    guard let export = document.flatMap(EvidenceExport.init(document:)) else { throw .unknownExport }
    return export
  }

  // MARK: - Fetching

  /// The finished package of an export, open for reading.
  package func package(
    of id: String, in incident: IncidentID, for principal: Principal
  ) async throws(Refusal) -> (package: EvidenceExport.Package, file: ReadableFile) {
    _ = try await room.incident(incident, for: principal, to: .requestExport)
    let export = try await export(id, in: incident)
    guard case .ready(_, let package) = export.state else {
      throw Refusal(.wrongState, "There is no package to fetch: the export \(export.words).")
    }
    let (folder, name) = (folder, "\(id).zip")
    let file = await BlockingWork.run { Folder(path: folder).flatMap { ReadableFile(name, in: $0) } }
    guard let file, file.length == package.length else {
      throw Refusal(.notFound, "The package is no longer on the disk. Ask for a new export.")
    }
    return (package, file)
  }

  /// A piece of a package from the beginning of `range`, read where waiting holds nobody up.
  package func read(_ file: ReadableFile, _ range: Range<Int>) async throws(Refusal) -> [UInt8] {
    let result = await BlockingWork.run { () -> Result<[UInt8], PackageError> in
      do throws(PackageError) {
        return .success(try file.read(at: range.lowerBound, count: min(range.count, ReadableFile.pieceLength)))
      } catch {
        return .failure(error)
      }
    }
    switch result {
    case .success(let bytes): return bytes
    case .failure(let error): throw Refusal(.unavailable, error.text)
    }
  }

  /// Notes in the journal that somebody fetches a package; nothing of it goes out before.
  package func noteFetched(
    _ id: String, _ package: EvidenceExport.Package, in incident: IncidentID, by principal: Principal
  ) async throws(Refusal) {
    _ = try await room.submit(
      Wish(
        .exportFinished,
        [
          "export": .string(id), "account": .string(principal.actor.id), "state": "fetched",
          "sha256": .string(Hex.encode(package.hash)), "bytes": .integer(package.length),
        ], in: incident, by: principal, isServer: true))
  }
}

extension Refusal {
  fileprivate static let unknownExport = Refusal(.notFound, "There is no such export of this incident.")
}
