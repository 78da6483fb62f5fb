import Cryptography
import Incidents
import JSON
import Primitives

/// `envelope.json`: the key of an incident's archive, sealed by the node's.
///
/// Destroying it erases what the archive's media shows; the manifest stays provable, since it hashes what lies on disk.
package struct EnvelopeDocument: Hashable, Sendable {
  package let incident: IncidentID
  /// Tells which of the node's keys opens it: 8 bytes that say nothing about the key itself.
  package let keyID: [UInt8]
  /// Nonce, ciphertext and tag.
  package let sealedKey: [UInt8]

  package static let format = "sightline-envelope"
  package static let version = 1

  init(incident: IncidentID, keyID: [UInt8], sealedKey: [UInt8]) {
    self.incident = incident
    self.keyID = keyID
    self.sealedKey = sealedKey
  }

  /// The file: canonical JSON and a line feed.
  package var bytes: [UInt8] {
    var members = members
    members["sha256"] = .string(Hex.encode(checksum))
    return JSONValue.object(members).canonicalBytes + [UInt8(ascii: "\n")]
  }

  /// Parses the file, in the one form that it is written in.
  package init(parsing bytes: [UInt8]) throws(EnvelopeError) {
    guard let json = try? JSONValue(parsing: bytes, limit: ArchiveFile.maximumSmallFile),
      json["format"]?.string == Self.format
    else { throw EnvelopeError(.malformed, "is no envelope of an archive") }
    guard let version = json["version"]?.integer, version == Self.version else {
      throw EnvelopeError(.version, "has a version that is not known to this program: use a newer one")
    }
    guard let incident = json["incident"]?.string.flatMap({ IncidentID($0) }),
      let keyID = json["key"]?.string.flatMap({ Hex.decode($0) }), keyID.count == EnvelopeKey.idLength,
      let sealedKey = json["sealed"]?.string.flatMap({ Hex.decode($0) })
    else { throw EnvelopeError(.malformed, "lacks its incident, its key's name or the sealed key") }
    self.init(incident: incident, keyID: keyID, sealedKey: sealedKey)
    guard self.bytes == bytes else {
      throw EnvelopeError(.malformed, "does not have its checksum: it was changed. Restore it from a backup")
    }
  }

  private var members: [String: JSONValue] {
    [
      "format": .string(Self.format), "version": .integer(Self.version), "incident": .string(incident.value),
      "key": .string(Hex.encode(keyID)), "sealed": .string(Hex.encode(sealedKey)),
    ]
  }

  /// Finds accidents without any key; GCM's tag is what proves.
  private var checksum: [UInt8] { Digest.sha256(JSONValue.object(members).canonicalBytes) }
}

/// Why an envelope or what it protects cannot be opened.
package struct EnvelopeError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: Hashable, Sendable {
    case malformed
    case version
    /// Another key of the node sealed it.
    case otherKey
    /// The tag is not that of the content.
    case forged
    /// Longer than can be sealed at once.
    case tooLong
  }

  package let code: Code
  /// Reads behind the name of the file.
  package let text: String

  package init(_ code: Code, _ text: String) {
    self.code = code
    self.text = String(text.prefix(300))
  }

  package var description: String { text }
}
