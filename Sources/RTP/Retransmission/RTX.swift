import Primitives

/// Retransmission packets: an original packet with its sequence number before the payload (RFC 4588 §4).
///
/// Packet path.
package enum RTX {
  /// Bytes of the original sequence number.
  package static let overhead = 2

  /// Writes the retransmission of `packet`, whose header is `header`, to `destination`.
  ///
  /// Header extensions and contributing sources are kept, padding is left out. Returns the length, or 0 and nothing
  /// useful written when `destination` is too short.
  package static func wrap(
    _ packet: UnsafeRawBufferPointer, header: RTPHeader, ssrc: SSRC, payloadType: PayloadType,
    sequenceNumber: SequenceNumber, into destination: UnsafeMutableRawBufferPointer
  ) -> Int {
    let length = header.headerLength + overhead + header.payloadLength
    guard let source = packet.baseAddress, let target = destination.baseAddress, destination.count >= length,
      packet.count >= header.headerLength + header.payloadLength
    else { return 0 }
    target.copyMemory(from: source, byteCount: header.headerLength)
    target.set(source.uint8(at: 0) & ~RTPHeader.paddingBit, at: 0)
    readdress(target, marker: header.marker, payloadType, sequenceNumber, ssrc)
    target.set(header.sequenceNumber.rawValue, at: header.headerLength)
    (target + header.headerLength + overhead).copyMemory(
      from: source + header.headerLength, byteCount: header.payloadLength)
    return length
  }

  /// An original packet, where ``unwrap(_:header:ssrc:payloadType:)`` left it.
  package struct Unwrapped: Equatable, Sendable {
    package var originalSequenceNumber: SequenceNumber
    /// Offset of the original's header in the buffer.
    package var packetStart: Int
    /// Offset of the original's payload in the buffer.
    package var payloadStart: Int
    package var payloadLength: Int

    /// Bytes of the original packet from `packetStart` on.
    package var packetLength: Int { payloadStart - packetStart + payloadLength }
  }

  /// Turns a retransmission into the original packet, in place: the header moves up against the payload.
  ///
  /// `ssrc` and `payloadType` are those of the original stream. Nil for a packet without an original sequence number,
  /// as senders use them to probe for bandwidth; padding behind the payload is dropped.
  package static func unwrap(
    _ packet: UnsafeMutableRawBufferPointer, header: RTPHeader, ssrc: SSRC, payloadType: PayloadType
  ) -> Unwrapped? {
    guard let base = packet.baseAddress, header.payloadLength >= overhead,
      packet.count >= header.headerLength + header.payloadLength
    else { return nil }
    let original = SequenceNumber(UnsafeRawPointer(base).uint16(at: header.headerLength))
    let target = base + overhead
    // The two places overlap, which copyMemory allows.
    target.copyMemory(from: base, byteCount: header.headerLength)
    target.set(UnsafeRawPointer(target).uint8(at: 0) & ~RTPHeader.paddingBit, at: 0)
    readdress(target, marker: header.marker, payloadType, original, ssrc)
    return Unwrapped(
      originalSequenceNumber: original, packetStart: overhead, payloadStart: header.headerLength + overhead,
      payloadLength: header.payloadLength - overhead)
  }

  @inline(__always)
  private static func readdress(
    _ packet: UnsafeMutableRawPointer, marker: Bool, _ payloadType: PayloadType, _ sequenceNumber: SequenceNumber,
    _ ssrc: SSRC
  ) {
    packet.set((marker ? 0x80 : 0) | payloadType.rawValue, at: 1)
    packet.set(sequenceNumber.rawValue, at: 2)
    packet.set(ssrc.rawValue, at: 8)
  }
}
