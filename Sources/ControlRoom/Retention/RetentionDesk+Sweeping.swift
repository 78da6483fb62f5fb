import Archive
import Cryptography
import Incidents
import JSON
import Primitives
import Storage

/// An incident of which something may be over.
struct RetentionCandidate: Sendable {
  let folder: ArchiveFolders.Folder
  let agency: String
  let endedAt: UTCTime
  let policy: RetentionPolicy
  /// Classes whose time is over.
  let kinds: [RetentionClass]
  let isHeld: Bool

  var incident: IncidentID { folder.incident }
}

extension RetentionDesk {
  /// Ended incidents with a folder and something that is over, oldest first.
  func candidates(agency: String?) async throws(Refusal) -> [RetentionCandidate] {
    await catalog.settle()
    let present = await onQueue { Dictionary(grouping: $0.folders.all(), by: \.incident) }
    let ended = catalog.entries { entry in
      entry.state.isClosed && entry.recording != .running && present[entry.id] != nil
        && (agency == nil || entry.agency == agency)
    }
    var policies: [String: RetentionPolicy] = [:]
    for agency in Set(ended.map(\.agency)) { policies[agency] = try await policy(of: agency) }
    let now = room.clock.wall()
    return ended.flatMap { entry -> [RetentionCandidate] in
      guard let end = entry.endedAt, let policy = policies[entry.agency] else { return [] }
      let kinds = RetentionClass.allCases.filter { policy.isOver($0, endedAt: end, now: now) }
      guard !kinds.isEmpty else { return [] }
      return (present[entry.id] ?? []).map { folder in
        RetentionCandidate(
          folder: folder, agency: entry.agency, endedAt: end, policy: policy, kinds: kinds, isHeld: entry.isHeld)
      }
    }
    .sorted { ($0.endedAt, $0.folder.name) < ($1.endedAt, $1.folder.name) }
  }

  /// What there is to delete of an incident; blocks.
  func items(of candidate: RetentionCandidate) -> [RetentionReport.Item] {
    let destroysKey = destroysKey(candidate)
    return candidate.kinds.compactMap { kind in
      let files = files(of: candidate, kind, withKey: destroysKey)
      guard !files.isEmpty else { return nil }
      return item(candidate, kind, files)
    }
  }

  private func item(
    _ candidate: RetentionCandidate, _ kind: RetentionClass, _ files: [ArchiveFolders.File]
  ) -> RetentionReport.Item {
    RetentionReport.Item(
      incident: candidate.incident, agency: candidate.agency, kind: kind, endedAt: candidate.endedAt,
      rule: candidate.policy.rule(kind) ?? kind.rawValue, files: files.count,
      bytes: files.reduce(0) { $0 + $1.bytes }, destroysKey: files.contains { $0.path == ArchiveFile.envelope })
  }

  /// The incident's key is destroyed when nothing is left that may be read with it.
  private func destroysKey(_ candidate: RetentionCandidate) -> Bool {
    RetentionClass.allCases.allSatisfy {
      candidate.kinds.contains($0) || folders.files(of: candidate.folder, $0).isEmpty
    }
  }

  /// The files of a class, with the key where it goes too.
  private func files(
    of candidate: RetentionCandidate, _ kind: RetentionClass, withKey: Bool
  ) -> [ArchiveFolders.File] {
    let files = folders.files(of: candidate.folder, kind)
    guard withKey, kind == candidate.kinds.first, let key = folders.envelope(of: candidate.folder) else {
      return files
    }
    return [key] + files
  }

  // MARK: - Deleting

  /// Deletes what is over of one incident.
  func sweep(_ candidate: RetentionCandidate, _ report: inout RetentionReport) async throws(Refusal) {
    // The catalogue follows the journal a moment later: the journal's own word on holds counts.
    let incident = try await room.loaded(candidate.incident)
    guard !incident.isHeld else { return report.keep(candidate.incident) }
    guard incident.state.isClosed else { return }
    try await finish(candidate.folder)
    let destroysKey = await onQueue { $0.destroysKey(candidate) }
    for kind in candidate.kinds {
      while let part = await onQueue({ $0.nextPart(candidate, kind, withKey: destroysKey) }) {
        guard part.hashed.count == part.files.count else {
          throw Refusal(.unavailable, "Files of \(candidate.folder) cannot be read. Nothing of them was deleted.")
        }
        try await delete(part, of: candidate, kind)
        report.add(item(candidate, kind, part.files))
      }
    }
  }

  /// Files that are deleted at once.
  struct Part: Sendable {
    let files: [ArchiveFolders.File]
    let hashed: [DeletionRecord.File]
  }

  private func nextPart(_ candidate: RetentionCandidate, _ kind: RetentionClass, withKey: Bool) -> Part? {
    let files = Array(files(of: candidate, kind, withKey: withKey).prefix(DeletionRecord.maximumFiles))
    guard !files.isEmpty else { return nil }
    let hashed = files.compactMap { file in
      folders.hash(of: file.path, in: candidate.folder).map { DeletionRecord.File(path: file.path, hash: $0) }
    }
    return Part(files: files, hashed: hashed)
  }

  /// In the journal, in the archive, and then from the disk.
  private func delete(_ part: Part, of candidate: RetentionCandidate, _ kind: RetentionClass) async throws(Refusal) {
    let key = try signingKey()
    let rule = candidate.policy.rule(kind) ?? kind.rawValue
    let hash = DeletionRecord.hash(of: part.hashed)
    let payload: JSONValue = [
      "class": .string(kind.rawValue), "files": .integer(part.files.count),
      "bytes": .integer(part.files.reduce(0) { $0 + $1.bytes }), "sha256": .string(Hex.encode(hash)),
      "reason": .string(rule),
    ]
    // Named by what it says: one that was interrupted after this is not told twice.
    let name = "retention-" + Hex.encode(Digest.sha256(payload.canonicalBytes).prefix(20))
    let receipt = try await room.submit(
      Wish(
        .retentionDeleted, payload, in: candidate.incident, by: .system, clientID: name, isServer: true))
    guard case .durable(let number, _) = receipt else { throw .unavailable }
    let record = DeletionRecord(
      of: candidate.incident, at: room.clock.wall(), kind, rule: rule, part.hashed, number: number, signedBy: key)
    try await carryOut(record, in: candidate.folder, isNoted: false)
  }

  private func signingKey() throws(Refusal) -> Ed25519PrivateKey {
    do {
      return try makeSigningKey()
    } catch {
      throw Refusal(.unavailable, "The key that signs deletions cannot be read: \(error). Nothing was deleted.")
    }
  }

  /// Deletes what an earlier sweep has noted and did not get to.
  private func finish(_ folder: ArchiveFolders.Folder) async throws(Refusal) {
    for record in await onQueue({ $0.folders.deletions(of: folder) }) {
      try await carryOut(record, in: folder, isNoted: true)
    }
  }

  private func carryOut(
    _ record: DeletionRecord, in folder: ArchiveFolders.Folder, isNoted: Bool
  ) async throws(Refusal) {
    let failure = await onQueue { desk -> StorageError? in
      do throws(StorageError) {
        if !isNoted { try desk.folders.note(record, in: folder) }
        try desk.folders.delete(record, in: folder)
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw Refusal(.unavailable, failure.text) }
  }
}
