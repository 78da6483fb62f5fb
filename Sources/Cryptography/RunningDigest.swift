import COpenSSL

/// SHA-256 of what comes piece by piece, so that large files need no memory.
package struct RunningDigest: ~Copyable {
  private let context: OpaquePointer

  package init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("EVP_DigestInit_ex failed: the OpenSSL provider lacks SHA-256")
    }
    self.context = context
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  /// Takes the next piece in.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    precondition(status == 1, "EVP_DigestUpdate failed")
  }

  /// The digest of all pieces, 32 bytes.
  package consuming func finish() -> [UInt8] {
    var output = [UInt8](repeating: 0, count: 32)
    let status = EVP_DigestFinal_ex(context, &output, nil)
    precondition(status == 1, "EVP_DigestFinal_ex failed")
    return output
  }
}
