import Archive
import Cryptography
import Dispatch
import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// How long recordings are kept: policies, holds, and the sweep that deletes what is over.
///
/// Nothing is deleted unless an agency says so. A deletion is first in the incident's journal, then in its archive
/// (``DeletionRecord``), both durable, and only then done; what a crash interrupts the next sweep finishes.
package final class RetentionDesk: Sendable {
  let room: ControlRoom
  let catalog: CatalogDesk
  let folders: ArchiveFolders
  let makeSigningKey: @Sendable () throws -> Ed25519PrivateKey
  /// Looks at the disk and deletes, so that no task that serves people waits for it.
  private let queue = DispatchQueue(label: "sightline.retention")
  private let isSweeping = Mutex(false)

  /// Collection of policies, by agency.
  static let collection = "retention"

  /// - Parameter signingKey: Reads the key that the node seals archives with.
  package init(
    room: ControlRoom, catalog: CatalogDesk, folders: ArchiveFolders,
    signingKey: @escaping @Sendable () throws -> Ed25519PrivateKey
  ) {
    makeSigningKey = signingKey
    self.room = room
    self.catalog = catalog
    self.folders = folders
  }

  // MARK: - Policies

  /// What an agency has decided.
  package func policy(of agency: String) async throws(Refusal) -> RetentionPolicy {
    let document = try await room.desk.read { (storage) throws(StorageError) in
      try storage.document(Self.collection, agency)
    }
    return document.map(RetentionPolicy.init(json:)) ?? .keepAll
  }

  /// Sets the policy of the principal's agency; the next sweep goes by it.
  package func setPolicy(_ policy: RetentionPolicy, by principal: Principal) async throws(Refusal) {
    try room.authorize(.manageSettings, principal)
    try await room.audit.record(
      .settings, ["setting": "retention", "detail": .string(policy.description)], by: principal.actor,
      changes: [.put(collection: Self.collection, key: principal.facts.agency, policy.json)])
  }

  // MARK: - Holds

  /// Keeps everything of an incident from being deleted, or lets it go again; durable when it returns.
  package func hold(
    _ isHeld: Bool, _ incident: IncidentID, reason: String, by principal: Principal
  ) async throws(Refusal) {
    _ = try await room.incident(incident, for: principal, to: .hold)
    _ = try await room.submit(
      Wish(
        .retentionHold,
        ["held": .bool(isHeld), "account": .string(principal.actor.id), "reason": .string(reason)], in: incident,
        by: principal, isServer: true))
  }

  // MARK: - Looking and sweeping

  /// What a sweep would delete now; of one agency, or of all.
  package func preview(agency: String?) async throws(Refusal) -> RetentionReport {
    var report = RetentionReport()
    for candidate in try await candidates(agency: agency) {
      if candidate.isHeld {
        report.keep(candidate.incident)
      } else {
        for item in await onQueue({ $0.items(of: candidate) }) { report.add(item) }
      }
    }
    return report
  }

  /// Deletes what is over; of one agency, or of all.
  package func sweep(agency: String? = nil) async throws(Refusal) -> RetentionReport {
    let begins = isSweeping.withLock { isSweeping in
      defer { isSweeping = true }
      return !isSweeping
    }
    guard begins else { throw Refusal(.wrongState, "A sweep is going on. Wait until it has ended.") }
    defer { isSweeping.withLock { $0 = false } }
    var report = RetentionReport()
    for candidate in try await candidates(agency: agency) {
      if candidate.isHeld {
        report.keep(candidate.incident)
        continue
      }
      do throws(Refusal) {
        try await sweep(candidate, &report)
      } catch {
        report.failures.append(.init(incident: candidate.incident, text: error.text))
      }
    }
    return report
  }

  /// Work on the disk.
  func onQueue<Value: Sendable>(_ work: @escaping @Sendable (RetentionDesk) -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      queue.async { [self] in continuation.resume(returning: work(self)) }
    }
  }
}
