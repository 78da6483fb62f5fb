import COpenSSL

/// An Ed25519 signing key (RFC 8032), as JWS's EdDSA uses it (RFC 8037).
package final class Ed25519PrivateKey: Sendable {
  /// OpenSSL's key object is immutable once made and reference-counted with atomics, so that threads may share it.
  private nonisolated(unsafe) let handle: OpaquePointer

  /// Bytes of a seed.
  package static let seedLength = 32

  /// From a 32-byte seed; nil for another length.
  package init?(seed: [UInt8]) {
    guard seed.count == Self.seedLength,
      let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
    else { return nil }
    handle = key
  }

  deinit {
    EVP_PKEY_free(handle)
  }

  /// The 32-byte public key.
  package var publicKey: Ed25519PublicKey {
    var bytes = [UInt8](repeating: 0, count: Ed25519PublicKey.length)
    var length = bytes.count
    let status = EVP_PKEY_get_raw_public_key(handle, &bytes, &length)
    precondition(status == 1 && length == bytes.count, "an Ed25519 key without a public half")
    return Ed25519PublicKey(validated: bytes)
  }

  /// The 64-byte signature of `message`.
  package func sign(_ message: [UInt8]) -> [UInt8] {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var signature = [UInt8](repeating: 0, count: 64)
    var length = signature.count
    let ready = EVP_DigestSignInit(context, nil, nil, nil, handle)
    let status = ready == 1 ? EVP_DigestSign(context, &signature, &length, message, message.count) : 0
    precondition(status == 1 && length == 64, "EVP_DigestSign failed: the OpenSSL provider lacks Ed25519")
    return signature
  }
}

/// An Ed25519 public key.
package struct Ed25519PublicKey: Hashable, Sendable {
  package let bytes: [UInt8]

  package static let length = 32

  /// Nil unless `bytes` are 32 bytes.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.length else { return nil }
    self.bytes = bytes
  }

  fileprivate init(validated bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Whether `signature` is this key's signature of `message`.
  package func isValid(signature: [UInt8], of message: [UInt8]) -> Bool {
    guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else { return false }
    defer { EVP_PKEY_free(key) }
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
    return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }
}
