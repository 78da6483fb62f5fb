import Archive
import Foundation
import Incidents
import JSON
import MediaFiles
import Primitives
import Recorder
import Synchronization

/// Takes what a caller's page recorded while its line was down, and puts it into the archive beside the gap.
///
/// The file is foreign: it is read from end to end before it is kept, and kept as it came. Where it belongs is the page's
/// word, told as an age so that no foreign clock counts; the archive marks it so.
package final class LateMediaDesk: Sendable {
  private let room: ControlRoom
  private let recorder: Recorder
  private let library: ArchiveLibrary
  private let state = Mutex(State())
  /// Held while the recorder's queue is looked at and filled.
  private let handover = Mutex(())
  private let checks = DispatchSemaphore(value: maximumChecks)

  /// Bytes of one upload.
  package static let maximumBytes = 64 << 20
  /// Uploads that are begun by one person within ``uploadWindow``; more are refused until some of them are that old.
  package static let maximumUploads = 20
  package static let uploadWindow = TimeInterval64.seconds(3_600)
  /// Length of one upload.
  package static let maximumDuration = TimeInterval64.seconds(600)
  /// Oldest beginning that is believed.
  package static let maximumAge = TimeInterval64.seconds(1_800)
  /// Uploads of one person at a time.
  static let maximumAtOnce = 2
  /// Announced bytes of all that are being received; more are sent away for a moment.
  static let maximumReceiving = 256 << 20
  /// Bytes on their way to the disk beside which an upload may join them: the rest of the queue is for the living.
  static let maximumWaiting = 96 << 20
  /// Files that are looked through at a time.
  private static let maximumChecks = 2
  /// People whose uploads are remembered; at the limit those without any in the window are forgotten, and if none is, all.
  private static let maximumPeople = 16_384
  /// What file and page may disagree by, and how far media may reach into the future.
  private static let tolerance = TimeInterval64.seconds(2)
  /// Time after which someone who was sent away for lack of room may come again.
  private static let retryInterval = TimeInterval64.seconds(5)

  package static let note = "late upload, marked: placed by the page's clock"
  package static let types: Set<String> = ["video/webm", "video/mp4", "audio/webm", "audio/mp4"]

  private struct Name: Hashable {
    let incident: IncidentID
    let upload: String
  }

  private struct State {
    /// Uploads that are being received, with whose they are and the bytes that they may have.
    var receiving: [Name: (person: String, bytes: Int)] = [:]
    /// When each person's uploads began.
    var begun: [String: [MonotonicTime]] = [:]
  }

  /// - Parameter library: Where `recorder`'s archives are read.
  package init(room: ControlRoom, recorder: Recorder, library: ArchiveLibrary) {
    self.room = room
    self.recorder = recorder
    self.library = library
  }

  /// What a page says of its upload.
  package struct Draft: Sendable {
    /// The page's own name for it: 8 to 40 lower-case letters, digits and `-`.
    package var upload: String
    package var kind: TrackKind
    /// The stream that it stands in for, as `media.source` events name it.
    package var source: String?
    /// One of ``types``.
    package var mimeType: String
    /// Time since the media began, by the page's monotonic clock.
    package var age: TimeInterval64
    package var duration: TimeInterval64

    package init(
      upload: String, kind: TrackKind, source: String?, mimeType: String, age: TimeInterval64, duration: TimeInterval64
    ) {
      self.upload = upload
      self.kind = kind
      self.source = source
      self.mimeType = mimeType
      self.age = age
      self.duration = duration
    }
  }

  /// A file that is in the archive.
  package struct Kept: Hashable, Sendable {
    package let path: ArchivePath
    /// SHA-256 of the file as the manifest has it, 32 bytes.
    package let hash: [UInt8]
    /// Whether it had been there before.
    package let isRepeat: Bool
  }

  /// Keeps an upload; it is durable when this returns.
  ///
  /// - Parameters:
  ///   - length: Bytes, as far as they were announced.
  ///   - content: Reads the body; called once at most, when everything that can be known before is right.
  /// - Throws: ``Refusal``, or what `content` throws.
  package func keep(
    _ draft: Draft, length: Int?, in incident: IncidentID, by principal: Principal,
    content: @Sendable () async throws -> [UInt8]
  ) async throws -> Kept {
    // The age counts from here: a body may take minutes.
    let start = room.clock.wall() + (TimeInterval64.zero - draft.age)
    let present = try await room.incident(incident, for: principal, to: .publish)
    guard principal.directions.contains(.publish) else { throw Refusal.forbidden }
    try Self.check(draft, length: length)
    guard start + Self.tolerance >= present.openedAt else {
      throw Refusal(.badPayload, "age: the media would have begun before the incident was opened.")
    }
    // What is sent after a merge is recorded where the incident goes on.
    let place = room.destination(of: incident)
    let archive = try? await library.manifest(of: place)?.contents
    if let kept = archive.flatMap({ Self.find(draft.upload, in: $0) }) { return kept }
    let name = Name(incident: place, upload: draft.upload)
    try begin(name, by: principal.actor.id, bytes: max(0, length ?? Self.maximumBytes))
    defer { state.withLock { $0.receiving[name] = nil } }
    let bytes = try await content()
    let summary = try await look(at: bytes, draft)
    let track = archive?.tracks.last { $0.entry.source == draft.source && $0.kind == draft.kind }?.id
    let file = try Self.entry(draft, summary, track: track, start: start, by: principal.actor)
    let hash = try await write(file, bytes, in: place)
    await tell(file, summary, in: place, by: principal)
    return Kept(path: file.path, hash: hash, isRepeat: false)
  }

  // MARK: - Before the body

  private static func check(_ draft: Draft, length: Int?) throws(Refusal) {
    let isName = draft.upload.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
      default: false
      }
    }
    guard isName, (8...40).contains(draft.upload.utf8.count) else {
      throw Refusal(.badPayload, "An upload's name is 8 to 40 lower-case letters, digits and hyphens.")
    }
    guard types.contains(draft.mimeType) else {
      throw Refusal(.badPayload, "Content-Type: one of \(types.sorted().joined(separator: ", ")).")
    }
    guard length ?? 0 <= maximumBytes else {
      throw Refusal(.tooLarge, "An upload has at most \(maximumBytes >> 20) MiB.")
    }
    guard draft.age >= .zero, draft.age <= maximumAge else {
      throw Refusal(.badPayload, "age: 0 to \(maximumAge.milliseconds) ms.")
    }
    guard draft.duration >= .zero, draft.duration <= maximumDuration else {
      throw Refusal(.badPayload, "duration: 0 to \(maximumDuration.milliseconds) ms.")
    }
    guard draft.duration <= draft.age + tolerance else {
      throw Refusal(.badPayload, "duration: longer than the age, so that the media would end in the future.")
    }
  }

  private static func find(_ upload: String, in archive: ArchiveContents) -> Kept? {
    for container in [TrackFormat.Container.webm, .mp4] {
      guard let path = path(upload, container), let file = archive.file(path) else { continue }
      return Kept(path: path, hash: file.hash, isRepeat: true)
    }
    return nil
  }

  private static func path(_ upload: String, _ container: TrackFormat.Container) -> ArchivePath? {
    ArchivePath(folder: .late, name: "\(upload).\(container.rawValue)")
  }

  /// Notes that an upload begins, or says why it may not now.
  private func begin(_ name: Name, by person: String, bytes: Int) throws(Refusal) {
    let now = room.clock.monotonic()
    let refusal: Refusal? = state.withLock { state in
      if state.receiving[name] != nil {
        return Refusal(
          .full, "This upload is being received already. Ask again in a moment.", retryAfter: Self.retryInterval)
      }
      let own = state.receiving.values.count { $0.person == person }
      let all = state.receiving.values.reduce(0) { $0 + $1.bytes }
      guard own < Self.maximumAtOnce, all + bytes <= Self.maximumReceiving else {
        return Refusal(
          .full, "Too many uploads at the moment. Try again in a few seconds.", retryAfter: Self.retryInterval)
      }
      if state.begun[person] == nil, state.begun.count >= Self.maximumPeople { Self.forget(&state, now) }
      let recent = (state.begun[person] ?? []).filter { now - $0 < Self.uploadWindow }
      if let oldest = recent.first, recent.count >= Self.maximumUploads {
        return Refusal(
          .tooFast, "At most \(Self.maximumUploads) uploads an hour. Wait, then try again.",
          retryAfter: Self.uploadWindow - (now - oldest))
      }
      state.begun[person] = recent + [now]
      state.receiving[name] = (person, bytes)
      return nil
    }
    if let refusal { throw refusal }
  }

  private static func forget(_ state: inout State, _ now: MonotonicTime) {
    state.begun = state.begun.filter { $0.value.contains { now - $0 < uploadWindow } }
    if state.begun.count >= maximumPeople { state.begun.removeAll() }
  }

  // MARK: - The file

  /// Reads all of the file, on a thread that may wait.
  private func look(at bytes: [UInt8], _ draft: Draft) async throws(Refusal) -> MediaFileSummary {
    guard !bytes.isEmpty else { throw Refusal(.badPayload, "The body is empty. Send the file's bytes as the body.") }
    guard bytes.count <= Self.maximumBytes else {
      throw Refusal(.tooLarge, "An upload has at most \(Self.maximumBytes >> 20) MiB.")
    }
    let checks = checks
    let read = await BlockingWork.run { () -> Result<MediaFileSummary, MediaFileError> in
      checks.wait()
      defer { checks.signal() }
      do throws(MediaFileError) {
        return .success(try MediaFileSummary(of: ByteSource(bytes)))
      } catch {
        return .failure(error)
      }
    }
    switch read {
    case .failure(let error): throw Refusal(.badPayload, "This is no recording. \(error.text)")
    case .success(let summary):
      guard summary.mimeType == draft.mimeType, summary.tracks.contains(where: { $0.kind == draft.kind }) else {
        throw Refusal(.badPayload, "The file is \(summary.mimeType), and was sent as \(draft.mimeType).")
      }
      guard summary.duration <= Self.maximumDuration, summary.duration <= draft.age + Self.tolerance else {
        throw Refusal(
          .badPayload, "The file lasts \(summary.duration.milliseconds) ms: longer than is taken, or than its age.")
      }
      return summary
    }
  }

  private struct Entry {
    let path: ArchivePath
    let track: TrackID?
    let start: UTCTime
    let duration: TimeInterval64
    let mimeType: String
    let note: String
  }

  private static func entry(
    _ draft: Draft, _ summary: MediaFileSummary, track: TrackID?, start: UTCTime, by actor: Actor
  ) throws(Refusal) -> Entry {
    guard let path = path(draft.upload, summary.container) else { throw .unavailable }
    var note = "\(Self.note), from \(actor.id)"
    let off = draft.duration - summary.duration
    if off > tolerance || .zero - off > tolerance {
      note += "; the page says that it lasts \(draft.duration.milliseconds) ms"
    }
    return Entry(
      path: path, track: track, start: start, duration: summary.duration, mimeType: summary.mimeType, note: note)
  }

  /// Hands the file to the recorder and waits until it is on the disk; its hash.
  private func write(_ entry: Entry, _ bytes: [UInt8], in incident: IncidentID) async throws(Refusal) -> [UInt8] {
    let written: Result<[UInt8], DiskError>? = await withCheckedContinuation { continuation in
      let file = FileBytes(
        path: entry.path, bytes: bytes, purpose: .late, track: entry.track, start: entry.start,
        duration: entry.duration, mimeType: entry.mimeType, note: entry.note
      ) { continuation.resume(returning: $0) }
      let isTaken = handover.withLock { _ in
        recorder.statistics.bytesWaiting + bytes.count <= Self.maximumWaiting && recorder.write(file, of: incident)
      }
      if !isTaken { continuation.resume(returning: nil) }
    }
    switch written {
    case .success(let hash): return hash
    case .failure(let error): throw Refusal(.unavailable, error.text, retryAfter: Self.retryInterval)
    case nil:
      throw Refusal(
        .unavailable, "The recorder has no room at the moment. Try again in a few seconds.",
        retryAfter: Self.retryInterval)
    }
  }

  /// The file is safe whether the journal hears of it or not.
  private func tell(
    _ entry: Entry, _ summary: MediaFileSummary, in incident: IncidentID, by principal: Principal
  ) async {
    let detail =
      "\(entry.path): \(summary.duration.milliseconds) ms of \(summary.mimeType) from \(entry.start). \(entry.note)."
    _ = try? await room.submit(
      Wish(
        .recording,
        .members([
          "state": "late", "track": entry.track.map { .string($0.value) },
          "detail": .string(String(detail.prefix(500))),
        ]), in: incident, by: principal, isServer: true))
  }
}
