import Primitives

/// The header of one RTP packet and where its parts lie (RFC 3550 §5.1).
///
/// Trivial: on the packet path it lives in registers.
///
/// Offsets count from the packet's first byte. Nothing is copied out of the packet: extension values are looked up in
/// its memory with ``extensionValue(id:in:)``.
package struct RTPHeader: Equatable, Sendable {
  package var marker: Bool
  package var payloadType: PayloadType
  package var sequenceNumber: SequenceNumber
  /// In units of the payload type's clock rate.
  package var timestamp: UInt32
  package var ssrc: SSRC
  /// Contributing sources, 0 to 15.
  ///
  /// They stand right after the fixed header, 4 bytes each.
  package var csrcCount: Int
  /// The extension's "defined by profile" bits; 0 when the packet has no extension.
  package var extensionProfile: UInt16
  /// Offset of the first extension element, after the extension's own 4-byte header; 0 without an extension.
  package var extensionOffset: Int
  /// Bytes of extension elements, their padding included.
  package var extensionLength: Int
  /// Bytes before the payload: fixed header, contributing sources and extension.
  package var headerLength: Int
  /// Bytes of payload, padding excluded.
  package var payloadLength: Int
  /// Bytes of padding, the count byte included; 0 when the packet has none.
  package var paddingLength: Int

  /// Bytes of the fixed header.
  package static let fixedLength = 12

  /// Parses a packet in the clear.
  package init(parsing packet: UnsafeRawBufferPointer) throws(RTPError) {
    try self.init(parsingProtected: packet)
    guard let base = packet.baseAddress, base.uint8(at: 0) & Self.paddingBit != 0 else { return }
    // payloadLength may be 0: then the padding bit promises a count byte that is not there.
    guard payloadLength > 0 else { throw .invalidPadding }
    let padding = Int(base.uint8(at: packet.count - 1))
    guard padding > 0, padding <= payloadLength else { throw .invalidPadding }
    paddingLength = padding
    payloadLength -= padding
  }

  /// Parses the header of a packet whose payload is still encrypted.
  ///
  /// `payloadLength` then counts everything after the header: padding and its count are encrypted too (RFC 3711 §3.1).
  package init(parsingProtected packet: UnsafeRawBufferPointer) throws(RTPError) {
    guard packet.count >= Self.fixedLength, let base = packet.baseAddress else { throw .truncated }
    let first = base.uint8(at: 0)
    guard first >> 6 == 2 else { throw .unsupportedVersion }
    let second = base.uint8(at: 1)
    marker = second & 0x80 != 0
    payloadType = PayloadType(second)
    sequenceNumber = SequenceNumber(base.uint16(at: 2))
    timestamp = base.uint32(at: 4)
    ssrc = SSRC(base.uint32(at: 8))
    csrcCount = Int(first & 0x0f)
    extensionProfile = 0
    extensionOffset = 0
    extensionLength = 0
    paddingLength = 0
    headerLength = Self.fixedLength + 4 * csrcCount
    if first & Self.extensionBit != 0 {
      guard packet.count >= headerLength + 4 else { throw .truncated }
      extensionProfile = base.uint16(at: headerLength)
      extensionLength = 4 * Int(base.uint16(at: headerLength + 2))
      extensionOffset = headerLength + 4
      headerLength = extensionOffset + extensionLength
    }
    guard packet.count >= headerLength else { throw .truncated }
    payloadLength = packet.count - headerLength
  }

  /// Writes a fixed header without contributing sources: 12 bytes at `packet`, which must have room for them.
  ///
  /// With `hasExtension`, an extension must follow, as ``RTPExtensionWriter`` writes it.
  @inline(__always)
  package static func write(
    to packet: UnsafeMutableRawPointer, marker: Bool, payloadType: PayloadType, sequenceNumber: SequenceNumber,
    timestamp: UInt32, ssrc: SSRC, hasExtension: Bool = false
  ) {
    packet.set(UInt8(0x80) | (hasExtension ? extensionBit : 0), at: 0)
    packet.set((marker ? 0x80 : 0) | payloadType.rawValue, at: 1)
    packet.set(sequenceNumber.rawValue, at: 2)
    packet.set(timestamp, at: 4)
    packet.set(ssrc.rawValue, at: 8)
  }

  static let paddingBit: UInt8 = 0x20
  static let extensionBit: UInt8 = 0x10

  /// The payload, as a view of the packet's memory.
  package func payload(in packet: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard headerLength + payloadLength <= packet.count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: packet[headerLength..<(headerLength + payloadLength)])
  }
}

/// What a datagram in RTP's range is: RTP and RTCP share a port (RFC 5761 §4, `rtcp-mux`).
package enum RTPPacketFamily: Sendable {
  case rtp
  case rtcp

  /// Nil when the packet is shorter than two bytes or its version is not 2.
  ///
  /// RTCP packet types 192 to 223 would be payload types 64 to 95 with the marker set, which nobody assigns (RFC 5761
  /// §4).
  @inline(__always)
  package init?(of packet: UnsafeRawBufferPointer) {
    guard packet.count >= 2, packet[0] >> 6 == 2 else { return nil }
    self = (192...223).contains(packet[1]) ? .rtcp : .rtp
  }
}
