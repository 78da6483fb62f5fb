import COpenSSL

/// Message digests by OpenSSL.
package enum Digest {
  package static func sha256(_ message: [UInt8]) -> [UInt8] { digest(message, EVP_sha256()) }

  /// MD5, only for STUN's long-term keys (RFC 8489 §9.2.2).
  package static func md5(_ message: [UInt8]) -> [UInt8] { digest(message, EVP_md5()) }

  private static func digest(_ message: [UInt8], _ kind: OpaquePointer?) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    let status = EVP_Digest(message, message.count, &output, &length, kind, nil)
    precondition(status == 1, "EVP_Digest failed: the OpenSSL provider lacks the digest")
    return Array(output.prefix(Int(length)))
  }
}
