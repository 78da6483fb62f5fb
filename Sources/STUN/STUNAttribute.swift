import Primitives

/// A typed attribute (RFC 8489 §14, RFC 8445 §16.1, RFC 8656 §18).
///
/// Integrity attributes and FINGERPRINT are not among them, see ``STUNMessage``.
package enum STUNAttribute: Hashable, Sendable {
  case mappedAddress(TransportAddress)
  case xorMappedAddress(TransportAddress)
  case alternateServer(TransportAddress)
  case username(String)
  /// SHA-256 of the user name and realm (RFC 8489 §14.4).
  case userHash([UInt8])
  case realm(String)
  case nonce(String)
  case software(String)
  case errorCode(STUNErrorCode)
  case unknownAttributes([UInt16])

  /// The priority that a peer-reflexive candidate learned from this check gets (RFC 8445 §7.1.1).
  case priority(UInt32)
  case useCandidate
  /// Carries the sender's tie-breaker (RFC 8445 §7.1.3).
  case iceControlled(UInt64)
  /// Carries the sender's tie-breaker (RFC 8445 §7.1.3).
  case iceControlling(UInt64)

  case channelNumber(UInt16)
  /// Seconds (RFC 8656 §18.2).
  case lifetime(UInt32)
  case xorPeerAddress(TransportAddress)
  case xorRelayedAddress(TransportAddress)
  case data([UInt8])
  case requestedAddressFamily(IPAddress.Family)
  /// An IP protocol number, 17 for UDP (RFC 8656 §18.8).
  case requestedTransport(UInt8)
  case dontFragment
  case reservationToken(UInt64)

  /// Any other attribute; below 0x8000 the receiver would have had to understand it.
  case unknown(type: UInt16, value: [UInt8])
}

/// ERROR-CODE's number and text (RFC 8489 §14.8).
package struct STUNErrorCode: Hashable, Sendable {
  /// 300 to 699.
  package let code: UInt16
  package let reason: String

  package init(_ code: UInt16, _ reason: String) {
    self.code = code
    self.reason = reason
  }

  package static let badRequest = STUNErrorCode(400, "Bad Request")
  package static let unauthenticated = STUNErrorCode(401, "Unauthenticated")
  package static let unknownAttribute = STUNErrorCode(420, "Unknown Attribute")
  package static let staleNonce = STUNErrorCode(438, "Stale Nonce")
  package static let roleConflict = STUNErrorCode(487, "Role Conflict")
}

/// Attribute type numbers (RFC 8489 §18.3, RFC 8445 §21.2, RFC 8656 §18).
enum STUNAttributeType {
  static let mappedAddress: UInt16 = 0x0001
  static let username: UInt16 = 0x0006
  static let messageIntegrity: UInt16 = 0x0008
  static let errorCode: UInt16 = 0x0009
  static let unknownAttributes: UInt16 = 0x000a
  static let channelNumber: UInt16 = 0x000c
  static let lifetime: UInt16 = 0x000d
  static let xorPeerAddress: UInt16 = 0x0012
  static let data: UInt16 = 0x0013
  static let realm: UInt16 = 0x0014
  static let nonce: UInt16 = 0x0015
  static let xorRelayedAddress: UInt16 = 0x0016
  static let requestedAddressFamily: UInt16 = 0x0017
  static let requestedTransport: UInt16 = 0x0019
  static let dontFragment: UInt16 = 0x001a
  static let messageIntegritySHA256: UInt16 = 0x001c
  static let userHash: UInt16 = 0x001e
  static let xorMappedAddress: UInt16 = 0x0020
  static let reservationToken: UInt16 = 0x0022
  static let priority: UInt16 = 0x0024
  static let useCandidate: UInt16 = 0x0025
  static let software: UInt16 = 0x8022
  static let alternateServer: UInt16 = 0x8023
  static let fingerprint: UInt16 = 0x8028
  static let iceControlled: UInt16 = 0x8029
  static let iceControlling: UInt16 = 0x802a
}
