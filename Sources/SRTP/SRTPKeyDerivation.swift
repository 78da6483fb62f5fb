import COpenSSL

/// Derives session keys from a master key by AES in counter mode, with a key derivation rate of 0
/// (RFC 3711 §4.3.1, §4.3.3; RFC 6188 §3 for 256 bits; RFC 7714 §11 for AEAD).
package enum SRTPKeyDerivation {
  /// What a derived key is for (RFC 3711 §4.3.1, §4.3.2).
  package enum Label: UInt8, Sendable {
    case rtpEncryption = 0
    case rtpAuthentication = 1
    case rtpSalt = 2
    case rtcpEncryption = 3
    case rtcpAuthentication = 4
    case rtcpSalt = 5
  }

  /// Bytes of an HMAC-SHA1 key (RFC 3711 §5.2).
  static let authenticationKeyLength = 20

  /// `length` bytes for `label`.
  ///
  /// An AEAD profile's 96-bit salt is padded with zeros to 112 bits.
  package static func derive(_ label: Label, from keys: SRTPKeys, length: Int) throws(SRTPError) -> [UInt8] {
    var counter = keys.masterSalt + [UInt8](repeating: 0, count: max(0, 16 - keys.masterSalt.count))
    counter[7] ^= label.rawValue
    let cipher = keys.masterKey.count == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr()
    let context = EVP_CIPHER_CTX_new()
    defer { EVP_CIPHER_CTX_free(context) }
    let zeros = [UInt8](repeating: 0, count: length)
    var output = zeros
    var written: Int32 = 0
    guard EVP_EncryptInit_ex(context, cipher, nil, keys.masterKey, counter) == 1,
      EVP_EncryptUpdate(context, &output, &written, zeros, Int32(length)) == 1, Int(written) == length
    else { throw SRTPError(.cryptographyUnavailable, "OpenSSL's provider lacks AES in counter mode") }
    return output
  }

  /// The session keys of both packet kinds.
  static func sessionKeys(
    from keys: SRTPKeys, for profile: SRTPProfile
  ) throws(SRTPError) -> (rtp: SRTPSessionKeys, rtcp: SRTPSessionKeys) {
    try keys.validate(for: profile)
    return (
      rtp: try sessionKeys(from: keys, for: profile, .rtpEncryption, .rtpAuthentication, .rtpSalt),
      rtcp: try sessionKeys(from: keys, for: profile, .rtcpEncryption, .rtcpAuthentication, .rtcpSalt)
    )
  }

  private static func sessionKeys(
    from keys: SRTPKeys, for profile: SRTPProfile, _ encryption: Label, _ authentication: Label, _ salt: Label
  ) throws(SRTPError) -> SRTPSessionKeys {
    let authenticationKeyLength = profile.isAEAD ? 0 : Self.authenticationKeyLength
    return SRTPSessionKeys(
      encryptionKey: try derive(encryption, from: keys, length: profile.keyLength),
      authenticationKey: try derive(authentication, from: keys, length: authenticationKeyLength),
      salt: try derive(salt, from: keys, length: profile.saltLength))
  }
}
