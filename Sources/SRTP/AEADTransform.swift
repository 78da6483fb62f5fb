// Hot path: no allocation, no ARC, no existentials. The generic parameter is a plain struct and is specialised away.

/// Sizes that RFC 7714 §13 fixes.
enum AEAD {
  static let tagLength = 16
  static let saltLength = 12
}

/// A keyed AES-GCM for one direction and one packet kind, by one library.
///
/// It points to memory that `release()` frees.
protocol AEADCipher: BitwiseCopyable {
  /// Encrypts `length` bytes into `destination` and puts the tag behind them.
  func seal(
    nonce: AEADNonce, aad: UnsafeRawPointer, aadLength: Int, source: UnsafeRawPointer, length: Int,
    destination: UnsafeMutableRawPointer
  ) -> Bool

  /// Decrypts `length` bytes in place; false when the tag behind them is wrong.
  func open(nonce: AEADNonce, aad: UnsafeRawPointer, aadLength: Int, bytes: UnsafeMutableRawPointer, length: Int)
    -> Bool

  func release()
}

/// A 96-bit nonce in two words in network order.
struct AEADNonce {
  let head: UInt64
  let tail: UInt32
}

/// A session salt as two integers, so that a packet's nonce is two exclusive-ors (RFC 7714 §8.1, §9.1).
struct AEADSalt: BitwiseCopyable {
  private let head: UInt64
  private let tail: UInt32

  /// From 12 bytes.
  init(_ bytes: [UInt8]) {
    head = bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
    tail = bytes[8..<12].reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// RTP: 00 00, SSRC, rollover counter, sequence number.
  ///
  /// RTCP: 00 00, SSRC, 00 00, index in 32 bits. Both are two zero bytes, the SSRC and a 48-bit index.
  @inline(__always)
  func nonce(ssrc: UInt32, index: UInt64) -> AEADNonce {
    AEADNonce(
      head: (head ^ (UInt64(ssrc) << 16 | index >> 32)).bigEndian,
      tail: (tail ^ UInt32(truncatingIfNeeded: index)).bigEndian)
  }
}

/// The AEAD packet format: RTP header | ciphertext | tag, and RTCP header | ciphertext | tag | E and index
/// (RFC 7714 §8, §9).
struct AEADTransform<Cipher: AEADCipher>: SRTPPacketTransform {
  let rtp: Cipher
  let rtcp: Cipher
  let rtpSalt: AEADSalt
  let rtcpSalt: AEADSalt

  @inline(__always)
  var rtpTagLength: Int { AEAD.tagLength }

  @inline(__always)
  func sealRTP(
    packet: UnsafeMutableRawPointer, headerLength: Int, payload: UnsafeRawPointer, payloadLength: Int, index: UInt64
  ) -> Int {
    let sealed = rtp.seal(
      nonce: rtpSalt.nonce(ssrc: RTPLayout.ssrc(of: packet), index: index), aad: packet, aadLength: headerLength,
      source: payload, length: payloadLength, destination: packet + headerLength)
    return sealed ? headerLength &+ payloadLength &+ AEAD.tagLength : 0
  }

  @inline(__always)
  func openRTP(packet: UnsafeMutableRawPointer, length: Int, headerLength: Int, index: UInt64) -> Int? {
    let payloadLength = length &- headerLength &- AEAD.tagLength
    guard payloadLength >= 0 else { return nil }
    let isGenuine = rtp.open(
      nonce: rtpSalt.nonce(ssrc: RTPLayout.ssrc(of: packet), index: index), aad: packet, aadLength: headerLength,
      bytes: packet + headerLength, length: payloadLength)
    return isGenuine ? headerLength &+ payloadLength : nil
  }

  func sealRTCP(packet: UnsafeMutableRawPointer, length: Int, index: UInt32) -> Int {
    let word = (index | RTCPLayout.encryptedFlag).bigEndian
    let payloadLength = length &- RTCPLayout.clearLength
    var aad = (packet.loadUnaligned(as: UInt64.self), word)
    let sealed = withUnsafeBytes(of: &aad) { aad in
      guard let start = aad.baseAddress else { return false }
      return rtcp.seal(
        nonce: rtcpSalt.nonce(ssrc: RTCPLayout.ssrc(of: packet), index: UInt64(index)), aad: start,
        aadLength: Self.rtcpAADLength, source: packet + RTCPLayout.clearLength, length: payloadLength,
        destination: packet + RTCPLayout.clearLength)
    }
    guard sealed else { return 0 }
    packet.storeBytes(of: word, toByteOffset: length &+ AEAD.tagLength, as: UInt32.self)
    return length &+ AEAD.tagLength &+ RTCPLayout.indexWordLength
  }

  @inline(__always)
  func rtcpIndexWord(packet: UnsafeRawPointer, length: Int) -> UInt32 {
    UInt32(
      bigEndian: packet.loadUnaligned(fromByteOffset: length &- RTCPLayout.indexWordLength, as: UInt32.self))
  }

  func openRTCP(packet: UnsafeMutableRawPointer, length: Int, index: UInt32) -> Int? {
    let payloadLength = length &- RTCPLayout.clearLength &- AEAD.tagLength &- RTCPLayout.indexWordLength
    guard payloadLength >= 0 else { return nil }
    var aad = (packet.loadUnaligned(as: UInt64.self), (index | RTCPLayout.encryptedFlag).bigEndian)
    let isGenuine = withUnsafeBytes(of: &aad) { aad in
      guard let start = aad.baseAddress else { return false }
      return rtcp.open(
        nonce: rtcpSalt.nonce(ssrc: RTCPLayout.ssrc(of: packet), index: UInt64(index)), aad: start,
        aadLength: Self.rtcpAADLength, bytes: packet + RTCPLayout.clearLength, length: payloadLength)
    }
    return isGenuine ? RTCPLayout.clearLength &+ payloadLength : nil
  }

  func release() {
    rtp.release()
    rtcp.release()
  }

  /// The clear 8 bytes and the index word (RFC 7714 §9.2).
  private static var rtcpAADLength: Int { RTCPLayout.clearLength + RTCPLayout.indexWordLength }
}
