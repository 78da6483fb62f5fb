import Archive
import Primitives

/// What lies on the disk for a part of a file: the part itself, or its ciphertext where archives are encrypted.
struct PartSealer {
  private let cipher: SegmentCipher?
  private var random = RandomSource.system

  /// - Parameter cipher: The incident's; nil leaves parts as they are.
  init(_ cipher: SegmentCipher?) {
    self.cipher = cipher
  }

  mutating func stored(_ part: Int, of path: ArchivePath, _ bytes: [UInt8]) throws(DiskError) -> [UInt8] {
    guard let cipher else { return bytes }
    do throws(EnvelopeError) {
      return try cipher.seal(part: part, of: path, bytes, random: &random)
    } catch {
      throw DiskError(.failed, error.text)
    }
  }
}
