/// Where the parts of an RTP packet are, as far as SRTP must know (RFC 3550 §5.1, RFC 3711 §3.1).
enum RTPLayout {
  static let fixedHeaderLength = 12

  /// Bytes of header, CSRCs and extension; nil unless this is RTP version 2 and they fit into `length` bytes.
  @inline(__always)
  static func headerLength(of packet: UnsafeRawPointer, length: Int) -> Int? {
    guard length >= fixedHeaderLength else { return nil }
    let first = packet.load(as: UInt8.self)
    guard first >> 6 == 2 else { return nil }
    var headerLength = fixedHeaderLength &+ 4 &* Int(first & 0x0f)
    if first & 0x10 != 0 {
      guard length >= headerLength &+ 4 else { return nil }
      let words = UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: headerLength &+ 2, as: UInt16.self))
      headerLength &+= 4 &+ 4 &* Int(words)
    }
    return headerLength <= length ? headerLength : nil
  }

  @inline(__always)
  static func sequenceNumber(of packet: UnsafeRawPointer) -> UInt16 {
    UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
  }

  @inline(__always)
  static func ssrc(of packet: UnsafeRawPointer) -> UInt32 {
    UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
  }
}

/// Where the parts of an RTCP packet are (RFC 3550 §6.4.1, RFC 3711 §3.4).
enum RTCPLayout {
  /// The first header and the sender's SSRC, which stay in the clear.
  static let clearLength = 8
  /// The E bit and the 31-bit index.
  static let indexWordLength = 4
  /// The E bit: this packet is encrypted.
  static let encryptedFlag: UInt32 = 0x8000_0000
  /// The highest index; then the key is used up (RFC 3711 §9.2).
  static let maximumIndex: UInt32 = 0x7fff_ffff

  @inline(__always)
  static func isVersion2(_ packet: UnsafeRawPointer) -> Bool {
    packet.load(as: UInt8.self) >> 6 == 2
  }

  @inline(__always)
  static func ssrc(of packet: UnsafeRawPointer) -> UInt32 {
    UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
  }
}

/// The longest datagram: lengths above it are refused, so that they fit the C libraries' 32-bit integers.
let maximumPacketLength = 65_535
