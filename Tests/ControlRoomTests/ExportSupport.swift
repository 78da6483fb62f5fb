import Archive
import ControlRoom
import Cryptography
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Synchronization
import Testing

/// A folder that a test has to itself.
final class ScratchFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/sightline-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
  }

  func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path + "/" + folder)) ?? []).sorted()
  }

  /// Every file below a folder with its content.
  func files(in folder: String) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: path + "/" + folder) ?? .init() {
      if let data = try? Data(contentsOf: URL(fileURLWithPath: "\(path)/\(folder)/\(name)")) {
        files[name] = Array(data)
      }
    }
    return files
  }

  /// Unpacks an archive into `folder` with `unzip`.
  func unpack(_ archive: String, into folder: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["unzip", "-q", archive, "-d", path + "/" + folder]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}

/// Films that are a few bytes, made when a test lets them.
final class TestMedia: PackageMedia {
  private struct State {
    var orders: [FilmOrder] = []
    var failure: PackageError?
  }

  private let state = Mutex(State())
  private let gate = DispatchSemaphore(value: 0)
  private let isGated: Bool
  private let begun: AsyncStream<Void>
  private let began: AsyncStream<Void>.Continuation

  static let film = Array("a film".utf8)

  init(isGated: Bool = false) {
    self.isGated = isGated
    (begun, began) = AsyncStream.makeStream()
  }

  var orders: [FilmOrder] { state.withLock { $0.orders } }

  func fail(_ error: PackageError) { state.withLock { $0.failure = error } }

  /// Lets one order go on.
  func open() { gate.signal() }

  /// Returns when an order has begun.
  func waitForOrder() async { for await _ in begun { return } }

  func makeFilms(
    _ order: FilmOrder, progress: @escaping (Double) throws(PackageError) -> Void
  ) throws(PackageError) -> Films {
    state.withLock { $0.orders.append(order) }
    try progress(0.5)
    began.yield()
    if isGated { gate.wait() }
    try progress(0.9)
    if let failure = state.withLock({ $0.failure }) { throw failure }
    var films = Films(notes: ["made by a test"])
    let names = ["joined/v1.mp4", "composite.mp4"] + (order.redaction == nil ? [] : ["redacted/v1.mp4"])
    for (index, name) in names.enumerated() {
      guard let path = PackagePath(name) else { continue }
      let file = "\(order.folder)/\(index)"
      _ = FileManager.default.createFile(atPath: file, contents: Data(Self.film + Array(name.utf8)))
      let parent = PackagePath("joined/v1.mp4")
      let redacted = index == 2 ? parent.flatMap { parent in order.redaction.map { (parent, $0) } } : nil
      films.films.append(.init(path: path, file: file, redacted: redacted))
    }
    return films
  }
}

/// An incident with a recording, and a desk that makes packages of it.
final class ExportScene: Sendable {
  let room: TestRoom
  let desk: ExportDesk
  let incident: IncidentID
  let media: TestMedia
  let folder: ScratchFolder
  private let events: AsyncStream<JournalEvent>

  static let key = Ed25519PrivateKey(seed: [UInt8](repeating: 9, count: Ed25519PrivateKey.seedLength))

  init(
    storage: any Storage = MemoryStorage(), folder: ScratchFolder? = nil, incident: IncidentID? = nil,
    isGated: Bool = false, requiresApproval: Bool = false, knownKeys: [Ed25519PublicKey] = []
  ) async throws {
    let folder = try folder ?? ScratchFolder()
    let media = TestMedia(isGated: isGated)
    let room = try await TestRoom(storage: storage)
    let key = try #require(Self.key)
    (self.folder, self.media, self.room) = (folder, media, room)
    let (events, continuation) = AsyncStream.makeStream(of: JournalEvent.self)
    self.events = events
    room.room.observe { event, _ in continuation.yield(event) }
    desk = ExportDesk(
      room: room.room,
      sources: PackageSources(storage: storage, archives: folder.path + "/archive", files: nil, media: media) {
        PackageKeys(signing: key, known: knownKeys)
      },
      folder: folder.path + "/exports", requiresApproval: requiresApproval)
    if let incident { self.incident = incident } else { self.incident = try await room.open() }
    try await desk.start()
  }

  /// Runs `body` while packages are made.
  func whileMaking<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      let desk = desk
      group.addTask {
        await desk.run()
        return nil
      }
      group.addTask { try await body() }
      while let value = try await group.next() {
        if let value {
          group.cancelAll()
          return value
        }
      }
      throw CancellationError()
    }
  }

  /// Waits for an event of an export.
  func event(_ kind: EventKind, of export: String) async -> JSONValue? {
    for await event in events where event.kind == kind.rawValue && event.payload["export"]?.string == export {
      return event.payload
    }
    return nil
  }

  @discardableResult
  func request(_ principal: Principal = person(.supervisor, "sven"), redaction: RedactionOrder? = nil)
    async throws -> EvidenceExport
  {
    try await desk.request(incident, reason: "court order", redaction: redaction, by: principal)
  }

  /// Kinds and particulars of what the incident's journal says about exports.
  func told() throws -> [String] {
    try room.storage.events(of: incident, after: 0, limit: 1_000).filter { $0.kind.hasPrefix("export.") }.map {
      ($0.payload["state"] ?? $0.payload["decision"])?.string ?? "requested"
    }
  }

  /// Writes a sealed archive with one camera; returns the folder's path below the scratch folder.
  @discardableResult
  func writeArchive(version: Int = 1, isSealed: Bool = true, key: Ed25519PrivateKey? = key) throws -> String {
    let path = "archive/\(incident)"
    let time = TestClock.start
    let track = try #require(TrackID("v1"))
    let segment = try #require(ArchivePath("media/v1-0001.mp4"))
    let (header, fragment, still) = (Array("header".utf8), Array("fragment".utf8), Array("still".utf8))
    let key = try #require(key)
    var head = ManifestHead()
    var manifest = head.append(
      .archive(.init(incident: incident, agency: "metro", isEncrypted: false)), at: time)
    if version != 1 {
      manifest = Array(String(decoding: manifest, as: UTF8.self).replacing("\"version\":1", with: "\"version\":2").utf8)
    }
    manifest += head.append(.track(.init(id: track, kind: .video, peer: "p1", source: "s1")), at: time)
    manifest += head.append(
      .segment(
        .init(
          path: segment, track: track, codec: "VP9", mimeType: "video/mp4", width: 640, height: 480, rotation: 0,
          layer: nil, headerLength: header.count, headerHash: Digest.sha256(header))), at: time)
    manifest += head.append(
      .fragment(
        .init(
          segment: segment, offset: header.count, length: fragment.count, hash: Digest.sha256(fragment), start: time,
          duration: .seconds(1), startsWithKeyframe: true, frames: 30)), at: time)
    manifest += head.append(
      .file(
        .init(
          path: try #require(ArchivePath("stills/s1.jpg")), length: still.count, hash: Digest.sha256(still),
          purpose: .still, track: track, start: time, duration: .seconds(0), mimeType: "image/jpeg", note: nil)),
      at: time)
    if isSealed { manifest += head.appendSeal(isFinal: true, journal: .empty, key: key, at: time) }
    try folder.write(manifest, to: "\(path)/manifest.jsonl")
    try folder.write([], to: "\(path)/journal.jsonl")
    try folder.write(Array((Hex.encode(key.publicKey.bytes) + "\n").utf8), to: "\(path)/key.pub")
    try folder.write(header + fragment, to: "\(path)/\(segment)")
    try folder.write(still, to: "\(path)/stills/s1.jpg")
    return path
  }
}
