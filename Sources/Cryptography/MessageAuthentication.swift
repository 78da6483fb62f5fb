import COpenSSL

/// Keyed-hash message authentication codes (RFC 2104) by OpenSSL.
package enum MessageAuthentication {
  /// 20 bytes.
  package static func hmacSHA1(key: [UInt8], message: UnsafeRawBufferPointer) -> [UInt8] {
    hmac(key, message, EVP_sha1())
  }

  /// 32 bytes.
  package static func hmacSHA256(key: [UInt8], message: UnsafeRawBufferPointer) -> [UInt8] {
    hmac(key, message, EVP_sha256())
  }

  /// Compares in a time that does not depend on where the two differ.
  package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return CRYPTO_memcmp(left, right, left.count) == 0
  }

  private static func hmac(_ key: [UInt8], _ message: UnsafeRawBufferPointer, _ kind: OpaquePointer?) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    let bytes = message.assumingMemoryBound(to: UInt8.self).baseAddress
    let result = HMAC(kind, key, Int32(key.count), bytes, message.count, &output, &length)
    precondition(result != nil, "HMAC failed: the OpenSSL provider lacks the digest")
    return Array(output.prefix(Int(length)))
  }
}
