import Archive
import Cryptography
import Incidents
import Primitives

/// One incident's archive while it is written to; used by the disk thread alone.
///
/// A round is any number of ``take(_:at:)``, then ``commit(at:)``: bytes first, made durable, then the lines that name them.
/// What cannot be written becomes a gap; lines that cannot be written wait for the next round.
final class OpenArchive {
  let incident: IncidentID
  let folder: String
  let disk: any ArchiveDisk
  var manifest: ManifestFile
  var sealer: PartSealer
  var tracks: [TrackID: OpenTrack] = [:]
  /// Streams that were lost before the archive could be opened, and since when.
  var refusedBefore: [TrackID: UTCTime] = [:]
  /// Segments that this round has written to.
  var touched: [ArchivePath: Touched] = [:]
  /// Who waits for this round's whole files.
  var waiting: [(FileBytes, hash: [UInt8])] = []
  /// Files were made whose names may not be on the disk yet.
  var hasNewNames = false
  private var journal: JournalCopy
  /// Public keys that `key.pub` holds.
  private var publicKeys: [Ed25519PublicKey]
  /// Something was written since the last seal.
  private(set) var isDirty = false
  private(set) var lastSealAt: UTCTime
  private(set) var isClosed = false
  /// When the last stream ended; nil while any goes on.
  private(set) var idleSince: UTCTime?
  private var alarms: [Alarm] = []

  struct Touched {
    let track: TrackID
    let file: any AppendableFile
    /// Bytes that lines of earlier rounds name; 0 for a file that this round began.
    let length: Int
  }

  struct Alarm: Hashable {
    let track: TrackID?
    let text: String
  }

  /// What an archive is opened with.
  struct Parts {
    var manifest: ManifestFile
    var journal: JournalCopy
    var contents: ArchiveContents
    var cipher: SegmentCipher?
    var publicKeys: [Ed25519PublicKey]
  }

  /// Kinds of alarms that are kept between two rounds.
  private static let maximumAlarms = 16

  init(incident: IncidentID, folder: String, disk: any ArchiveDisk, parts: Parts, at now: UTCTime) {
    self.incident = incident
    self.folder = folder
    self.disk = disk
    manifest = parts.manifest
    journal = parts.journal
    sealer = PartSealer(parts.cipher)
    publicKeys = parts.publicKeys
    for track in parts.contents.tracks { tracks[track.id] = OpenTrack(segments: track.segments.count) }
    lastSealAt = now
    idleSince = now
  }

  func take(_ work: ArchiveJob.Work, at now: UTCTime) {
    switch work {
    case .track(let track): announce(track, at: now)
    case .fragment(let fragment): take(fragment, at: now)
    case .gap(let gap): addDetail(.gap(gap), of: gap.track, at: now)
    case .clock(let pair): addDetail(.clock(pair), of: pair.track, at: now)
    case .trackEnded(let id):
      tracks[id]?.end()
      if idleSince == nil, !tracks.values.contains(where: \.isActive) { idleSince = now }
    case .file(let file): take(file, at: now)
    case .journal(let isClosed):
      if isClosed { self.isClosed = true }
      copyJournal()
    }
  }

  /// A stream begins, or comes back.
  func announce(_ track: ManifestEntry.Track, at now: UTCTime) {
    if tracks[track.id] == nil {
      tracks[track.id] = OpenTrack(segments: 0)
      tracks[track.id]?.refusedSince = refusedBefore.removeValue(forKey: track.id)
      manifest.add(.track(track), at: now)
    }
    tracks[track.id]?.isActive = true
    idleSince = nil
  }

  /// Time that the disk refused is one gap of its own; nothing else is said of it.
  private func addDetail(_ entry: ManifestEntry, of track: TrackID, at now: UTCTime) {
    guard let known = tracks[track], known.refusedSince == nil, !manifest.isFull else { return }
    manifest.add(entry, at: now)
  }

  func markDirty() { isDirty = true }

  // MARK: - Alarms

  /// What went wrong since this was last asked for.
  func takeAlarms() -> [Alarm] {
    defer { alarms = [] }
    return alarms
  }

  func alarm(_ track: TrackID?, _ text: String) {
    let alarm = Alarm(track: track, text: text)
    if alarms.count < Self.maximumAlarms, !alarms.contains(alarm) { alarms.append(alarm) }
  }

  // MARK: - Making durable

  private func copyJournal() {
    do {
      if try journal.catchUp() { isDirty = true }
    } catch {
      alarm(nil, "The copy of the journal: \(error)")
    }
  }

  /// Makes this round durable: the bytes, then the lines.
  func commit(at now: UTCTime) {
    synchronizeSegments(at: now)
    do throws(DiskError) {
      if hasNewNames {
        for name in ArchivePath.Folder.allCases { try disk.synchronize(folder: "\(folder)/\(name.rawValue)") }
        hasNewNames = false
      }
      if try manifest.flush() { isDirty = true }
      for (file, hash) in waiting { file.done(.success(hash)) }
      waiting = []
    } catch {
      alarm(nil, error.text)
    }
  }

  /// Signs all that was written so far; false when the disk did not take it.
  @discardableResult
  func seal(isFinal: Bool, key: Ed25519PrivateKey, at now: UTCTime) -> Bool {
    copyJournal()
    commit(at: now)
    guard manifest.isWritten else { return false }
    lastSealAt = now
    do throws(DiskError) {
      try publish(key.publicKey)
      try manifest.seal(isFinal: isFinal, journal: journal.mark, key: key, at: now)
      isDirty = false
      return true
    } catch {
      alarm(nil, error.text)
      return false
    }
  }

  /// Adds a key to `key.pub` before the first seal that it makes.
  private func publish(_ key: Ed25519PublicKey) throws(DiskError) {
    guard !publicKeys.contains(key) else { return }
    let file = try disk.open("\(folder)/\(ArchiveFile.key)")
    try file.append(Array(ArchivePublicKeys.text([key]).utf8))
    try file.synchronize()
    try disk.synchronize(folder: folder)
    publicKeys.append(key)
  }

  /// Tells those who still wait that it came to nothing.
  func abandon() {
    for (file, _) in waiting { file.done(.failure(DiskError(.failed, "The archive could not be written."))) }
    waiting = []
  }
}
