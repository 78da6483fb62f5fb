/// Which library does the cryptography.
package enum SRTPBackendKind: String, Hashable, Sendable, CaseIterable {
  /// libipsec-mb: the fastest; x86-64 with AES-NI only, and not FIPS-validated.
  case ipsecMB
  /// OpenSSL: runs everywhere, and with the provider that the machine's administrator chose.
  case openSSL
  /// libsrtp2: the reference that tests compare with. Slower by an order of magnitude; ``LibSRTP2Session`` names its
  /// limits.
  case libsrtp2
}

/// Which way packets go.
enum SRTPDirection: Hashable, Sendable {
  case outbound
  case inbound
}

/// A library behind SRTP.
///
/// Used when a context is made; packets go through ``SRTPTransform``.
protocol SRTPBackend: AnyObject {
  var kind: SRTPBackendKind { get }

  /// What protects one direction. The caller owns it and calls `release()`.
  func makeTransform(
    profile: SRTPProfile, keys: SRTPKeys, direction: SRTPDirection
  ) throws(SRTPError) -> SRTPTransform
}

/// A backend that brings ciphers only: key derivation, packet format, counters and windows are ours.
protocol SRTPCipherBackend: SRTPBackend {
  func makeTransform(
    profile: SRTPProfile, rtp: SRTPSessionKeys, rtcp: SRTPSessionKeys, direction: SRTPDirection
  ) throws(SRTPError) -> SRTPTransform
}

extension SRTPCipherBackend {
  func makeTransform(
    profile: SRTPProfile, keys: SRTPKeys, direction: SRTPDirection
  ) throws(SRTPError) -> SRTPTransform {
    let session = try SRTPKeyDerivation.sessionKeys(from: keys, for: profile)
    return try makeTransform(profile: profile, rtp: session.rtp, rtcp: session.rtcp, direction: direction)
  }
}
