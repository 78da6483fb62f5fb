/// One direction's master key and salt, as DTLS exports them (RFC 5764 §4.2).
///
/// It prints without its secrets.
package struct SRTPKeys: Sendable, CustomStringConvertible, CustomReflectable {
  package let masterKey: [UInt8]
  package let masterSalt: [UInt8]

  package init(masterKey: [UInt8], masterSalt: [UInt8]) {
    self.masterKey = masterKey
    self.masterSalt = masterSalt
  }

  package var description: String { "SRTPKeys(\(masterKey.count)+\(masterSalt.count) secret bytes)" }
  package var customMirror: Mirror { Mirror(self, children: []) }

  /// Throws unless both lengths are the profile's.
  func validate(for profile: SRTPProfile) throws(SRTPError) {
    guard masterKey.count == profile.keyLength, masterSalt.count == profile.saltLength else {
      throw SRTPError(
        .invalidKeyLength,
        "\(profile) takes a \(profile.keyLength)-byte key and a \(profile.saltLength)-byte salt, "
          + "not \(masterKey.count) and \(masterSalt.count)")
    }
  }
}

/// The keys that protect one direction's packets of one kind, RTP or RTCP (RFC 3711 §4.3).
///
/// It prints without its secrets.
package struct SRTPSessionKeys: Sendable, CustomStringConvertible, CustomReflectable {
  package let encryptionKey: [UInt8]
  /// Empty for an AEAD profile.
  package let authenticationKey: [UInt8]
  package let salt: [UInt8]

  package init(encryptionKey: [UInt8], authenticationKey: [UInt8] = [], salt: [UInt8]) {
    self.encryptionKey = encryptionKey
    self.authenticationKey = authenticationKey
    self.salt = salt
  }

  package var description: String { "SRTPSessionKeys(\(encryptionKey.count) secret bytes)" }
  package var customMirror: Mirror { Mirror(self, children: []) }

  /// Throws unless all three lengths are the profile's.
  func validate(for profile: SRTPProfile) throws(SRTPError) {
    let authenticationLength = profile.isAEAD ? 0 : SRTPKeyDerivation.authenticationKeyLength
    guard encryptionKey.count == profile.keyLength, authenticationKey.count == authenticationLength,
      salt.count == profile.saltLength
    else { throw SRTPError(.invalidKeyLength, "\(profile) takes session keys of other lengths") }
  }
}
