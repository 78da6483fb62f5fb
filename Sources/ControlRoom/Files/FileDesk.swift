import Cryptography
import Dispatch
import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// Photos, documents and clips of an incident: looked at by the virus scanner, kept under their hash, told to everybody
/// whom they are for.
package final class FileDesk: Sendable {
  private let room: ControlRoom
  private let store: FileStore
  private let scanner: FileScanner?
  private let queue = DispatchQueue(label: "sightline.files", attributes: .concurrent)
  private let slots = DispatchSemaphore(value: maximumWrites)

  /// Bytes of one file.
  package static let maximumBytes = 25 << 20
  /// Files written at a time.
  private static let maximumWrites = 4
  /// What is accepted: pictures, sound, short clips and documents; nothing that a browser would run.
  package static let types: Set<String> = [
    "image/jpeg", "image/png", "image/webp", "image/heic", "audio/mpeg", "audio/ogg", "audio/mp4", "audio/wav",
    "video/mp4", "video/webm", "video/quicktime", "application/pdf", "text/plain",
  ]

  package init(room: ControlRoom, store: FileStore, scanner: FileScanner?) {
    self.room = room
    self.store = store
    self.scanner = scanner
  }

  /// What comes with a file.
  package struct Draft: Sendable {
    package var name: String
    package var type: String
    /// `photo`, `document`, `clip` or `snapshot`.
    package var purpose: String
    package var visibility: ChatChannel

    package init(name: String, type: String, purpose: String, visibility: ChatChannel) {
      self.name = name
      self.type = type
      self.purpose = purpose
      self.visibility = visibility
    }
  }

  /// Keeps a file; durable and known when it returns its identifier.
  package func keep(
    _ content: [UInt8], _ draft: Draft, in incident: IncidentID, by principal: Principal
  ) async throws(Refusal) -> String {
    _ = try await room.incident(incident, for: principal, to: .upload)
    if [.caller, .guest].contains(principal.role), draft.visibility == .team { throw .forbidden }
    guard content.count <= Self.maximumBytes else {
      try await reject(draft, "tooLarge", in: incident, by: principal)
      throw Refusal(.tooLarge, "A file has at most \(Self.maximumBytes >> 20) MiB.")
    }
    guard Self.types.contains(draft.type) else {
      try await reject(draft, "unsupportedType", in: incident, by: principal)
      throw Refusal(.badPayload, "Content-Type: one of \(Self.types.sorted().joined(separator: ", ")).")
    }
    let hash: String
    switch await write(content) {
    case .success(let kept): hash = kept
    case .failure(.storage(let error)): throw Refusal(.unavailable, error.text)
    case .failure(.refused(let verdict)):
      try await reject(draft, verdict == .infected ? "infected" : "scannerFailed", in: incident, by: principal)
      throw verdict == .infected
        ? Refusal(.badPayload, "The virus scanner found something in the file. It was not kept.")
        : Refusal(.unavailable, "The virus scanner does not answer. The file was not kept; try again later.")
    }
    return try await announce(draft, hash, content.count, in: incident, by: principal)
  }

  private func announce(
    _ draft: Draft, _ hash: String, _ size: Int, in incident: IncidentID, by principal: Principal
  ) async throws(Refusal) -> String {
    var random = RandomSource.system
    let id = "f-\(Hex.encode(random.bytes(8)))"
    _ = try await room.submit(
      Wish(
        .fileAdded,
        [
          "file": .string(id), "name": .string(draft.name), "type": .string(draft.type), "size": .integer(size),
          "sha256": .string(hash), "purpose": .string(draft.purpose), "visibility": .string(draft.visibility.rawValue),
          "scan": scanner == nil ? "unscanned" : "clean",
        ], in: incident, by: principal, isServer: true))
    return id
  }

  private func reject(
    _ draft: Draft, _ reason: String, in incident: IncidentID, by principal: Principal
  ) async throws(Refusal) {
    _ = try await room.submit(
      Wish(
        .fileRejected, ["name": .string(draft.name), "reason": .string(reason)], in: incident, by: principal,
        isServer: true))
  }

  /// A file and what is known of it, if `principal` may have it.
  package func content(
    of file: String, in incident: IncidentID, for principal: Principal
  ) async throws(Refusal) -> (file: FileSummary, content: [UInt8]) {
    let present = try await room.incident(incident, for: principal, to: .download)
    let isTeam = !Audience(principal.role).isDisjoint(with: .team)
    guard let summary = present.files.first(where: { $0.id == file }), isTeam || summary.visibility == .everyone,
      let content = await read(summary.sha256)
    else { throw Refusal(.notFound, "There is no such file in this incident.") }
    guard Hex.encode(Digest.sha256(content)) == summary.sha256 else {
      throw Refusal(.unavailable, "The file is not what was kept: its hash differs. Restore a backup.")
    }
    return (summary, content)
  }

  // MARK: - Disk

  private enum Failure: Error {
    case refused(FileScanner.Verdict)
    case storage(StorageError)
  }

  private func write(_ content: [UInt8]) async -> Result<String, Failure> {
    let (store, scanner, slots) = (store, scanner, slots)
    return await withCheckedContinuation { continuation in
      queue.async {
        slots.wait()
        defer { slots.signal() }
        var verdict = FileScanner.Verdict.clean
        do throws(StorageError) {
          let hash = try store.keep(content) { (path) throws(StorageError) in
            guard let scanner else { return }
            verdict = scanner.scan(path)
            if verdict != .clean { throw StorageError(.conflict, "refused by the scanner") }
          }
          continuation.resume(returning: .success(hash))
        } catch {
          continuation.resume(returning: .failure(verdict == .clean ? .storage(error) : .refused(verdict)))
        }
      }
    }
  }

  private func read(_ hash: String) async -> [UInt8]? {
    let store = store
    return await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: store.content(of: hash)) }
    }
  }
}
