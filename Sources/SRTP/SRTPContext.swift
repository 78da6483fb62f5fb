/// One peer's SRTP in both directions: it owns the keys, counters and windows that ``outbound`` and ``inbound`` point to.
///
/// Not Sendable. Keep it alive for as long as a copy of either is in use.
package final class SRTPContext {
  package let profile: SRTPProfile
  /// Protects what we send.
  ///
  /// A plain struct: copy it to where packets are made.
  package let outbound: SRTPOutbound
  /// Unprotects what the peer sends.
  package let inbound: SRTPInbound
  /// Contexts may point into what the engine's library allocated.
  private let engine: SRTPEngine

  /// Derives session keys and starts at index 0 in both directions.
  ///
  /// - Parameters:
  ///   - local: keys of what we send: a DTLS server's `serverWriteKey` and `serverSalt`.
  ///   - remote: keys of what the peer sends.
  package convenience init(
    engine: SRTPEngine, profile: SRTPProfile, local: SRTPKeys, remote: SRTPKeys
  ) throws(SRTPError) {
    let transforms = try Self.transforms { (direction) throws(SRTPError) in
      let keys = direction == .outbound ? local : remote
      try keys.validate(for: profile)
      return try engine.backend.makeTransform(profile: profile, keys: keys, direction: direction)
    }
    self.init(engine: engine, profile: profile, sending: transforms.sending, receiving: transforms.receiving)
  }

  /// With session keys instead of master keys, the same for RTP and RTCP in both directions: what RFC 7714 §16 and §17
  /// give their test vectors for.
  ///
  /// Nil for a backend that derives keys itself.
  package convenience init?(
    engine: SRTPEngine, profile: SRTPProfile, sessionKeys keys: SRTPSessionKeys
  ) throws(SRTPError) {
    guard let backend = engine.backend as? any SRTPCipherBackend else { return nil }
    try keys.validate(for: profile)
    let transforms = try Self.transforms { (direction) throws(SRTPError) in
      try backend.makeTransform(profile: profile, rtp: keys, rtcp: keys, direction: direction)
    }
    self.init(engine: engine, profile: profile, sending: transforms.sending, receiving: transforms.receiving)
  }

  /// Both directions' transforms, or neither.
  private static func transforms(
    _ make: (SRTPDirection) throws(SRTPError) -> SRTPTransform
  ) throws(SRTPError) -> (sending: SRTPTransform, receiving: SRTPTransform) {
    let sending = try make(.outbound)
    do { return (sending, try make(.inbound)) } catch {
      sending.release()
      throw error
    }
  }

  private init(engine: SRTPEngine, profile: SRTPProfile, sending: SRTPTransform, receiving: SRTPTransform) {
    self.engine = engine
    self.profile = profile
    outbound = SRTPOutbound(sending, profile: profile)
    inbound = SRTPInbound(receiving, profile: profile)
  }

  deinit {
    outbound.deallocate()
    inbound.deallocate()
  }

  /// See ``SRTPInbound/unprotectRTP(_:length:)``.
  package func unprotectRTP(_ packet: UnsafeMutableRawPointer, length: Int) -> SRTPResult {
    inbound.unprotectRTP(packet, length: length)
  }

  /// See ``SRTPInbound/unprotectRTCP(_:length:)``.
  package func unprotectRTCP(_ packet: UnsafeMutableRawPointer, length: Int) -> SRTPResult {
    inbound.unprotectRTCP(packet, length: length)
  }
}
