import Archive
import Cryptography
import Incidents
import Primitives

/// One incident's archive while it is written to; used by the disk thread alone.
///
/// A cycle is any number of ``take(_:at:)``, then ``commit(at:)``: bytes first, made durable, then the lines that name them.
/// What cannot be written becomes a gap; lines that cannot be written wait for the next cycle.
final class OpenArchive {
  let incident: IncidentID
  let folder: String
  private let disk: any ArchiveDisk
  private let manifest: any ArchiveFile
  private var journal: JournalCopy
  private var head: ManifestHead
  /// Entries of this cycle, and those that could not be written before.
  private var pending: [(entry: ManifestEntry, time: UTCTime)] = []
  private var tracks: [TrackID: OpenTrack] = [:]
  /// Segments that this cycle has written to.
  private var touched: [ArchivePath: Touched] = [:]
  /// Who waits for this cycle's whole files.
  private var waiting: [(FileBytes, hash: [UInt8])] = []
  private var hasNewNames = false
  /// Something was written since the last seal.
  private(set) var isDirty = false
  private(set) var lastSealAt: UTCTime
  private(set) var isClosed = false
  /// When the last stream ended; nil while any goes on.
  private(set) var idleSince: UTCTime?
  /// What went wrong since it was last asked for; one of each text.
  private(set) var alarms: [Alarm] = []

  private struct Touched {
    let track: TrackID
    let file: any ArchiveFile
    /// Bytes that lines of earlier cycles name; 0 for a file that this cycle began.
    let length: Int
  }

  struct Alarm: Hashable {
    let track: TrackID?
    let text: String
  }

  /// Entries that wait for a disk that takes nothing; more are dropped, the oldest clock pairs first.
  static let maximumPending = 10_000
  /// Kinds of alarms that are kept between two cycles.
  private static let maximumAlarms = 16

  init(
    incident: IncidentID, folder: String, disk: any ArchiveDisk, manifest: any ArchiveFile, journal: JournalCopy,
    contents: ArchiveContents, at now: UTCTime
  ) {
    self.incident = incident
    self.folder = folder
    self.disk = disk
    self.manifest = manifest
    self.journal = journal
    head = contents.head
    for track in contents.tracks { tracks[track.id] = OpenTrack(segments: track.segments.count) }
    lastSealAt = now
    idleSince = now
  }

  /// Adds a line of its own to what is to be written.
  func add(_ entry: ManifestEntry, at now: UTCTime) {
    if pending.count >= Self.maximumPending {
      let place = pending.firstIndex { if case .clock = $0.entry { true } else { false } } ?? 0
      pending.remove(at: place)
    }
    pending.append((entry, now))
  }

  func take(_ work: ArchiveJob.Work, at now: UTCTime) {
    switch work {
    case .track(let track): announce(track, at: now)
    case .fragment(let fragment): take(fragment, at: now)
    case .gap(let gap):
      // Time that the disk refused is one gap of its own.
      if tracks[gap.track]?.refusedSince == nil { add(.gap(gap), at: now) }
    case .clock(let pair):
      if tracks[pair.track]?.refusedSince == nil { add(.clock(pair), at: now) }
    case .trackEnded(let id):
      tracks[id]?.end()
      noteIdle(at: now)
    case .file(let file): take(file, at: now)
    case .journal(let isClosed):
      if isClosed { self.isClosed = true }
      copyJournal()
    }
  }

  private func announce(_ track: ManifestEntry.Track, at now: UTCTime) {
    if tracks[track.id] == nil {
      tracks[track.id] = OpenTrack(segments: 0)
      add(.track(track), at: now)
    }
    tracks[track.id]?.isActive = true
    idleSince = nil
  }

  private func noteIdle(at now: UTCTime) {
    if idleSince == nil, !tracks.values.contains(where: \.isActive) { idleSince = now }
  }

  func takeAlarms() -> [Alarm] {
    defer { alarms = [] }
    return alarms
  }

  private func alarm(_ track: TrackID?, _ text: String) {
    let alarm = Alarm(track: track, text: text)
    if alarms.count < Self.maximumAlarms, !alarms.contains(alarm) { alarms.append(alarm) }
  }

  // MARK: - Media

  private func take(_ fragment: FragmentBytes, at now: UTCTime) {
    let id = fragment.track.id
    if tracks[id]?.isActive != true { announce(fragment.track, at: now) }
    guard var track = tracks[id] else { return }
    defer { tracks[id] = track }
    do throws(DiskError) {
      let open = try file(for: fragment, of: &track, at: now)
      let offset = open.file.length
      if touched[open.path] == nil { touched[open.path] = Touched(track: id, file: open.file, length: offset) }
      try open.file.append(fragment.bytes)
      isDirty = true
      if let since = track.refusedSince {
        add(.gap(.init(track: id, start: since, end: fragment.start, reason: .disk)), at: now)
        track.refusedSince = nil
      }
      add(
        .fragment(
          .init(
            segment: open.path, offset: offset, length: fragment.bytes.count, hash: Digest.sha256(fragment.bytes),
            start: fragment.start, duration: fragment.duration, startsWithKeyframe: fragment.startsWithKeyframe,
            frames: fragment.frames)), at: now)
    } catch {
      refuse(&track, id, from: fragment.start, error)
    }
  }

  /// The file that a fragment goes into: a new one where a segment begins, or where the last beginning was refused.
  private func file(
    for fragment: FragmentBytes, of track: inout OpenTrack, at now: UTCTime
  ) throws(DiskError) -> OpenTrack.File {
    let segment = fragment.segment
    if let open = track.file, track.segment == segment.number { return open }
    guard let path = track.nextPath(fragment.track.id, segment.format) else {
      throw DiskError(.failed, "The track \(fragment.track.id) has too long a name.")
    }
    let file = try disk.open("\(folder)/\(path)")
    hasNewNames = true
    do throws(DiskError) {
      if file.length > 0 { try file.truncate(to: 0) }
      try file.append(segment.header)
    } catch {
      try? disk.remove("\(folder)/\(path)")
      throw error
    }
    let open = OpenTrack.File(path: path, file: file)
    track.opened(open, segment: segment.number)
    touched[path] = Touched(track: fragment.track.id, file: file, length: 0)
    add(
      .segment(
        .init(
          path: path, track: fragment.track.id, codec: segment.format.codecName, mimeType: segment.format.mimeType,
          width: segment.format.width, height: segment.format.height, rotation: segment.format.rotation,
          layer: segment.layer, headerLength: segment.header.count, headerHash: Digest.sha256(segment.header),
          origin: segment.origin == fragment.start ? nil : segment.origin)), at: now)
    return open
  }

  private func refuse(_ track: inout OpenTrack, _ id: TrackID, from start: UTCTime, _ error: DiskError) {
    if track.refusedSince == nil { track.refusedSince = start }
    alarm(id, error.text)
  }

  private func take(_ file: FileBytes, at now: UTCTime) {
    let path = "\(folder)/\(file.path)"
    do throws(DiskError) {
      guard try disk.read(path) == nil else { throw DiskError(.failed, "\(file.path) exists already.") }
      let opened = try disk.open(path)
      hasNewNames = true
      try opened.append(file.bytes)
      try opened.synchronize()
    } catch {
      try? disk.remove(path)
      alarm(file.track, error.text)
      file.done(.failure(error))
      return
    }
    let hash = Digest.sha256(file.bytes)
    isDirty = true
    waiting.append((file, hash))
    add(
      .file(
        .init(
          path: file.path, length: file.bytes.count, hash: hash, purpose: file.purpose, track: file.track,
          start: file.start, duration: file.duration, mimeType: file.mimeType, note: file.note)), at: now)
  }

  private func copyJournal() {
    do {
      if try journal.catchUp() { isDirty = true }
    } catch {
      alarm(nil, "The copy of the journal: \(error)")
    }
  }

  // MARK: - Making durable

  /// Makes this cycle durable: the bytes, then the lines.
  func commit(at now: UTCTime) {
    for (path, written) in touched { synchronize(path, written, at: now) }
    touched.removeAll(keepingCapacity: true)
    writeLines()
  }

  private func synchronize(_ path: ArchivePath, _ written: Touched, at now: UTCTime) {
    do throws(DiskError) {
      try written.file.synchronize()
    } catch {
      // Nothing of this cycle is known to be on the disk: its lines are taken back, and a new file is begun.
      let lost = pending.compactMap { $0.entry.start(of: path) }.min() ?? now
      pending.removeAll { $0.entry.isAbout(path) }
      if written.length > 0 {
        try? written.file.truncate(to: written.length)
      } else {
        try? disk.remove("\(folder)/\(path)")
      }
      guard var track = tracks[written.track] else { return }
      refuse(&track, written.track, from: lost, error)
      if track.file?.path == path { track.file = nil }
      tracks[written.track] = track
    }
  }

  private func writeLines() {
    guard !pending.isEmpty else { return }
    var next = head
    var bytes: [UInt8] = []
    for (entry, time) in pending { bytes += next.append(entry, at: time) }
    guard write(bytes) else { return }
    head = next
    pending.removeAll(keepingCapacity: true)
    isDirty = true
    for (file, hash) in waiting { file.done(.success(hash)) }
    waiting = []
  }

  private func write(_ lines: [UInt8]) -> Bool {
    do throws(DiskError) {
      if hasNewNames {
        for name in ArchivePath.Folder.allCases { try disk.synchronize(folder: "\(folder)/\(name.rawValue)") }
        hasNewNames = false
      }
      let length = manifest.length
      try manifest.append(lines)
      do throws(DiskError) {
        try manifest.synchronize()
      } catch {
        try manifest.truncate(to: length)
        throw error
      }
      return true
    } catch {
      alarm(nil, error.text)
      return false
    }
  }

  /// Signs all that was written so far; false when the disk did not take it.
  @discardableResult
  func seal(isFinal: Bool, key: Ed25519PrivateKey, at now: UTCTime) -> Bool {
    copyJournal()
    commit(at: now)
    guard pending.isEmpty else { return false }
    lastSealAt = now
    var next = head
    guard write(next.appendSeal(isFinal: isFinal, journal: journal.mark, key: key, at: now)) else { return false }
    head = next
    isDirty = false
    return true
  }

  /// Tells those who still wait that it came to nothing.
  func abandon() {
    for (file, _) in waiting { file.done(.failure(DiskError(.failed, "The archive could not be written."))) }
    waiting = []
  }
}

extension ManifestEntry {
  /// Whether this is a fragment of `path`, or the line that begins it.
  fileprivate func isAbout(_ path: ArchivePath) -> Bool {
    switch self {
    case .fragment(let entry): entry.segment == path
    case .segment(let entry): entry.path == path
    case .archive, .track, .gap, .clock, .file, .note, .seal: false
    }
  }

  /// When a fragment of `path` begins.
  fileprivate func start(of path: ArchivePath) -> UTCTime? {
    if case .fragment(let entry) = self, entry.segment == path { entry.start } else { nil }
  }
}
