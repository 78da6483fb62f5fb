import COpenSSL

/// SHA-256 of what comes in pieces: files that are too long to be held at once.
///
/// One thread at a time uses it.
package final class RunningDigest {
  private let context: OpaquePointer?

  package init() {
    context = EVP_MD_CTX_new()
    precondition(
      EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "EVP_DigestInit failed: the OpenSSL provider lacks SHA-256")
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  package func append(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    precondition(EVP_DigestUpdate(context, base, bytes.count) == 1, "EVP_DigestUpdate failed")
  }

  package func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// The 32 bytes of the hash; nothing may be appended any more.
  package func finish() -> [UInt8] {
    var output = [UInt8](repeating: 0, count: 32)
    precondition(EVP_DigestFinal_ex(context, &output, nil) == 1, "EVP_DigestFinal failed")
    return output
  }
}
