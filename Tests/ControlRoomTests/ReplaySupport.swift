import Archive
import ControlRoom
import Foundation
import Incidents
import Primitives
import Testing

/// A folder of archives that a test has to itself; gone with its last holder.
final class RecordedFolders: Sendable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("sightline-replay-\(UUID().uuidString)")

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Begins the archive of an incident.
  func begin(
    _ incident: IncidentID, named other: IncidentID? = nil, isEncrypted: Bool = false
  ) throws -> WrittenArchive {
    let archive = WrittenArchive(folder: url.appendingPathComponent(incident.value))
    try FileManager.default.createDirectory(
      at: archive.folder.appendingPathComponent("media"), withIntermediateDirectories: true)
    try archive.add(.archive(.init(incident: other ?? incident, agency: "metro", isEncrypted: isEncrypted)))
    return archive
  }
}

/// An archive that a test writes; what the manifest says of hashes and times does not matter here.
final class WrittenArchive {
  let folder: URL
  private var head = ManifestHead()
  private var lengths: [ArchivePath: Int] = [:]
  private static let hash = [UInt8](repeating: 7, count: 32)

  init(folder: URL) {
    self.folder = folder
  }

  var manifest: URL { folder.appendingPathComponent("manifest.jsonl") }

  func add(_ entry: ManifestEntry) throws { try write(head.append(entry, at: TestClock.start), to: manifest) }

  func write(_ bytes: [UInt8], to file: URL) throws {
    let old = (try? Data(contentsOf: file)) ?? Data()
    try (old + bytes).write(to: file)
  }

  /// A track with one file whose parts are `parts`, the first of them its header.
  func film(_ name: String, _ parts: [[UInt8]]) throws -> ArchivePath {
    let track = try #require(TrackID(name))
    let path = try #require(ArchivePath(folder: .media, name: "\(name)-0000.mp4"))
    try add(.track(.init(id: track, kind: .video, peer: "p", source: name)))
    try add(
      .segment(
        .init(
          path: path, track: track, codec: "H264", mimeType: "video/mp4", width: 640, height: 360, rotation: 0,
          layer: nil, headerLength: parts[0].count, headerHash: Self.hash)))
    try write(parts[0], to: folder.appendingPathComponent("\(path)"))
    lengths[path] = parts[0].count
    for part in parts.dropFirst() { try fragment(path, part) }
    return path
  }

  func fragment(_ path: ArchivePath, _ bytes: [UInt8]) throws {
    let offset = try #require(lengths[path])
    lengths[path] = offset + bytes.count
    try write(bytes, to: folder.appendingPathComponent("\(path)"))
    try add(
      .fragment(
        .init(
          segment: path, offset: offset, length: bytes.count, hash: Self.hash, start: TestClock.start,
          duration: .milliseconds(500), startsWithKeyframe: true, frames: 12)))
  }
}
