/// An SRTP protection profile that DTLS can negotiate (RFC 5764 §4.1.2, RFC 7714 §14.2); the raw value is its number.
package enum DTLSSRTPProfile: UInt16, Hashable, Sendable, CaseIterable {
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case aes128CMHMACSHA1_80 = 0x0001
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case aes128CMHMACSHA1_32 = 0x0002
  case aeadAES128GCM = 0x0007
  case aeadAES256GCM = 0x0008

  /// What we offer and choose from, best first: AEAD before CM, and 128 bits before 256 because they cost less.
  package static let preferred: [DTLSSRTPProfile] = [
    .aeadAES128GCM, .aeadAES256GCM, .aes128CMHMACSHA1_80, .aes128CMHMACSHA1_32,
  ]

  /// Length of one side's master key in bytes.
  package var keyLength: Int {
    switch self {
    case .aes128CMHMACSHA1_80, .aes128CMHMACSHA1_32, .aeadAES128GCM: 16
    case .aeadAES256GCM: 32
    }
  }

  /// Length of one side's master salt in bytes.
  package var saltLength: Int {
    switch self {
    case .aes128CMHMACSHA1_80, .aes128CMHMACSHA1_32: 14
    case .aeadAES128GCM, .aeadAES256GCM: 12
    }
  }

  /// The name by which OpenSSL knows the profile.
  package var openSSLName: String {
    switch self {
    case .aes128CMHMACSHA1_80: "SRTP_AES128_CM_SHA1_80"
    case .aes128CMHMACSHA1_32: "SRTP_AES128_CM_SHA1_32"
    case .aeadAES128GCM: "SRTP_AEAD_AES_128_GCM"
    case .aeadAES256GCM: "SRTP_AEAD_AES_256_GCM"
    }
  }
}

/// What a finished handshake hands to SRTP: the profile and both sides' master keys and salts (RFC 5764 §4.2).
package struct DTLSSRTPParameters: Hashable, Sendable {
  package let profile: DTLSSRTPProfile
  /// Master key for what the DTLS client sends.
  package let clientWriteKey: [UInt8]
  /// Master key for what the DTLS server sends.
  package let serverWriteKey: [UInt8]
  package let clientSalt: [UInt8]
  package let serverSalt: [UInt8]

  /// The profile's number in the registry.
  package var profileID: UInt16 { profile.rawValue }

  /// Bytes of keying material that `profile` takes from the exporter.
  static func materialLength(for profile: DTLSSRTPProfile) -> Int {
    2 * (profile.keyLength + profile.saltLength)
  }

  /// Cuts exported keying material in the order client key, server key, client salt, server salt.
  package init?(profile: DTLSSRTPProfile, material: [UInt8]) {
    guard material.count == Self.materialLength(for: profile) else { return nil }
    let (key, salt) = (profile.keyLength, profile.saltLength)
    self.profile = profile
    clientWriteKey = Array(material[0..<key])
    serverWriteKey = Array(material[key..<(2 * key)])
    clientSalt = Array(material[(2 * key)..<(2 * key + salt)])
    serverSalt = Array(material[(2 * key + salt)...])
  }
}

extension DTLSSRTPParameters: CustomStringConvertible, CustomDebugStringConvertible {
  /// The profile only: keys never reach a log by way of string interpolation.
  package var description: String { "DTLSSRTPParameters(\(profile), keys withheld)" }

  package var debugDescription: String { description }
}
