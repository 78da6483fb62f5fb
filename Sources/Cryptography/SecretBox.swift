import COpenSSL
import Primitives

/// Keeps small secrets encrypted where they are stored: AES-256-GCM (NIST SP 800-38D) with a random nonce.
package struct SecretBox: Sendable {
  private let key: [UInt8]

  /// Bytes of the key.
  package static let keyLength = 32
  private static let nonceLength = 12
  private static let tagLength = 16

  /// Nil unless `key` has ``keyLength`` bytes.
  package init?(key: [UInt8]) {
    guard key.count == Self.keyLength else { return nil }
    self.key = key
  }

  /// Nonce, ciphertext and tag; `context` has to be the same when it is opened.
  package func seal(_ plaintext: [UInt8], context: String, random: inout RandomSource) -> [UInt8] {
    let nonce = random.bytes(Self.nonceLength)
    let sealed = run(encrypting: true, plaintext, nonce: nonce, context: context, tag: nil)
    guard let sealed else { preconditionFailure("the OpenSSL provider lacks AES-256-GCM") }
    return nonce + sealed
  }

  /// Nil when it was sealed with another key or context, or changed since.
  package func open(_ sealed: [UInt8], context: String) -> [UInt8]? {
    guard sealed.count >= Self.nonceLength + Self.tagLength else { return nil }
    let body = sealed[Self.nonceLength..<sealed.count - Self.tagLength]
    return run(
      encrypting: false, Array(body), nonce: Array(sealed.prefix(Self.nonceLength)), context: context,
      tag: Array(sealed.suffix(Self.tagLength)))
  }

  private func run(
    encrypting: Bool, _ input: [UInt8], nonce: [UInt8], context: String, tag: [UInt8]?
  ) -> [UInt8]? {
    let cipher = EVP_CIPHER_CTX_new()
    defer { EVP_CIPHER_CTX_free(cipher) }
    guard EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce, encrypting ? 1 : 0) == 1 else { return nil }
    let associated = Array(context.utf8)
    var output = [UInt8](repeating: 0, count: input.count + 16)
    var length: Int32 = 0
    var rest: Int32 = 0
    guard EVP_CipherUpdate(cipher, nil, &length, associated, Int32(associated.count)) == 1,
      EVP_CipherUpdate(cipher, &output, &length, input, Int32(input.count)) == 1
    else { return nil }
    if var tag {
      guard EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1 else { return nil }
    }
    guard EVP_CipherFinal_ex(cipher, &output[Int(length)], &rest) == 1 else { return nil }
    let text = Array(output.prefix(Int(length + rest)))
    guard encrypting else { return text }
    var made = [UInt8](repeating: 0, count: Self.tagLength)
    guard EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, Int32(made.count), &made) == 1 else { return nil }
    return text + made
  }
}
