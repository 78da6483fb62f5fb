// Hot path: no allocation, no ARC, no locks, no existentials (with libsrtp2 the library does as it likes).

/// Unprotects what one peer sends: authenticity, decryption, rollover counters and replay windows by source.
///
/// A pointer into its ``SRTPContext``, to be copied freely while that lives. A packet that is not authentic changes
/// nothing but a counter.
package struct SRTPInbound: BitwiseCopyable {
  /// Sources (SSRCs) tracked for one peer; RTP and RTCP share them.
  ///
  /// At the limit a new source's packets are dropped and counted: to forget an old one would open its packets to
  /// replay.
  package static let maximumSources = 64

  /// How many numbers back one source's packet may come and still be told from a replay: 1,024, half a second at
  /// 2,000 packets/s.
  package static var rtpReplayWindowSize: Int { Int(InboundSource.RTPWindow.size) }

  /// The same for a source's RTCP: 128.
  package static var rtcpReplayWindowSize: Int { Int(InboundSource.RTCPWindow.size) }

  private let state: UnsafeMutablePointer<State>

  private struct State: BitwiseCopyable {
    let transform: SRTPTransform
    let rtcpOverhead: Int
    let sources: SourceTable
    var statistics = SRTPInboundStatistics()
  }

  init(_ transform: SRTPTransform, profile: SRTPProfile) {
    state = .allocate(capacity: 1)
    state.initialize(
      to: State(transform: transform, rtcpOverhead: profile.rtcpOverhead, sources: SourceTable(Self.maximumSources)))
  }

  func deallocate() {
    state.pointee.transform.release()
    state.pointee.sources.deallocate()
    state.deallocate()
  }

  /// Packets accepted and dropped so far.
  package var statistics: SRTPInboundStatistics { state.pointee.statistics }

  /// Sources known so far.
  package var sourceCount: Int { state.pointee.sources.count }

  /// Authenticates and decrypts an RTP packet in place (RFC 3711 §3.3, RFC 7714 §8).
  ///
  /// It reads and writes nothing outside `length` bytes. When the packet is rejected its bytes are undefined.
  package func unprotectRTP(_ packet: UnsafeMutableRawPointer, length: Int) -> SRTPResult {
    let result = openRTP(packet, length: length)
    state.pointee.statistics.count(result)
    return result
  }

  /// Authenticates and decrypts an RTCP packet in place (RFC 3711 §3.4, RFC 7714 §9); as ``unprotectRTP(_:length:)``.
  package func unprotectRTCP(_ packet: UnsafeMutableRawPointer, length: Int) -> SRTPResult {
    let result = openRTCP(packet, length: length)
    state.pointee.statistics.count(result)
    return result
  }

  @inline(__always)
  private func openRTP(_ packet: UnsafeMutableRawPointer, length: Int) -> SRTPResult {
    guard length <= maximumPacketLength, let headerLength = RTPLayout.headerLength(of: packet, length: length) else {
      return .rejected(.malformed)
    }
    switch state.pointee.transform {
    case .openSSLAEAD(let transform):
      return openRTP(packet, length: length, headerLength: headerLength, with: transform)
    #if arch(x86_64)
      case .ipsecMBAEAD(let transform):
        return openRTP(packet, length: length, headerLength: headerLength, with: transform)
    #endif
    case .counterMode(let transform):
      return openRTP(packet, length: length, headerLength: headerLength, with: transform)
    case .libsrtp2(let session):
      return openByLibrary(ssrc: RTPLayout.ssrc(of: packet)) {
        session._withUnsafeGuaranteedRef { $0.unprotectRTP(packet, length: length, headerLength: headerLength) }
      }
    }
  }

  @inline(__always)
  private func openRTP(
    _ packet: UnsafeMutableRawPointer, length: Int, headerLength: Int, with transform: some SRTPPacketTransform
  ) -> SRTPResult {
    guard length &- headerLength >= transform.rtpTagLength else { return .rejected(.malformed) }
    let ssrc = RTPLayout.ssrc(of: packet)
    let source = state.pointee.sources.find(ssrc)
    guard source != nil || !state.pointee.sources.isFull else { return .rejected(.tooManySources) }
    let index = PacketIndex.estimate(
      sequenceNumber: RTPLayout.sequenceNumber(of: packet), highest: source?.pointee.rtp.highest ?? -1)
    guard index < PacketIndex.limit else { return .rejected(.tooOld) }
    if let objection = source?.pointee.rtp.objection(to: index) { return .rejected(objection) }
    guard
      let plainLength = transform.openRTP(
        packet: packet, length: length, headerLength: headerLength, index: UInt64(truncatingIfNeeded: index))
    else { return .rejected(.authenticationFailed) }
    (source ?? state.pointee.sources.insert(ssrc)).pointee.rtp.accept(index)
    return .accepted(length: plainLength)
  }

  private func openRTCP(_ packet: UnsafeMutableRawPointer, length: Int) -> SRTPResult {
    guard length <= maximumPacketLength, length >= RTCPLayout.clearLength &+ state.pointee.rtcpOverhead,
      RTCPLayout.isVersion2(packet)
    else { return .rejected(.malformed) }
    switch state.pointee.transform {
    case .openSSLAEAD(let transform): return openRTCP(packet, length: length, with: transform)
    #if arch(x86_64)
      case .ipsecMBAEAD(let transform): return openRTCP(packet, length: length, with: transform)
    #endif
    case .counterMode(let transform): return openRTCP(packet, length: length, with: transform)
    case .libsrtp2(let session):
      return openByLibrary(ssrc: RTCPLayout.ssrc(of: packet)) {
        session._withUnsafeGuaranteedRef { $0.unprotectRTCP(packet, length: length) }
      }
    }
  }

  private func openRTCP(
    _ packet: UnsafeMutableRawPointer, length: Int, with transform: some SRTPPacketTransform
  ) -> SRTPResult {
    let word = transform.rtcpIndexWord(packet: packet, length: length)
    guard word & RTCPLayout.encryptedFlag != 0 else { return .rejected(.unencrypted) }
    let index = word & RTCPLayout.maximumIndex
    let ssrc = RTCPLayout.ssrc(of: packet)
    let source = state.pointee.sources.find(ssrc)
    guard source != nil || !state.pointee.sources.isFull else { return .rejected(.tooManySources) }
    if let objection = source?.pointee.rtcp.objection(to: Int64(index)) { return .rejected(objection) }
    guard let plainLength = transform.openRTCP(packet: packet, length: length, index: index) else {
      return .rejected(.authenticationFailed)
    }
    (source ?? state.pointee.sources.insert(ssrc)).pointee.rtcp.accept(Int64(index))
    return .accepted(length: plainLength)
  }

  /// libsrtp2 keeps counters and windows itself; we keep the number of sources in bounds for it.
  private func openByLibrary(ssrc: UInt32, _ open: () -> SRTPResult) -> SRTPResult {
    let isKnown = state.pointee.sources.find(ssrc) != nil
    guard isKnown || !state.pointee.sources.isFull else { return .rejected(.tooManySources) }
    let result = open()
    if case .accepted = result, !isKnown { _ = state.pointee.sources.insert(ssrc) }
    return result
  }
}

/// What came of one peer's packets, RTP and RTCP together.
package struct SRTPInboundStatistics: BitwiseCopyable, Hashable, Sendable {
  package private(set) var accepted: UInt64 = 0
  package private(set) var malformed: UInt64 = 0
  package private(set) var authenticationFailed: UInt64 = 0
  package private(set) var replayed: UInt64 = 0
  package private(set) var tooOld: UInt64 = 0
  package private(set) var tooManySources: UInt64 = 0
  package private(set) var unencrypted: UInt64 = 0

  @inline(__always)
  mutating func count(_ result: SRTPResult) {
    switch result {
    case .accepted: accepted &+= 1
    case .rejected(.malformed): malformed &+= 1
    case .rejected(.authenticationFailed): authenticationFailed &+= 1
    case .rejected(.replayed): replayed &+= 1
    case .rejected(.tooOld): tooOld &+= 1
    case .rejected(.tooManySources): tooManySources &+= 1
    case .rejected(.unencrypted): unencrypted &+= 1
    }
  }
}
