import Archive
import Cryptography
import Primitives

/// A manifest that is written to: entries wait until what they name is on the disk.
struct ManifestFile {
  private let file: any AppendableFile
  private var head: ManifestHead
  private var pending: [(entry: ManifestEntry, time: UTCTime)] = []

  /// Entries that wait for a disk that takes nothing; then nothing new is begun.
  static let maximumPending = 10_000

  init(file: any AppendableFile, head: ManifestHead) {
    self.file = file
    self.head = head
  }

  var isFull: Bool { pending.count >= Self.maximumPending }
  var isWritten: Bool { pending.isEmpty }

  mutating func add(_ entry: ManifestEntry, at time: UTCTime) { pending.append((entry, time)) }

  /// Takes back the entries about a segment whose bytes did not reach the disk; when the first of its fragments began.
  mutating func retract(_ path: ArchivePath) -> UTCTime? {
    let lost = pending.compactMap { $0.entry.start(of: path) }.min()
    pending.removeAll { $0.entry.isAbout(path) }
    return lost
  }

  /// Writes what waits, durably; all of it waits on when the disk refuses.
  ///
  /// - Returns: Whether anything was written.
  mutating func flush() throws(DiskError) -> Bool {
    guard !pending.isEmpty else { return false }
    var next = head
    var bytes: [UInt8] = []
    for (entry, time) in pending { bytes += next.append(entry, at: time) }
    try write(bytes)
    head = next
    pending.removeAll(keepingCapacity: true)
    return true
  }

  /// Signs all lines so far; nothing must wait.
  mutating func seal(
    isFinal: Bool, journal: ManifestEntry.JournalMark, key: Ed25519PrivateKey, at now: UTCTime
  ) throws(DiskError) {
    var next = head
    try write(next.appendSeal(isFinal: isFinal, journal: journal, key: key, at: now))
    head = next
  }

  private func write(_ lines: [UInt8]) throws(DiskError) {
    let length = file.length
    try file.append(lines)
    do throws(DiskError) {
      try file.synchronize()
    } catch {
      try file.truncate(to: length)
      throw error
    }
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
