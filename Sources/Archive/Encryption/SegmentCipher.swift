import Cryptography
import Incidents
import Primitives

/// Encrypts an incident's media at rest: AES-256-GCM (NIST SP 800-38D), a key per incident.
///
/// A *part* is sealed by itself, so that a reader opens what it needs and an unfinished recording can be read: the
/// header of a segment is part 0, its fragments are 1, 2 …, any other file is part 0 alone. A part lies on disk as nonce,
/// ciphertext and tag. Nonces are random and kept with the part (§8.2.2), so that none comes twice, whatever a crash
/// undid. A part opens in its own place only: incident, path and number are authenticated with it.
package struct SegmentCipher: Sendable {
  private let box: SecretBox
  private let incident: IncidentID

  /// Bytes that a part is longer on disk: 12 of nonce, 16 of tag.
  package static let overhead = 28
  /// Bytes of a part at most.
  package static let maximumPartLength = 1 << 30

  /// Nil unless `key` has 32 bytes.
  init?(key: [UInt8], incident: IncidentID) {
    guard let box = SecretBox(key: key) else { return nil }
    self.box = box
    self.incident = incident
  }

  /// Length of a part's content, by its length on disk; nil for what is too short to be one.
  package static func plaintextLength(ofStored length: Int) -> Int? {
    length >= overhead ? length - overhead : nil
  }

  /// What lies on disk for `bytes`.
  package func seal(
    part: Int, of path: ArchivePath, _ bytes: [UInt8], random: inout RandomSource
  ) throws(EnvelopeError) -> [UInt8] {
    guard bytes.count <= Self.maximumPartLength else {
      throw EnvelopeError(.tooLong, "a part of \(path) is longer than 1 GiB")
    }
    return box.seal(bytes, context: context(part, path), random: &random)
  }

  /// The content of what lies on disk.
  package func open(part: Int, of path: ArchivePath, _ stored: [UInt8]) throws(EnvelopeError) -> [UInt8] {
    guard stored.count <= Self.maximumPartLength + Self.overhead,
      let bytes = box.open(stored, context: context(part, path))
    else { throw EnvelopeError(.forged, "part \(part) of \(path) cannot be opened: it was changed") }
    return bytes
  }

  private func context(_ part: Int, _ path: ArchivePath) -> String { "sightline-archive 1 \(incident) \(path) \(part)" }
}
