import Primitives

extension STUNMessage {
  /// Parses one whole message.
  ///
  /// A FINGERPRINT, where present, is checked; integrity is not, because the key depends on
  /// the user name: see ``integrity(key:in:)``.
  package init(parsing bytes: UnsafeRawBufferPointer) throws(STUNError) {
    guard bytes.count >= Self.headerLength, bytes[0] < 0x40 else { throw .notSTUN }
    guard UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)) == Self.magicCookie else {
      throw .notSTUN
    }
    guard Self.isSTUN(bytes) else { throw .wrongLength }

    let type = UInt16(bigEndian: bytes.loadUnaligned(as: UInt16.self))
    let classBits = (type >> 7 & 0b10) | (type >> 4 & 0b01)
    guard let messageClass = STUNClass(rawValue: UInt8(truncatingIfNeeded: classBits)) else { throw .notSTUN }
    self.init(
      messageClass, STUNMethod(rawValue: (type >> 2 & 0xf80) | (type >> 1 & 0x070) | (type & 0x00f)),
      transactionID: STUNTransactionID(parsingHeader: bytes))
    try parseAttributes(bytes)
  }

  /// The value of USERNAME without parsing the rest, for finding the session that a request is for.
  ///
  /// Nil when there is none, or when the bytes are no STUN message.
  package static func peekUsername(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard isSTUN(bytes) else { return nil }
    var walk = STUNAttributeWalk(bytes)
    while let raw = try? walk.next() {
      guard raw.type == STUNAttributeType.username else { continue }
      guard raw.value.count <= STUNAttribute.maximumUsernameLength else { return nil }
      return String(validating: raw.value, as: UTF8.self)
    }
    return nil
  }

  private mutating func parseAttributes(_ bytes: UnsafeRawBufferPointer) throws(STUNError) {
    var walk = STUNAttributeWalk(bytes)
    while let raw = try walk.next() {
      guard !hasFingerprint else { break }  // FINGERPRINT is the last attribute
      switch raw.type {
      case STUNAttributeType.fingerprint:
        try checkFingerprint(raw, in: bytes)
        hasFingerprint = true
      case STUNAttributeType.messageIntegritySHA256 where integrityPositions.sha256 == nil:
        integrityPositions.sha256 = raw.offset
      case STUNAttributeType.messageIntegrity where integrityPositions == STUNIntegrityPositions():
        integrityPositions.sha1 = raw.offset
      default:
        // What follows the integrity attribute is unprotected and therefore ignored (RFC 8489 §14.5).
        guard integrityPositions == STUNIntegrityPositions() else { continue }
        attributes.append(try STUNAttribute(parsing: raw, transactionID: transactionID))
      }
    }
  }

  private func checkFingerprint(_ raw: STUNRawAttribute, in bytes: UnsafeRawBufferPointer) throws(STUNError) {
    guard raw.value.count == 4 else { throw .malformedAttribute(type: raw.type) }
    let expected = STUNFingerprint.value(of: UnsafeRawBufferPointer(rebasing: bytes[..<raw.offset]))
    guard UInt32(bigEndian: raw.value.loadUnaligned(as: UInt32.self)) == expected else { throw .wrongFingerprint }
  }
}

extension STUNTransactionID {
  /// Reads bytes 8 to 19; the caller has checked that they are there.
  fileprivate init(parsingHeader bytes: UnsafeRawBufferPointer) {
    high = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
  }
}

/// One attribute as it stands on the wire, in the message's own memory.
struct STUNRawAttribute {
  let type: UInt16
  /// Offset of the type field in the message.
  let offset: Int
  let value: UnsafeRawBufferPointer
}

/// Steps over a message's attributes, never past its end and never past the named limit.
struct STUNAttributeWalk {
  private let bytes: UnsafeRawBufferPointer
  private var offset = STUNMessage.headerLength
  private var count = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// The next attribute, nil at the end.
  mutating func next() throws(STUNError) -> STUNRawAttribute? {
    guard offset < bytes.count else { return nil }
    guard count < STUNMessage.maximumAttributeCount else { throw .tooManyAttributes }
    guard offset + 4 <= bytes.count else { throw .truncatedAttribute(type: 0) }
    let type = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    let length = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)))
    let padded = (length + 3) & ~3
    guard offset + 4 + padded <= bytes.count else { throw .truncatedAttribute(type: type) }
    let value = UnsafeRawBufferPointer(rebasing: bytes[(offset + 4)..<(offset + 4 + length)])
    defer {
      offset += 4 + padded
      count += 1
    }
    return STUNRawAttribute(type: type, offset: offset, value: value)
  }
}
