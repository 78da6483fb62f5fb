import Cryptography
import Primitives

extension STUNMessage {
  /// The message's bytes, with an integrity attribute when there is a key and FINGERPRINT when asked for.
  package func serialize(
    integrityKey: [UInt8]?, fingerprint: Bool, algorithm: STUNIntegrityAlgorithm = .sha1
  ) -> [UInt8] {
    var writer = ByteWriter(reserving: 128)
    writer.write(typeField)
    writer.write(UInt16(0))
    writer.write(Self.magicCookie)
    writer.write(transactionID.high)
    writer.write(transactionID.low)
    for attribute in attributes {
      attribute.write(to: &writer, transactionID: transactionID)
    }
    if let integrityKey {
      // The code covers everything before it, under a length that already counts it (RFC 8489 §14.5).
      writer.setLength(adding: 4 + algorithm.codeLength)
      let code = writer.bytes.withUnsafeBytes { algorithm.code(key: integrityKey, message: $0) }
      writer.write(algorithm.attributeType)
      writer.write(UInt16(code.count))
      writer.write(code)
    }
    writer.setLength(adding: fingerprint ? 8 : 0)
    if fingerprint {
      let value = writer.bytes.withUnsafeBytes { STUNFingerprint.value(of: $0) }
      writer.write(STUNAttributeType.fingerprint)
      writer.write(UInt16(4))
      writer.write(value)
    }
    return writer.bytes
  }

  /// Class and method bits interleaved (RFC 8489 §5, figure 3).
  private var typeField: UInt16 {
    let bits = UInt16(messageClass.rawValue)
    let method = method.rawValue
    return (method & 0xf80) << 2 | (method & 0x070) << 1 | (method & 0x00f) | (bits & 2) << 7 | (bits & 1) << 4
  }
}

extension ByteWriter {
  /// Sets the header's length to what follows the header, plus `extra` bytes to come.
  fileprivate mutating func setLength(adding extra: Int) {
    overwrite(UInt16(truncatingIfNeeded: count - STUNMessage.headerLength + extra), at: 2)
  }
}

extension STUNAttribute {
  /// Appends type, length, value and zero padding.
  func write(to writer: inout ByteWriter, transactionID: STUNTransactionID) {
    let (type, value) = encoded(transactionID)
    let kept = value.prefix(Self.maximumValueLength)
    writer.write(type)
    writer.write(UInt16(truncatingIfNeeded: kept.count))
    writer.write(kept)
    writer.pad(to: 4)
  }

  /// Longest value that is written, in bytes: a datagram's worth; what is longer is cut, by our own mistake only.
  private static let maximumValueLength = 1_500

  private func encoded(_ transactionID: STUNTransactionID) -> (UInt16, [UInt8]) {
    switch self {
    case .mappedAddress(let address): (STUNAttributeType.mappedAddress, address.encoded(mask: nil))
    case .alternateServer(let address): (STUNAttributeType.alternateServer, address.encoded(mask: nil))
    case .xorMappedAddress(let address): (STUNAttributeType.xorMappedAddress, address.encoded(mask: transactionID))
    case .xorPeerAddress(let address): (STUNAttributeType.xorPeerAddress, address.encoded(mask: transactionID))
    case .xorRelayedAddress(let address): (STUNAttributeType.xorRelayedAddress, address.encoded(mask: transactionID))
    case .username(let text): (STUNAttributeType.username, Array(text.utf8))
    case .userHash(let hash): (STUNAttributeType.userHash, hash)
    case .realm(let text): (STUNAttributeType.realm, Array(text.utf8))
    case .nonce(let text): (STUNAttributeType.nonce, Array(text.utf8))
    case .software(let text): (STUNAttributeType.software, Array(text.utf8))
    case .errorCode(let error): (STUNAttributeType.errorCode, error.encoded)
    case .unknownAttributes(let types): (STUNAttributeType.unknownAttributes, types.flatMap { $0.networkBytes })
    case .priority(let value): (STUNAttributeType.priority, value.networkBytes)
    case .useCandidate: (STUNAttributeType.useCandidate, [])
    case .iceControlled(let tieBreaker): (STUNAttributeType.iceControlled, tieBreaker.networkBytes)
    case .iceControlling(let tieBreaker): (STUNAttributeType.iceControlling, tieBreaker.networkBytes)
    case .channelNumber(let number): (STUNAttributeType.channelNumber, number.networkBytes + [0, 0])
    case .lifetime(let seconds): (STUNAttributeType.lifetime, seconds.networkBytes)
    case .data(let bytes): (STUNAttributeType.data, bytes)
    case .requestedAddressFamily(let family): (STUNAttributeType.requestedAddressFamily, [family.stunNumber, 0, 0, 0])
    case .requestedTransport(let number): (STUNAttributeType.requestedTransport, [number, 0, 0, 0])
    case .dontFragment: (STUNAttributeType.dontFragment, [])
    case .reservationToken(let token): (STUNAttributeType.reservationToken, token.networkBytes)
    case .unknown(let type, let value): (type, value)
    }
  }
}

extension STUNErrorCode {
  fileprivate var encoded: [UInt8] {
    [0, 0, UInt8(truncatingIfNeeded: code / 100), UInt8(truncatingIfNeeded: code % 100)] + Array(reason.utf8)
  }
}

extension IPAddress.Family {
  fileprivate var stunNumber: UInt8 {
    switch self {
    case .v4: STUNAddressFamily.v4
    case .v6: STUNAddressFamily.v6
    }
  }
}

extension TransportAddress {
  /// The value of an address attribute, XORed when there is a mask (RFC 8489 §14.1 and §14.2).
  fileprivate func encoded(mask: STUNTransactionID?) -> [UInt8] {
    let cookie = mask == nil ? 0 : STUNMessage.magicCookie
    let head = [0, ip.family.stunNumber] + (port ^ UInt16(truncatingIfNeeded: cookie >> 16)).networkBytes
    switch ip.family {
    case .v4:
      return head + (UInt32(truncatingIfNeeded: ip.low) ^ cookie).networkBytes
    case .v6:
      let highMask = mask.map { UInt64(cookie) << 32 | UInt64($0.high) } ?? 0
      return head + (ip.high ^ highMask).networkBytes + (ip.low ^ (mask?.low ?? 0)).networkBytes
    }
  }
}

extension FixedWidthInteger {
  /// Most significant byte first.
  fileprivate var networkBytes: [UInt8] {
    withUnsafeBytes(of: bigEndian) { Array($0) }
  }
}
