/// Why SRTP could not be set up.
///
/// Packets never throw: see ``SRTPResult``.
package struct SRTPError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Code: Hashable, Sendable {
    /// The backend does not run on this machine.
    case backendUnavailable
    /// A master key or salt has another length than its profile wants.
    case invalidKeyLength
    /// The cryptographic library lacks an algorithm, or failed to start it.
    case cryptographyUnavailable
  }

  package let code: Code
  package let description: String

  init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}

/// What became of a received packet.
package enum SRTPResult: Hashable, Sendable {
  /// The packet is genuine and fresh; its first `length` bytes are now plain RTP or RTCP.
  case accepted(length: Int)
  /// The packet must be dropped; its bytes are undefined.
  case rejected(SRTPRejection)
}

/// Why a received packet was dropped.
///
/// None of these changes any state but a counter.
package enum SRTPRejection: Hashable, Sendable, CaseIterable {
  /// Not an RTP or RTCP packet of version 2 with room for its own headers and the tag.
  case malformed
  /// The tag is wrong: forged, damaged, or protected with other keys or another rollover counter.
  case authenticationFailed
  /// A genuine packet's number that was accepted before (RFC 3711 §3.3.2).
  case replayed
  /// Older than the replay window, which therefore cannot tell whether it is a replay.
  case tooOld
  /// A new source when ``SRTPInbound/maximumSources`` are known already.
  case tooManySources
  /// SRTCP without encryption (E = 0), which WebRTC forbids (RFC 8827 §6.5).
  case unencrypted
}
