import COpenSSL

/// SHA-256 of something that comes in pieces.
package final class StreamingDigest {
  private let context: OpaquePointer?

  package init() {
    context = EVP_MD_CTX_new()
    let status = EVP_DigestInit_ex(context, EVP_sha256(), nil)
    precondition(status == 1, "EVP_DigestInit_ex failed: the OpenSSL provider lacks SHA-256")
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  /// Takes the next piece.
  package func update(_ bytes: some Collection<UInt8>) {
    let status = bytes.withContiguousStorageIfAvailable { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    if let status {
      precondition(status == 1, "EVP_DigestUpdate failed")
    } else {
      update(Array(bytes))
    }
  }

  /// The 32-byte digest of all pieces; the next piece begins anew.
  package func finish() -> [UInt8] {
    var output = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let status = EVP_DigestFinal_ex(context, &output, &length)
    precondition(status == 1 && length == 32, "EVP_DigestFinal_ex failed")
    precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "EVP_DigestInit_ex failed")
    return output
  }
}
