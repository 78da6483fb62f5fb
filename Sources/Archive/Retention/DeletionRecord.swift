import Cryptography
import JSON
import Primitives

/// One line of an archive's `deletions.jsonl`: files whose time was over, as they were before they were deleted.
///
/// The sealed manifest goes on naming them; this says where they went, signed with the node's key as seals are. It is
/// written, durably, before they are deleted, and the incident's journal has an event with the same hash.
package struct DeletionRecord: Hashable, Sendable {
  package struct File: Hashable, Sendable {
    /// An ``ArchivePath``, or ``ArchiveFile/envelope``.
    package let path: String
    /// SHA-256 of the stored bytes, 32 bytes.
    package let hash: [UInt8]

    package init(path: String, hash: [UInt8]) {
      self.path = path
      self.hash = hash
    }
  }

  package let incident: IncidentID
  package let time: UTCTime
  package let kind: RetentionClass
  /// By which rule, in words.
  package let rule: String
  /// Sorted by path.
  package let files: [File]
  /// Number of the journal's event that says so.
  package let number: Int
  /// Ed25519 public key, 32 bytes.
  package let key: [UInt8]
  /// 64 bytes over the canonical line without its signature.
  package let signature: [UInt8]

  /// Files of one record; more go into further ones.
  package static let maximumFiles = 1_000
  /// Bytes of a line, without its end.
  package static let maximumLineLength = 256 << 10

  /// Signs what is about to be deleted.
  package init(
    of incident: IncidentID, at time: UTCTime, _ kind: RetentionClass, rule: String, _ files: [File], number: Int,
    signedBy signingKey: Ed25519PrivateKey
  ) {
    self.incident = incident
    self.time = time
    self.kind = kind
    self.rule = rule
    self.files = files.sorted { $0.path < $1.path }
    self.number = number
    key = signingKey.publicKey.bytes
    let content = Self.content(incident, time, kind, rule, self.files, number, key)
    signature = signingKey.sign(content.canonicalBytes)
  }

  /// SHA-256 over the list of files, a line `sha256  path` each, in order; what the journal's event says too.
  package static func hash(of files: [File]) -> [UInt8] {
    var text = ""
    for file in files.sorted(by: { $0.path < $1.path }) { text += "\(Hex.encode(file.hash))  \(file.path)\n" }
    return Digest.sha256(Array(text.utf8))
  }

  /// Whether the signature is that of ``key``; whose key that is has to be known otherwise.
  package var isSigned: Bool {
    let content = Self.content(incident, time, kind, rule, files, number, key)
    return Ed25519PublicKey(key)?.isValid(signature: signature, of: content.canonicalBytes) ?? false
  }

  // MARK: - JSON

  /// The line as it is written, with its end.
  package var line: [UInt8] {
    guard case .object(var members) = Self.content(incident, time, kind, rule, files, number, key) else { return [] }
    members["signature"] = .string(Hex.encode(signature))
    return JSONValue.object(members).canonicalBytes + [UInt8(ascii: "\n")]
  }

  private static func content(
    _ incident: IncidentID, _ time: UTCTime, _ kind: RetentionClass, _ rule: String, _ files: [File], _ number: Int,
    _ key: [UInt8]
  ) -> JSONValue {
    [
      "incident": .string(incident.value), "time": .string(time.description), "class": .string(kind.rawValue),
      "rule": .string(rule), "number": .integer(number), "key": .string(Hex.encode(key)),
      "files": .array(files.map { ["path": .string($0.path), "sha256": .string(Hex.encode($0.hash))] }),
    ]
  }

  /// Reads a line without its end; nil when it is none of ours.
  package init?(line: [UInt8]) {
    guard let json = try? JSONValue(parsing: line, limit: Self.maximumLineLength),
      let incident = json["incident"]?.string.flatMap({ IncidentID($0) }),
      let time = json["time"]?.string.flatMap({ UTCTime($0) }),
      let kind = json["class"]?.string.flatMap(RetentionClass.init), let rule = json["rule"]?.string,
      let number = json["number"]?.integer, let key = json["key"]?.string.flatMap({ Hex.decode($0) }),
      let signature = json["signature"]?.string.flatMap({ Hex.decode($0) }), let rows = json["files"]?.array,
      rows.count <= Self.maximumFiles
    else { return nil }
    var files: [File] = []
    for row in rows {
      guard let path = row["path"]?.string, path == ArchiveFile.envelope || ArchivePath(path) != nil,
        let hash = row["sha256"]?.string.flatMap({ Hex.decode($0) }), hash.count == 32
      else { return nil }
      files.append(File(path: path, hash: hash))
    }
    self.incident = incident
    self.time = time
    self.kind = kind
    self.rule = rule
    self.files = files
    self.number = number
    self.key = key
    self.signature = signature
  }

  /// The whole lines of a file, as far as they can be read.
  package static func read(_ content: [UInt8]) -> [DeletionRecord] {
    content.split(separator: UInt8(ascii: "\n")).compactMap { DeletionRecord(line: Array($0)) }
  }
}
