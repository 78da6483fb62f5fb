/// Why bytes are no STUN message that we accept.
package enum STUNError: Error, Hashable, Sendable {
  /// Not a STUN header: too short, the two top bits or the magic cookie are wrong (RFC 8489 §5).
  case notSTUN
  /// The header's length is not what arrived, or no multiple of four.
  case wrongLength
  /// An attribute reaches past the end of the message.
  case truncatedAttribute(type: UInt16)
  /// The value of a known attribute does not follow its format.
  case malformedAttribute(type: UInt16)
  /// More than ``STUNMessage/maximumAttributeCount`` attributes.
  case tooManyAttributes
  /// FINGERPRINT is present and wrong, so this is probably another protocol's packet (RFC 8489 §14.7).
  case wrongFingerprint
}
