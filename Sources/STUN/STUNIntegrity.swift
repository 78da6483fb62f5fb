import Cryptography

/// The hash behind an integrity attribute (RFC 8489 §14.5 and §14.6).
package enum STUNIntegrityAlgorithm: Hashable, Sendable {
  case sha1
  case sha256

  /// Bytes of a full code.
  var codeLength: Int {
    switch self {
    case .sha1: 20
    case .sha256: 32
    }
  }

  var attributeType: UInt16 {
    switch self {
    case .sha1: STUNAttributeType.messageIntegrity
    case .sha256: STUNAttributeType.messageIntegritySHA256
    }
  }

  func code(key: [UInt8], message: UnsafeRawBufferPointer) -> [UInt8] {
    switch self {
    case .sha1: MessageAuthentication.hmacSHA1(key: key, message: message)
    case .sha256: MessageAuthentication.hmacSHA256(key: key, message: message)
    }
  }
}

/// What a check of a message's integrity found.
package enum STUNIntegrityResult: Hashable, Sendable {
  case valid(STUNIntegrityAlgorithm)
  /// The message carries no integrity attribute.
  case missing
  case wrong
}

extension STUNMessage {
  /// Whether the bytes carried an integrity attribute, right or wrong.
  package var hasIntegrity: Bool { integrityPositions.sha1 != nil || integrityPositions.sha256 != nil }

  /// Checks the integrity attribute under `key`; with both present, the stronger one counts (RFC 8489 §9.1.3).
  ///
  /// - Parameter bytes: the very bytes that this message was parsed from.
  package func integrity(key: [UInt8], in bytes: UnsafeRawBufferPointer) -> STUNIntegrityResult {
    if let offset = integrityPositions.sha256 {
      return Self.check(.sha256, at: offset, key: key, in: bytes)
    }
    if let offset = integrityPositions.sha1 {
      return Self.check(.sha1, at: offset, key: key, in: bytes)
    }
    return .missing
  }

  /// The long-term key: MD5 of `username:realm:password` (RFC 8489 §9.2.2).
  ///
  /// The password has been through OpaqueString.
  package static func longTermKey(username: String, realm: String, password: String) -> [UInt8] {
    Digest.md5(Array("\(username):\(realm):\(password)".utf8))
  }

  private static func check(
    _ algorithm: STUNIntegrityAlgorithm, at offset: Int, key: [UInt8], in bytes: UnsafeRawBufferPointer
  ) -> STUNIntegrityResult {
    guard offset >= headerLength, offset + 4 <= bytes.count else { return .wrong }
    let length = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)))
    guard offset + 4 + length <= bytes.count, algorithm.accepts(codeLength: length) else { return .wrong }

    var covered = Array(bytes[..<offset])
    let counted = UInt16(truncatingIfNeeded: offset + 4 + length - headerLength)
    covered[2] = UInt8(truncatingIfNeeded: counted >> 8)
    covered[3] = UInt8(truncatingIfNeeded: counted)
    let expected = covered.withUnsafeBytes { algorithm.code(key: key, message: $0) }
    let received = Array(bytes[(offset + 4)..<(offset + 4 + length)])
    return MessageAuthentication.areEqual(Array(expected.prefix(length)), received) ? .valid(algorithm) : .wrong
  }
}

extension STUNIntegrityAlgorithm {
  /// Whether a code may be that long: SHA-256 codes may be cut to no less than 16 bytes (RFC 8489 §14.6).
  fileprivate func accepts(codeLength length: Int) -> Bool {
    switch self {
    case .sha1: length == codeLength
    case .sha256: length >= 16 && length <= codeLength && length % 4 == 0
    }
  }
}
