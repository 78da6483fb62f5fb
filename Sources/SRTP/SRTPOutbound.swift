import CProcessor
// Hot path: no allocation, no ARC, no locks, no existentials (with libsrtp2 the library does as it likes).

/// Protects what we send to one peer.
///
/// A pointer into its ``SRTPContext``, to be copied freely while that lives.
package struct SRTPOutbound: BitwiseCopyable {
  private let state: UnsafeMutablePointer<State>

  private struct State: BitwiseCopyable {
    let transform: SRTPTransform
    let rtcpOverhead: Int
    /// The next SRTCP index, one sequence for all SSRCs: each sees it rise, with gaps (RFC 3711 §3.4).
    var nextRTCPIndex: UInt32 = 0
  }

  init(_ transform: SRTPTransform, profile: SRTPProfile) {
    state = .allocate(capacity: 1)
    state.initialize(to: State(transform: transform, rtcpOverhead: profile.rtcpOverhead))
  }

  func deallocate() {
    state.pointee.transform.release()
    state.deallocate()
  }

  /// Has what every call reads brought near, in two steps: the second one reads what the first one asked for.
  @inline(__always)
  package func prefetch() {
    sl_prefetch(UnsafeRawPointer(state), MemoryLayout<State>.size)
  }

  /// See ``prefetch()``.
  @inline(__always)
  package func prefetchKey() {
    #if arch(x86_64)
      if case .ipsecMBAEAD(let transform) = state.pointee.transform { transform.rtp.prefetch() }
    #endif
  }

  /// Encrypts one RTP packet; returns its protected length, 0 on failure (RFC 3711 §3.3, RFC 7714 §8).
  ///
  /// A rollover counter, sequence number and SSRC must never protect two different packets under one key: that would
  /// give the key stream away. Sending the same packet again is safe.
  ///
  /// - Parameters:
  ///   - packet: The header, complete; behind it room for the payload and ``SRTPProfile/maximumOverhead``.
  ///   - headerLength: 12, and the CSRCs and the extension, in bytes.
  ///   - payload: `packet + headerLength`, or memory that does not overlap that region.
  ///   - rolloverCounter: The upper 32 bits of the packet's 48-bit sequence number.
  package func protectRTP(
    packet: UnsafeMutableRawPointer, headerLength: Int, payload: UnsafeRawPointer, payloadLength: Int,
    rolloverCounter: UInt32
  ) -> Int {
    guard headerLength >= RTPLayout.fixedHeaderLength, headerLength <= maximumPacketLength, payloadLength >= 0,
      payloadLength <= maximumPacketLength &- headerLength
    else { return 0 }
    let index = UInt64(rolloverCounter) << 16 | UInt64(RTPLayout.sequenceNumber(of: packet))
    switch state.pointee.transform {
    case .openSSLAEAD(let transform):
      return transform.sealRTP(
        packet: packet, headerLength: headerLength, payload: payload, payloadLength: payloadLength, index: index)
    #if arch(x86_64)
      case .ipsecMBAEAD(let transform):
        return transform.sealRTP(
          packet: packet, headerLength: headerLength, payload: payload, payloadLength: payloadLength, index: index)
    #endif
    case .counterMode(let transform):
      return transform.sealRTP(
        packet: packet, headerLength: headerLength, payload: payload, payloadLength: payloadLength, index: index)
    case .libsrtp2(let session):
      return session._withUnsafeGuaranteedRef {
        $0.protectRTP(
          packet: packet, headerLength: headerLength, payload: payload, payloadLength: payloadLength,
          rolloverCounter: rolloverCounter)
      }
    }
  }

  /// Encrypts a compound or reduced-size RTCP packet in place; returns its protected length (RFC 3711 §3.4, RFC 7714
  /// §9), and 0 when `capacity` is too small or the key's 2^31 indices are used up (RFC 3711 §9.2).
  package func protectRTCP(_ packet: UnsafeMutableRawPointer, length: Int, capacity: Int) -> Int {
    guard length >= RTCPLayout.clearLength, length <= maximumPacketLength,
      capacity >= length &+ state.pointee.rtcpOverhead
    else { return 0 }
    let index = state.pointee.nextRTCPIndex
    guard index <= RTCPLayout.maximumIndex else { return 0 }
    state.pointee.nextRTCPIndex = index &+ 1
    switch state.pointee.transform {
    case .openSSLAEAD(let transform):
      return transform.sealRTCP(packet: packet, length: length, index: index)
    #if arch(x86_64)
      case .ipsecMBAEAD(let transform):
        return transform.sealRTCP(packet: packet, length: length, index: index)
    #endif
    case .counterMode(let transform):
      return transform.sealRTCP(packet: packet, length: length, index: index)
    case .libsrtp2(let session):
      return session._withUnsafeGuaranteedRef { $0.protectRTCP(packet, length: length) }
    }
  }
}
