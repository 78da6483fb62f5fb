import Archive
import Incidents
import JSON
import Primitives
import Recorder

/// Snapshots: a picture of what is recorded, in full resolution, kept in the archive and among the incident's files.
package final class StillDesk: Sendable {
  private let room: ControlRoom
  private let library: ArchiveLibrary
  private let files: FileDesk
  private let recorder: Recorder?

  /// - Parameter recorder: Nil on a node that records nothing.
  package init(room: ControlRoom, library: ArchiveLibrary, files: FileDesk, recorder: Recorder?) {
    self.room = room
    self.library = library
    self.files = files
    self.recorder = recorder
  }

  /// What was taken.
  package struct Receipt: Sendable {
    /// Among the incident's files.
    package let file: String
    package let path: ArchivePath
    package let picture: RecordedPicture
    /// SHA-256 of what the archive holds, 32 bytes.
    package let hash: [UInt8]
  }

  /// Takes the latest picture of a stream, or that of `time`: durable, hashed and in the journal when this returns.
  ///
  /// - Parameter source: The stream, as `media.source` events name it; the one that was recorded last if nil.
  package func take(
    _ source: String?, at time: UTCTime?, in id: IncidentID, by principal: Principal
  ) async throws(Refusal) -> Receipt {
    _ = try await room.incident(id, for: principal, to: .snapshot)
    guard let recorder else {
      throw Refusal(.wrongState, "This server records nothing, so that there is no picture to keep.")
    }
    let picture = try await library.picture(of: id, source: source, at: time, size: .full)
    let name = "\(picture.track)-\(picture.time.microseconds)-\(room.clock.wall().microseconds).jpg"
    guard let path = ArchivePath(folder: .stills, name: name) else { throw .unavailable }
    let hash = try await keep(picture, at: path, of: id, by: principal, recorder)
    let file = try await files.keep(
      picture.jpeg, .init(name: name, type: "image/jpeg", purpose: "snapshot", visibility: .team), in: id,
      by: principal)
    _ = try await room.submit(
      Wish(.snapshotTaken, ["file": .string(file), "source": .string(picture.source)], in: id, by: principal))
    return Receipt(file: file, path: path, picture: picture, hash: hash)
  }

  private func keep(
    _ picture: RecordedPicture, at path: ArchivePath, of incident: IncidentID, by principal: Principal,
    _ recorder: Recorder
  ) async throws(Refusal) -> [UInt8] {
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<[UInt8], DiskError>, Never>) in
      let file = FileBytes(
        path: path, bytes: picture.jpeg, purpose: .still, track: picture.track, start: picture.time, duration: .zero,
        mimeType: "image/jpeg", note: "taken by \(principal.actor.id)"
      ) { continuation.resume(returning: $0) }
      if !recorder.write(file, of: incident) {
        continuation.resume(returning: .failure(DiskError(.failed, "The recorder takes nothing at the moment.")))
      }
    }
    switch result {
    case .success(let hash): return hash
    case .failure(let error): throw Refusal(.unavailable, error.text)
    }
  }
}
