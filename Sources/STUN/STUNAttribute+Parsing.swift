import Primitives

extension STUNAttribute {
  /// Longest USERNAME, in bytes (RFC 8489 §14.3: fewer than 509).
  package static let maximumUsernameLength = 508
  /// Longest REALM, NONCE, SOFTWARE or reason phrase, in bytes (RFC 8489 §14.8 to §14.10).
  package static let maximumTextLength = 763

  init(parsing raw: STUNRawAttribute, transactionID: STUNTransactionID) throws(STUNError) {
    if let address = try Self.parseAddressAttribute(raw, transactionID) {
      self = address
    } else if let text = try Self.parseTextAttribute(raw) {
      self = text
    } else if let number = try Self.parseNumberAttribute(raw) {
      self = number
    } else {
      self = .unknown(type: raw.type, value: Array(raw.value))
    }
  }

  private static func parseAddressAttribute(
    _ raw: STUNRawAttribute, _ transactionID: STUNTransactionID
  ) throws(STUNError) -> STUNAttribute? {
    switch raw.type {
    case STUNAttributeType.mappedAddress: .mappedAddress(try raw.address(mask: nil))
    case STUNAttributeType.alternateServer: .alternateServer(try raw.address(mask: nil))
    case STUNAttributeType.xorMappedAddress: .xorMappedAddress(try raw.address(mask: transactionID))
    case STUNAttributeType.xorPeerAddress: .xorPeerAddress(try raw.address(mask: transactionID))
    case STUNAttributeType.xorRelayedAddress: .xorRelayedAddress(try raw.address(mask: transactionID))
    default: nil
    }
  }

  private static func parseTextAttribute(_ raw: STUNRawAttribute) throws(STUNError) -> STUNAttribute? {
    switch raw.type {
    case STUNAttributeType.username: .username(try raw.text(maximum: maximumUsernameLength))
    case STUNAttributeType.realm: .realm(try raw.text(maximum: maximumTextLength))
    case STUNAttributeType.nonce: .nonce(try raw.text(maximum: maximumTextLength))
    case STUNAttributeType.software: .software(try raw.text(maximum: maximumTextLength))
    case STUNAttributeType.errorCode: .errorCode(try raw.errorCode())
    default: nil
    }
  }

  private static func parseNumberAttribute(_ raw: STUNRawAttribute) throws(STUNError) -> STUNAttribute? {
    switch raw.type {
    case STUNAttributeType.userHash: .userHash(Array(try raw.exactly(32)))
    case STUNAttributeType.data: .data(Array(raw.value))
    case STUNAttributeType.unknownAttributes: .unknownAttributes(try raw.words())
    case STUNAttributeType.priority: .priority(UInt32(truncatingIfNeeded: try raw.integer(bytes: 4)))
    case STUNAttributeType.useCandidate: try raw.flag(.useCandidate)
    case STUNAttributeType.dontFragment: try raw.flag(.dontFragment)
    case STUNAttributeType.iceControlled: .iceControlled(try raw.integer(bytes: 8))
    case STUNAttributeType.iceControlling: .iceControlling(try raw.integer(bytes: 8))
    case STUNAttributeType.channelNumber: .channelNumber(UInt16(truncatingIfNeeded: try raw.integer(bytes: 4) >> 16))
    case STUNAttributeType.lifetime: .lifetime(UInt32(truncatingIfNeeded: try raw.integer(bytes: 4)))
    case STUNAttributeType.requestedAddressFamily: .requestedAddressFamily(try raw.family())
    case STUNAttributeType.requestedTransport:
      .requestedTransport(UInt8(truncatingIfNeeded: try raw.integer(bytes: 4) >> 24))
    case STUNAttributeType.reservationToken: .reservationToken(try raw.integer(bytes: 8))
    default: nil
    }
  }
}

extension STUNRawAttribute {
  /// The value, when it has that many bytes.
  fileprivate func exactly(_ count: Int) throws(STUNError) -> UnsafeRawBufferPointer {
    guard value.count == count else { throw .malformedAttribute(type: type) }
    return value
  }

  fileprivate func integer(bytes count: Int) throws(STUNError) -> UInt64 {
    try exactly(count).reduce(0) { $0 << 8 | UInt64($1) }
  }

  fileprivate func flag(_ attribute: STUNAttribute) throws(STUNError) -> STUNAttribute {
    _ = try exactly(0)
    return attribute
  }

  fileprivate func words() throws(STUNError) -> [UInt16] {
    guard value.count % 2 == 0 else { throw .malformedAttribute(type: type) }
    return stride(from: 0, to: value.count, by: 2).map { UInt16(value[$0]) << 8 | UInt16(value[$0 + 1]) }
  }

  fileprivate func text(maximum: Int) throws(STUNError) -> String {
    guard value.count <= maximum, let text = String(validating: value, as: UTF8.self) else {
      throw .malformedAttribute(type: type)
    }
    return text
  }

  /// Class 3 to 6 and number 0 to 99 (RFC 8489 §14.8).
  fileprivate func errorCode() throws(STUNError) -> STUNErrorCode {
    guard value.count >= 4, value.count - 4 <= STUNAttribute.maximumTextLength else {
      throw .malformedAttribute(type: type)
    }
    let hundreds = UInt16(value[2] & 7)
    let rest = UInt16(value[3])
    guard (3...6).contains(hundreds), rest < 100 else { throw .malformedAttribute(type: type) }
    return STUNErrorCode(hundreds * 100 + rest, String(decoding: value[4...], as: UTF8.self))
  }

  fileprivate func family() throws(STUNError) -> IPAddress.Family {
    switch try exactly(4)[0] {
    case STUNAddressFamily.v4: .v4
    case STUNAddressFamily.v6: .v6
    default: throw .malformedAttribute(type: type)
    }
  }

  /// An address, plain or with `mask`'s transaction and the cookie XORed in (RFC 8489 §14.1 and §14.2).
  fileprivate func address(mask: STUNTransactionID?) throws(STUNError) -> TransportAddress {
    guard value.count >= 8 else { throw .malformedAttribute(type: type) }
    let cookie = mask == nil ? 0 : STUNMessage.magicCookie
    let port = UInt16(bigEndian: value.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    let plainPort = port ^ UInt16(truncatingIfNeeded: cookie >> 16)
    switch value[1] {
    case STUNAddressFamily.v4:
      let bits = UInt32(bigEndian: try exactly(8).loadUnaligned(fromByteOffset: 4, as: UInt32.self))
      return TransportAddress(ip: IPAddress(v4: bits ^ cookie), port: plainPort)
    case STUNAddressFamily.v6:
      let high = UInt64(bigEndian: try exactly(20).loadUnaligned(fromByteOffset: 4, as: UInt64.self))
      let low = UInt64(bigEndian: value.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
      let highMask = mask.map { UInt64(cookie) << 32 | UInt64($0.high) } ?? 0
      return TransportAddress(ip: IPAddress(v6High: high ^ highMask, low: low ^ (mask?.low ?? 0)), port: plainPort)
    default:
      throw .malformedAttribute(type: type)
    }
  }
}

/// Family numbers in address attributes (RFC 8489 §14.1).
enum STUNAddressFamily {
  static let v4: UInt8 = 1
  static let v6: UInt8 = 2
}
