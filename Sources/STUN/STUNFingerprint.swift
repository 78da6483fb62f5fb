/// FINGERPRINT's value: CRC-32 of what comes before it, XORed with a constant (RFC 8489 §14.7).
enum STUNFingerprint {
  private static let mask: UInt32 = 0x5354_554e

  /// The value for a FINGERPRINT that follows `message`, whose header already counts it.
  static func value(of message: UnsafeRawBufferPointer) -> UInt32 {
    var checksum: UInt32 = .max
    for byte in message {
      checksum = checksum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: checksum) ^ byte)]
    }
    return ~checksum ^ mask
  }

  /// CRC-32 with the reflected polynomial of ITU V.42, a byte at a time.
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
  }
}
