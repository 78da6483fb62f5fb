import Archive
import Foundation
import Primitives

/// What is known of one archive's manifest, and how far it was read: follows the file as it grows.
struct ManifestFollower {
  private(set) var contents = ArchiveContents()
  /// What is wrong with the next line; nothing is read behind it.
  private(set) var problem: String?
  private var identity: OpenArchiveFile.Identity?
  private var offset = 0

  /// Bytes of a manifest that is read.
  static let maximumBytes = 1 << 30
  private static let chunkBytes = 1 << 20

  /// Takes in what was added to the manifest; from the beginning when another file took its place.
  mutating func follow(_ file: OpenArchiveFile) throws(ArchiveFolder.Failure) {
    let length = file.length
    if identity != file.identity || length < offset {
      self = ManifestFollower()
      identity = file.identity
    }
    guard length <= Self.maximumBytes else {
      problem = "the manifest is longer than \(Self.maximumBytes >> 20) MiB"
      return
    }
    while problem == nil, offset < length {
      let chunk = try file.read(from: offset, count: min(Self.chunkBytes, length - offset))
      guard take(chunk) else { return }
    }
  }

  /// Takes the whole lines of a chunk; false when there is none, which is the case for a line that is being written.
  private mutating func take(_ chunk: [UInt8]) -> Bool {
    var start = 0
    while problem == nil, let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n")) {
      take(line: Array(chunk[start..<end]))
      start = end + 1
    }
    if start == 0, chunk.count > ManifestLine.maximumLength {
      problem = "line \(contents.head.number + 1): the line is longer than 64 KiB"
    }
    offset += start
    return start > 0
  }

  private mutating func take(line: [UInt8]) {
    do throws(ManifestError) {
      try contents.append(line)
    } catch {
      problem = "line \(contents.head.number + 1): \(error.text)"
    }
  }
}
