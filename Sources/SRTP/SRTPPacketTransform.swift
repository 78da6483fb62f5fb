/// One direction's cryptography of whole packets.
///
/// It keeps no state between packets but keys: rollover counters, replay windows and indices are the caller's. Lengths
/// are the caller's to check.
protocol SRTPPacketTransform: BitwiseCopyable {
  /// Encrypts `payload` behind the header at `packet`; the total length, 0 on failure.
  func sealRTP(
    packet: UnsafeMutableRawPointer, headerLength: Int, payload: UnsafeRawPointer, payloadLength: Int, index: UInt64
  ) -> Int

  /// Authenticates and decrypts in place; the plain length, nil when the tag is wrong.
  func openRTP(packet: UnsafeMutableRawPointer, length: Int, headerLength: Int, index: UInt64) -> Int?

  /// Encrypts in place and appends tag and index; the total length, 0 on failure.
  func sealRTCP(packet: UnsafeMutableRawPointer, length: Int, index: UInt32) -> Int

  /// Bytes of an RTP packet's tag.
  var rtpTagLength: Int { get }

  /// The E bit and the index that an SRTCP packet carries.
  func rtcpIndexWord(packet: UnsafeRawPointer, length: Int) -> UInt32

  /// Authenticates and decrypts in place; the plain length, nil when the tag is wrong.
  func openRTCP(packet: UnsafeMutableRawPointer, length: Int, index: UInt32) -> Int?

  /// Frees what the transform points to.
  func release()
}

/// The transforms there are.
///
/// A switch instead of an existential, so that the packet path stays free of ARC and witness tables.
enum SRTPTransform: BitwiseCopyable {
  case openSSLAEAD(AEADTransform<OpenSSLAEADCipher>)
  #if arch(x86_64)
    case ipsecMBAEAD(AEADTransform<IPSecMBAEADCipher>)
  #endif
  case counterMode(CounterModeTransform)
  /// libsrtp2 handles whole packets with its own counters and windows, so it is no ``SRTPPacketTransform``.
  case libsrtp2(Unmanaged<LibSRTP2Session>)

  func release() {
    switch self {
    case .openSSLAEAD(let transform): transform.release()
    #if arch(x86_64)
      case .ipsecMBAEAD(let transform): transform.release()
    #endif
    case .counterMode(let transform): transform.release()
    case .libsrtp2(let session): session.release()
    }
  }
}
