import Cryptography
import JSON
import Primitives

/// One line of an archive's `deletions.jsonl`: files whose time was over, as they were before they were deleted.
///
/// The sealed manifest goes on naming them; this says where they went. It is written, durably, before they are deleted,
/// and the incident's journal has an event with the same hash.
package struct DeletionRecord: Hashable, Sendable {
  package struct File: Hashable, Sendable {
    /// An ``ArchivePath``, or ``DeletionRecord/envelope``.
    package let path: String
    /// SHA-256 of the stored bytes, 32 bytes.
    package let hash: [UInt8]

    package init(path: String, hash: [UInt8]) {
      self.path = path
      self.hash = hash
    }
  }

  package let time: UTCTime
  package let kind: RetentionClass
  /// By which rule, in words.
  package let rule: String
  /// Sorted by path.
  package let files: [File]
  /// Number of the journal's event that says so.
  package let number: Int

  /// The name of the file in an archive.
  package static let fileName = "deletions.jsonl"
  /// The sealed key of an encrypted archive: without it nothing of the archive can be read, wherever copies are.
  package static let envelope = "envelope.json"
  /// Files of one record; more go into further ones.
  package static let maximumFiles = 1_000
  /// Bytes of a line.
  package static let maximumLineLength = 256 << 10

  package init(time: UTCTime, kind: RetentionClass, rule: String, files: [File], number: Int) {
    self.time = time
    self.kind = kind
    self.rule = rule
    self.files = files.sorted { $0.path < $1.path }
    self.number = number
  }

  /// SHA-256 over the list of files, a line `sha256  path` each, in order; what the journal's event says too.
  package static func hash(of files: [File]) -> [UInt8] {
    var text = ""
    for file in files.sorted(by: { $0.path < $1.path }) { text += "\(Hex.encode(file.hash))  \(file.path)\n" }
    return Digest.sha256(Array(text.utf8))
  }

  package var json: JSONValue {
    [
      "time": .string(time.description), "class": .string(kind.rawValue), "rule": .string(rule),
      "number": .integer(number),
      "files": .array(files.map { ["path": .string($0.path), "sha256": .string(Hex.encode($0.hash))] }),
    ]
  }

  /// The line as it is written, with its end.
  package var line: [UInt8] { json.canonicalBytes + [UInt8(ascii: "\n")] }

  /// Reads a line without its end; nil when it is none of ours.
  package init?(line: [UInt8]) {
    guard let json = try? JSONValue(parsing: line, limit: Self.maximumLineLength),
      let time = json["time"]?.string.flatMap({ UTCTime($0) }),
      let kind = json["class"]?.string.flatMap(RetentionClass.init), let rule = json["rule"]?.string,
      let number = json["number"]?.integer, let rows = json["files"]?.array, rows.count <= Self.maximumFiles
    else { return nil }
    var files: [File] = []
    for row in rows {
      guard let path = row["path"]?.string, path == Self.envelope || ArchivePath(path) != nil,
        let hash = row["sha256"]?.string.flatMap({ Hex.decode($0) }), hash.count == 32
      else { return nil }
      files.append(File(path: path, hash: hash))
    }
    self.init(time: time, kind: kind, rule: rule, files: files, number: number)
  }

  /// The whole lines of a file, as far as they can be read.
  package static func read(_ content: [UInt8]) -> [DeletionRecord] {
    content.split(separator: UInt8(ascii: "\n")).compactMap { DeletionRecord(line: Array($0)) }
  }
}
