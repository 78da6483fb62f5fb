import Archive
import Primitives

/// Gives the bytes of segments in the clear, however they lie on the disk.
package protocol SegmentSource: Sendable {
  /// Bytes that each part (the header, a fragment, a whole still) is longer on the disk than in the clear.
  var overhead: Int { get }

  /// The clear bytes of a part, out of what the disk holds.
  ///
  /// Throws `damaged` when they are not what was written.
  func open(part: Int, of path: ArchivePath, stored bytes: [UInt8]) throws(Refusal) -> [UInt8]
}

/// Where nothing is encrypted at rest.
package struct PlainSegments: SegmentSource {
  package init() {}

  package var overhead: Int { 0 }

  package func open(part: Int, of path: ArchivePath, stored bytes: [UInt8]) -> [UInt8] { bytes }
}

/// An archive that is encrypted at rest, with its key.
struct EncryptedSegments: SegmentSource {
  let cipher: SegmentCipher

  var overhead: Int { SegmentCipher.overhead }

  func open(part: Int, of path: ArchivePath, stored bytes: [UInt8]) throws(Refusal) -> [UInt8] {
    do throws(EnvelopeError) {
      return try cipher.open(part: part, of: path, bytes)
    } catch {
      throw Refusal(.damaged, "The archive is not what was recorded: \(error.text).")
    }
  }
}

/// An archive that is encrypted at rest and whose key is not to be had: what it holds is known, and nothing of it is seen.
struct LockedSegments: SegmentSource {
  /// In words, with what to do.
  let reason: String

  var overhead: Int { SegmentCipher.overhead }

  func open(part: Int, of path: ArchivePath, stored bytes: [UInt8]) throws(Refusal) -> [UInt8] {
    throw Refusal(.damaged, reason)
  }
}
