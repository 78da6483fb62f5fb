import CSRTP2

/// The reference backend: libsrtp2 with its own key derivation, packet format, counters and windows.
final class LibSRTP2Backend: SRTPBackend {
  let kind = SRTPBackendKind.libsrtp2

  /// The library must be started once in a process; Swift runs this exactly once.
  private static let startStatus = srtp_init()

  init() throws(SRTPError) {
    guard Self.startStatus == srtp_err_status_ok else {
      throw SRTPError(.backendUnavailable, "libsrtp2 failed its self-test: status \(Self.startStatus.rawValue)")
    }
  }

  func makeTransform(
    profile: SRTPProfile, keys: SRTPKeys, direction: SRTPDirection
  ) throws(SRTPError) -> SRTPTransform {
    .libsrtp2(Unmanaged.passRetained(try LibSRTP2Session(profile: profile, keys: keys, direction: direction)))
  }
}

/// One direction's libsrtp2 session.
///
/// Allocates, hashes and copies: for reference, not for load.
///
/// Where it differs from our own backends:
/// - The caller's rollover counter is handed to the library before each packet, but the library refuses to protect one
///   that is ``SRTPInbound/rtpReplayWindowSize`` or more behind the newest of its SSRC, or 2^15 or more away.
/// - It counts SRTCP indices by SSRC and from 1, where ours count all SSRCs together and from 0.
/// - At most ``maximumOutboundSources`` SSRCs are sent; protection fails for more.
final class LibSRTP2Session {
  /// SSRCs that one session protects.
  static let maximumOutboundSources = 256

  private let session: srtp_t
  private let profile: SRTPProfile
  private let keys: SRTPKeys
  private var outboundSources: Set<UInt32> = []

  init(profile: SRTPProfile, keys: SRTPKeys, direction: SRTPDirection) throws(SRTPError) {
    self.profile = profile
    self.keys = keys
    var created: srtp_t?
    let status =
      switch direction {
      case .outbound: srtp_create(&created, nil)
      case .inbound:
        Self.withPolicy(profile, keys, type: ssrc_any_inbound, ssrc: 0) { srtp_create(&created, $0) }
      }
    guard status == srtp_err_status_ok, let created else {
      throw SRTPError(.cryptographyUnavailable, "libsrtp2 refused \(profile): status \(status.rawValue)")
    }
    session = created
  }

  deinit {
    srtp_dealloc(session)
  }

  func protectRTP(
    packet: UnsafeMutableRawPointer, headerLength: Int, payload: UnsafeRawPointer, payloadLength: Int,
    rolloverCounter: UInt32
  ) -> Int {
    let ssrc = RTPLayout.ssrc(of: packet)
    guard addOutboundSource(ssrc), srtp_set_stream_roc(session, ssrc, rolloverCounter) == srtp_err_status_ok else {
      return 0
    }
    if payload != UnsafeRawPointer(packet + headerLength) {
      (packet + headerLength).copyMemory(from: payload, byteCount: payloadLength)
    }
    var length = Int32(truncatingIfNeeded: headerLength &+ payloadLength)
    return srtp_protect(session, packet, &length) == srtp_err_status_ok ? Int(length) : 0
  }

  func protectRTCP(_ packet: UnsafeMutableRawPointer, length: Int) -> Int {
    guard addOutboundSource(RTCPLayout.ssrc(of: packet)) else { return 0 }
    var length = Int32(truncatingIfNeeded: length)
    return srtp_protect_rtcp(session, packet, &length) == srtp_err_status_ok ? Int(length) : 0
  }

  func unprotectRTP(_ packet: UnsafeMutableRawPointer, length: Int, headerLength: Int) -> SRTPResult {
    guard length &- headerLength >= profile.rtpOverhead else { return .rejected(.malformed) }
    var length = Int32(truncatingIfNeeded: length)
    return Self.result(srtp_unprotect(session, packet, &length), length)
  }

  func unprotectRTCP(_ packet: UnsafeMutableRawPointer, length: Int) -> SRTPResult {
    var length = Int32(truncatingIfNeeded: length)
    return Self.result(srtp_unprotect_rtcp(session, packet, &length), length)
  }

  private func addOutboundSource(_ ssrc: UInt32) -> Bool {
    if outboundSources.contains(ssrc) { return true }
    guard outboundSources.count < Self.maximumOutboundSources else { return false }
    let status = Self.withPolicy(profile, keys, type: ssrc_specific, ssrc: ssrc) { srtp_add_stream(session, $0) }
    guard status == srtp_err_status_ok else { return false }
    outboundSources.insert(ssrc)
    return true
  }

  private static func result(_ status: srtp_err_status_t, _ length: Int32) -> SRTPResult {
    switch status {
    case srtp_err_status_ok: .accepted(length: Int(length))
    case srtp_err_status_replay_fail: .rejected(.replayed)
    case srtp_err_status_replay_old, srtp_err_status_pkt_idx_old: .rejected(.tooOld)
    case srtp_err_status_bad_param, srtp_err_status_parse_err: .rejected(.malformed)
    case srtp_err_status_cant_check: .rejected(.unencrypted)
    default: .rejected(.authenticationFailed)
    }
  }

  private static func withPolicy(
    _ profile: SRTPProfile, _ keys: SRTPKeys, type: srtp_ssrc_type_t, ssrc: UInt32,
    _ body: (UnsafePointer<srtp_policy_t>) -> srtp_err_status_t
  ) -> srtp_err_status_t {
    // Padded to the longest key, lest the library read more than the profile's length.
    var key = keys.masterKey + keys.masterSalt
    key += [UInt8](repeating: 0, count: max(0, Int(SRTP_MAX_KEY_LEN) - key.count))
    return key.withUnsafeMutableBufferPointer { key in
      var policy = srtp_policy_t()
      let number = srtp_profile_t(rawValue: UInt32(profile.id))
      srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, number)
      srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, number)
      policy.ssrc = srtp_ssrc_t(type: type, value: ssrc)
      policy.key = key.baseAddress
      policy.window_size = UInt(SRTPInbound.rtpReplayWindowSize)
      policy.allow_repeat_tx = 1
      return body(&policy)
    }
  }
}
