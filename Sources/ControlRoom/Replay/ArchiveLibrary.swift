import Archive
import Cryptography
import Dispatch
import Foundation
import Primitives
import Recorder
import Synchronization

/// Reads archives for people who look back, on threads of its own, so that a slow disk never holds up the tasks that
/// serve the living.
///
/// What manifests say is kept in memory, within bounds, and followed as they grow.
package final class ArchiveLibrary: Sendable {
  private let folder: ArchiveFolder
  private let encryptionKey: EnvelopeKey?
  private let publicKeys: @Sendable () -> [Ed25519PublicKey]
  private let queue = DispatchQueue(label: "sightline.archives", attributes: .concurrent)
  private let slots = DispatchSemaphore(value: maximumReads)
  private let verifications = DispatchSemaphore(value: 1)
  private let shelves = Mutex<[IncidentID: Shelf]>([:])
  private let uses = Atomic<UInt64>(0)

  /// Reads at a time.
  static let maximumReads = 8
  /// Archives whose manifests are kept in memory; beyond it those that rest longest are put away.
  static let maximumArchives = 64
  /// Their lines together.
  static let maximumLines = 1_000_000
  /// Bytes that one read takes from the disk, unless a single part is longer.
  static let readBytes = 256 << 10
  /// Bytes of one part, which a recorder never reaches.
  static let maximumPartBytes = 64 << 20

  /// One archive's manifest; its own lock, so that reading a long one holds up nobody else.
  private final class Shelf: Sendable {
    let follower = Mutex(ManifestFollower())
    let usedAt = Atomic<UInt64>(0)
    let lines = Atomic<Int>(0)
  }

  /// - Parameters:
  ///   - archives: The folder that holds one folder an incident.
  ///   - encryptionKey: The node's key, which opens the keys of archives that are encrypted at rest.
  ///   - publicKeys: All keys that the node has sealed archives with; none to take the archives' own word.
  package init(
    archives: URL, encryptionKey: EnvelopeKey? = nil,
    publicKeys: @escaping @Sendable () -> [Ed25519PublicKey] = { [] }
  ) {
    folder = ArchiveFolder(root: archives.path)
    self.encryptionKey = encryptionKey
    self.publicKeys = publicKeys
  }

  /// An archive as its manifest tells it.
  package struct Manifest: Sendable {
    package let contents: ArchiveContents
    package let source: any SegmentSource
    /// What is wrong with it, in words; what came before it is in `contents`.
    package let problem: String?
  }

  /// What the manifest says now; nil when nothing was recorded.
  ///
  /// Throws `damaged` when not even its first line can be read.
  package func manifest(of incident: IncidentID) async throws(Refusal) -> Manifest? {
    try await work { [self] () throws(Refusal) in try readManifest(of: incident) }
  }

  private func readManifest(of incident: IncidentID) throws(Refusal) -> Manifest? {
    let file: OpenArchiveFile
    do throws(ArchiveFolder.Failure) {
      file = try folder.manifest(of: incident)
    } catch .missing {
      return nil
    } catch {
      throw Refusal(error, "manifest.jsonl")
    }
    let shelf = shelf(of: incident)
    let read = shelf.follower.withLock { follower -> Result<ManifestFollower, ArchiveFolder.Failure> in
      do throws(ArchiveFolder.Failure) {
        try follower.follow(file)
        shelf.lines.store(follower.contents.head.number, ordering: .relaxed)
        return .success(follower)
      } catch {
        return .failure(error)
      }
    }
    makeRoom(keeping: incident)
    switch read {
    case .failure(let error): throw Refusal(error, "manifest.jsonl")
    case .success(let follower):
      if follower.contents.header == nil {
        // A recording that begins: its first line is being written.
        guard let problem = follower.problem else { return nil }
        throw Refusal(.damaged, "The archive cannot be read. Its manifest, \(problem).")
      }
      guard let header = follower.contents.header, header.incident == incident else {
        throw Refusal(.damaged, "The archive is that of another incident. Put each back in its own folder.")
      }
      let source = try source(of: header)
      let problem = follower.problem.map { "The manifest is damaged from \($0). What came before it is shown." }
      return Manifest(
        contents: follower.contents, source: source, problem: problem ?? (source as? LockedSegments)?.reason)
    }
  }

  /// How an archive's segments are read.
  private func source(of header: ManifestEntry.Header) throws(Refusal) -> any SegmentSource {
    guard header.isEncrypted else { return PlainSegments() }
    let bytes: [UInt8]?
    do throws(ArchiveFolder.Failure) {
      bytes = try folder.envelope(of: header.incident)
    } catch {
      throw Refusal(error, ArchiveFile.envelope)
    }
    guard let bytes else {
      return LockedSegments(reason: "The key of this archive was destroyed, and with it all pictures and sound.")
    }
    guard let encryptionKey else {
      return LockedSegments(
        reason: "The archive is encrypted, and this server has no key for archives. Start it with the key.")
    }
    do throws(EnvelopeError) {
      let envelope = try EnvelopeDocument(parsing: bytes)
      guard envelope.incident == header.incident else {
        return LockedSegments(reason: "The archive's envelope.json is that of \(envelope.incident). Restore its own.")
      }
      return EncryptedSegments(cipher: try encryptionKey.open(envelope))
    } catch {
      return LockedSegments(reason: "The archive's envelope.json \(error.text).")
    }
  }

  // MARK: - Proof

  /// Checks every byte of an archive against its manifest, and that against its seals; this takes as long as it takes to
  /// read it all, and one is checked at a time.
  package func verify(_ incident: IncidentID) async throws(Refusal) -> VerificationReport {
    let (root, keys) = (folder.root, publicKeys())
    // Out of checked text, so that it leads to no other folder; that it is no link was seen when the manifest was read.
    let url = URL(fileURLWithPath: root).appendingPathComponent(incident.value)
    guard try await manifest(of: incident) != nil else { throw .noSuchFile }
    return try await Self.work(on: queue, within: verifications) { () throws(Refusal) in
      do throws(ArchiveReadingError) {
        return try Verifier.verify(FolderReader(url), keys: keys)
      } catch {
        throw Refusal(.unavailable, error.text)
      }
    }
  }

  // MARK: - Segments

  /// A file of an archive that can be read in pieces.
  package struct Reader: Sendable {
    package let path: ArchivePath
    package let mimeType: String
    /// Bytes in the clear.
    package let length: Int
    fileprivate let layout: SegmentLayout
    fileprivate let source: any SegmentSource
    fileprivate let file: OpenArchiveFile
  }

  /// Opens a segment, a still or a late upload that the manifest names.
  package func open(_ path: ArchivePath, of incident: IncidentID) async throws(Refusal) -> Reader {
    try await work { [self] () throws(Refusal) in
      guard let manifest = try readManifest(of: incident) else { throw .noSuchFile }
      let overhead = manifest.source.overhead
      let (layout, type): (SegmentLayout, String)
      if let segment = manifest.contents.segment(path) {
        (layout, type) = (SegmentLayout(segment, overhead: overhead), segment.entry.mimeType)
      } else if let entry = manifest.contents.file(path) {
        (layout, type) = (SegmentLayout(entry, overhead: overhead), entry.mimeType)
      } else {
        throw .noSuchFile
      }
      let file: OpenArchiveFile
      do throws(ArchiveFolder.Failure) {
        file = try folder.file(path, of: incident)
      } catch {
        throw Refusal(error, "\(path)")
      }
      guard file.length >= layout.storedLength else {
        throw Refusal(
          .damaged, "\(path) was cut off: it has \(file.length) bytes, and \(layout.storedLength) were recorded.")
      }
      return Reader(
        path: path, mimeType: type, length: layout.clearLength, layout: layout, source: manifest.source, file: file)
    }
  }

  /// The next bytes of `range`: at least one, and as many as one read brings.
  package func read(_ reader: Reader, _ range: Range<Int>) async throws(Refusal) -> [UInt8] {
    try await work { () throws(Refusal) in try Self.read(reader, range) }
  }

  private static func read(_ reader: Reader, _ range: Range<Int>) throws(Refusal) -> [UInt8] {
    let layout = reader.layout
    var clear: [UInt8] = []
    var start: Int?
    for part in layout.parts(covering: range) {
      let stored = layout.stored(part)
      guard stored.length <= maximumPartBytes else {
        throw Refusal(.damaged, "\(reader.path) has a part of \(stored.length) bytes, which nothing here records.")
      }
      guard clear.isEmpty || clear.count + stored.length <= readBytes else { break }
      let bytes: [UInt8]
      do throws(ArchiveFolder.Failure) {
        bytes = try reader.file.read(from: stored.offset, count: stored.length)
      } catch {
        throw Refusal(error, "\(reader.path)")
      }
      guard bytes.count == stored.length else {
        throw Refusal(.damaged, "\(reader.path) was cut off while it was read.")
      }
      clear += try reader.source.open(part: part, of: reader.path, stored: bytes)
      start = start ?? layout.clear(part).offset
    }
    guard let start, range.lowerBound - start < clear.count else {
      throw Refusal(.damaged, "\(reader.path) has fewer bytes than were recorded.")
    }
    return Array(clear[(range.lowerBound - start)..<min(range.upperBound - start, clear.count)])
  }

  // MARK: - Memory and threads

  private func shelf(of incident: IncidentID) -> Shelf {
    let shelf = shelves.withLock { shelves in
      let shelf = shelves[incident] ?? Shelf()
      shelves[incident] = shelf
      return shelf
    }
    shelf.usedAt.store(uses.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
    return shelf
  }

  /// Puts away what rests longest until what is left is within bounds.
  private func makeRoom(keeping incident: IncidentID) {
    shelves.withLock { shelves in
      var lines = shelves.values.reduce(0) { $0 + $1.lines.load(ordering: .relaxed) }
      guard shelves.count > Self.maximumArchives || lines > Self.maximumLines else { return }
      let resting = shelves.filter { $0.key != incident }
        .sorted { $0.value.usedAt.load(ordering: .relaxed) < $1.value.usedAt.load(ordering: .relaxed) }
      for (id, shelf) in resting where shelves.count > Self.maximumArchives || lines > Self.maximumLines {
        lines -= shelf.lines.load(ordering: .relaxed)
        shelves[id] = nil
      }
    }
  }

  /// Archives whose manifests are in memory, for tests and figures.
  package var manifestsInMemory: Int { shelves.withLock { $0.count } }

  private func work<Value: Sendable>(
    _ body: @escaping @Sendable () throws(Refusal) -> Value
  ) async throws(Refusal) -> Value {
    try await Self.work(on: queue, within: slots, body)
  }

  private static func work<Value: Sendable>(
    on queue: DispatchQueue, within slots: DispatchSemaphore, _ body: @escaping @Sendable () throws(Refusal) -> Value
  ) async throws(Refusal) -> Value {
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, Refusal>, Never>) in
      queue.async {
        slots.wait()
        defer { slots.signal() }
        do throws(Refusal) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }
}

extension Refusal {
  static let noSuchFile = Refusal(.notFound, "There is no such file in this archive.")

  /// Why a file of an archive cannot be opened or read.
  init(_ failure: ArchiveFolder.Failure, _ name: String) {
    switch failure {
    case .missing:
      self.init(.notFound, "\(name) is missing from the archive. Check it with sightline verify.")
    case .foreign:
      self.init(.damaged, "\(name) is a link or no plain file, which an archive never holds. Check who put it there.")
    case .system(let number):
      self.init(.unavailable, "\(name) cannot be read: error \(number) of the system. Check the disk.")
    }
  }
}
