import Primitives

/// A STUN message (RFC 8489 §5): a class, a method, a transaction and its attributes.
///
/// Integrity attributes and FINGERPRINT are no part of ``attributes``: parsing notes where they stand, serializing
/// appends them. Attributes that follow the integrity attribute are dropped, as RFC 8489 §14.5 wants it.
package struct STUNMessage: Hashable, Sendable {
  package var messageClass: STUNClass
  package var method: STUNMethod
  package var transactionID: STUNTransactionID
  package var attributes: [STUNAttribute]
  /// Where the integrity attributes stand in the bytes that this message was parsed from.
  package internal(set) var integrityPositions = STUNIntegrityPositions()
  /// Whether the bytes carried a FINGERPRINT; a wrong one never gets this far.
  package internal(set) var hasFingerprint = false

  /// Bytes of the header.
  package static let headerLength = 20
  /// The constant in the header's second word (RFC 8489 §5).
  package static let magicCookie: UInt32 = 0x2112_a442
  /// Attributes accepted in one message; a message with more is refused.
  ///
  /// ICE and TURN need about ten.
  package static let maximumAttributeCount = 32

  package init(
    _ messageClass: STUNClass, _ method: STUNMethod, transactionID: STUNTransactionID,
    attributes: [STUNAttribute] = []
  ) {
    self.messageClass = messageClass
    self.method = method
    self.transactionID = transactionID
    self.attributes = attributes
  }

  /// Whether `bytes` look like one STUN message: leading bits, cookie and length agree (RFC 8489 §5, RFC 7983 §7).
  package static func isSTUN(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= headerLength, bytes[0] < 0x40, bytes.count % 4 == 0 else { return false }
    let length = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    let cookie = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    return cookie == magicCookie && Int(length) == bytes.count - headerLength
  }

  /// Types of the comprehension-required attributes that this module does not know (RFC 8489 §6.3).
  package var unknownRequiredAttributes: [UInt16] {
    attributes.compactMap { attribute in
      guard case .unknown(let type, _) = attribute, type < 0x8000 else { return nil }
      return type
    }
  }
}

/// What a message is for (RFC 8489 §5).
package enum STUNClass: UInt8, Hashable, Sendable {
  case request = 0
  case indication = 1
  case success = 2
  case error = 3
}

/// A 12-bit method (RFC 8489 §18.2, RFC 8656 §17).
package struct STUNMethod: Hashable, Sendable, RawRepresentable {
  package let rawValue: UInt16

  /// Keeps the lower twelve bits.
  package init(rawValue: UInt16) {
    self.rawValue = rawValue & 0x0fff
  }

  package static let binding = STUNMethod(rawValue: 0x001)
  package static let allocate = STUNMethod(rawValue: 0x003)
  package static let refresh = STUNMethod(rawValue: 0x004)
  package static let send = STUNMethod(rawValue: 0x006)
  package static let data = STUNMethod(rawValue: 0x007)
  package static let createPermission = STUNMethod(rawValue: 0x008)
  package static let channelBind = STUNMethod(rawValue: 0x009)
}

/// The 96 bits that tie a response to its request (RFC 8489 §5), held as words so that they hash and copy cheaply.
package struct STUNTransactionID: Hashable, Sendable {
  package let high: UInt32
  package let low: UInt64

  package init(high: UInt32, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A fresh random transaction.
  package init(using random: inout RandomSource) {
    high = UInt32(truncatingIfNeeded: random.next() >> 32)
    low = random.next()
  }
}

/// Offsets of the integrity attributes within a parsed message.
package struct STUNIntegrityPositions: Hashable, Sendable {
  /// Offset of MESSAGE-INTEGRITY's type field.
  package internal(set) var sha1: Int?
  /// Offset of MESSAGE-INTEGRITY-SHA256's type field.
  package internal(set) var sha256: Int?
}
