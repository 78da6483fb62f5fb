import Cryptography
import Incidents
import Primitives

/// The node's key that seals the keys of archives: 32 bytes, kept apart from the archives.
package struct EnvelopeKey: Sendable {
  private let box: SecretBox
  /// Names the key in envelopes.
  package let id: [UInt8]

  package static let length = SecretBox.keyLength
  static let idLength = 8

  /// Nil unless `bytes` are ``length`` bytes.
  package init?(_ bytes: [UInt8]) {
    guard let box = SecretBox(key: bytes) else { return nil }
    self.box = box
    id = Array(Digest.sha256(Array("sightline envelope key".utf8) + bytes).prefix(Self.idLength))
  }

  /// A new key for an incident, and its envelope.
  package func makeCipher(
    for incident: IncidentID, random: inout RandomSource
  ) -> (cipher: SegmentCipher, envelope: EnvelopeDocument) {
    let key = random.bytes(SecretBox.keyLength)
    guard let cipher = SegmentCipher(key: key, incident: incident) else {
      preconditionFailure("a key of \(key.count) bytes")
    }
    return (cipher, seal(key, for: incident, random: &random))
  }

  /// Opens an envelope that this key sealed.
  package func open(_ envelope: EnvelopeDocument) throws(EnvelopeError) -> SegmentCipher {
    guard let cipher = SegmentCipher(key: try key(in: envelope), incident: envelope.incident) else {
      throw EnvelopeError(.malformed, "holds a key of another length")
    }
    return cipher
  }

  /// The same archive's key, sealed by `successor`: what a change of the node's key needs.
  package func rewrap(
    _ envelope: EnvelopeDocument, for successor: EnvelopeKey, random: inout RandomSource
  ) throws(EnvelopeError) -> EnvelopeDocument {
    successor.seal(try key(in: envelope), for: envelope.incident, random: &random)
  }

  private func seal(_ key: [UInt8], for incident: IncidentID, random: inout RandomSource) -> EnvelopeDocument {
    EnvelopeDocument(
      incident: incident, keyID: id,
      sealedKey: box.seal(key, context: Self.context(incident), random: &random))
  }

  private func key(in envelope: EnvelopeDocument) throws(EnvelopeError) -> [UInt8] {
    guard envelope.keyID == id else {
      throw EnvelopeError(
        .otherKey,
        "is sealed with the key \(Hex.encode(envelope.keyID)), and this node has \(Hex.encode(id)): restore the other one"
      )
    }
    guard let key = box.open(envelope.sealedKey, context: Self.context(envelope.incident)) else {
      throw EnvelopeError(.forged, "cannot be opened: it was changed. Restore it from a backup")
    }
    return key
  }

  private static func context(_ incident: IncidentID) -> String { "sightline-envelope 1 \(incident)" }
}
