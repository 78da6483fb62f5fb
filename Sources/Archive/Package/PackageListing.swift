import Cryptography
import Incidents
import JSON
import Primitives

/// `package.json`: every file of an evidence package with its hash, and whose package it is; signed with the archive's key.
package struct PackageListing: Hashable, Sendable {
  /// A file of the package.
  package struct Item: Hashable, Sendable {
    package var path: PackagePath
    package var length: Int
    /// SHA-256, 32 bytes.
    package var hash: [UInt8]

    package init(path: PackagePath, length: Int, hash: [UInt8]) {
      self.path = path
      self.length = length
      self.hash = hash
    }

    package var json: JSONValue {
      ["path": .string(path.text), "length": .integer(length), "sha256": .string(Hex.encode(hash))]
    }
  }

  /// Who wanted or approved it, when and why.
  package struct Signature: Hashable, Sendable {
    package var actor: Actor
    package var time: UTCTime
    package var reason: String?

    package init(actor: Actor, time: UTCTime, reason: String?) {
      self.actor = actor
      self.time = time
      self.reason = reason
    }

    package var json: JSONValue {
      .members([
        "actor": actor.json, "time": .string(time.description), "reason": reason.map { .string($0) },
      ])
    }

    package init?(json: JSONValue) {
      guard let actor = json["actor"].flatMap(Actor.init(json:)),
        let time = json["time"]?.string.flatMap({ UTCTime($0) })
      else { return nil }
      self.init(actor: actor, time: time, reason: json["reason"]?.string)
    }
  }

  /// How the archive stood when it was packed.
  package enum ArchiveState: String, Hashable, Sendable {
    /// Nothing was ever recorded.
    case none
    case sealed
    /// A recording went on, or the server had died.
    case unsealed
    /// Its manifest cannot be read; it was packed as it lies.
    case unreadable
  }

  package var export: String
  package var incident: IncidentID
  package var agency: String
  package var requested: Signature
  package var approved: Signature?
  package var madeAt: UTCTime
  /// The last event of the journal that is inside.
  package var journalNumber: Int
  package var journalHash: [UInt8]
  package var archive: ArchiveState
  package var isEncrypted: Bool
  /// The agency's keys that the archive's seals are made with.
  package var sealedBy: [Ed25519PublicKey]
  /// What the reader should know: what could not be made, and why.
  package var notes: [String]
  package var files: [Item]

  package init(
    export: String, incident: IncidentID, agency: String, requested: Signature, approved: Signature?, madeAt: UTCTime
  ) {
    self.export = export
    self.incident = incident
    self.agency = agency
    self.requested = requested
    self.approved = approved
    self.madeAt = madeAt
    journalNumber = 0
    journalHash = JournalEvent.genesisHash
    archive = .none
    isEncrypted = false
    sealedBy = []
    notes = []
    files = []
  }

  /// Format and version, as the file names them.
  package static let format = "sightline-evidence"
  package static let version = 1

  package var json: JSONValue {
    .members([
      "format": .string(Self.format), "version": .integer(Self.version), "export": .string(export),
      "incident": .string(incident.value), "agency": .string(agency), "requested": requested.json,
      "approved": approved?.json, "madeAt": .string(madeAt.description),
      "journal": ["number": .integer(journalNumber), "hash": .string(Hex.encode(journalHash))],
      "archive": [
        "state": .string(archive.rawValue), "encrypted": .bool(isEncrypted),
        "keys": .array(sealedBy.map { .string(Hex.encode($0.bytes)) }),
      ],
      "notes": .array(notes.map { .string($0) }), "files": .array(files.map(\.json)),
    ])
  }

  /// The file, and what is signed.
  package var bytes: [UInt8] { json.canonicalBytes }

  /// The bytes of `package.json.sig`: Ed25519 (RFC 8032) over ``bytes``, 64 bytes.
  package func signature(by key: Ed25519PrivateKey) -> [UInt8] { key.sign(bytes) }
}

/// A public key in the forms that other programs read.
package enum PublicKeyText {
  /// PEM of the SubjectPublicKeyInfo (RFC 8410 §4).
  package static func pem(_ key: Ed25519PublicKey) -> String {
    let prefix: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
    return "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(prefix + key.bytes))\n-----END PUBLIC KEY-----\n"
  }

  /// SHA-256 of the raw key in groups of four digits, to be read out and compared.
  package static func fingerprint(_ key: Ed25519PublicKey) -> String {
    let digits = Array(Hex.encode(Digest.sha256(key.bytes)))
    return stride(from: 0, to: digits.count, by: 4).map { String(digits[$0..<min($0 + 4, digits.count)]) }
      .joined(separator: " ")
  }
}
