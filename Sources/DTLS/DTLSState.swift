/// Which side of the handshake we are; SDP's `a=setup` decides (RFC 8842 §5.3): `active` is the client.
package enum DTLSRole: Hashable, Sendable {
  case client
  case server
}

/// Where a ``DTLSTransport`` stands.
package enum DTLSState: Hashable, Sendable {
  /// No keys yet.
  case handshaking
  /// The peer's certificate matches its fingerprint and both sides have keys.
  case connected(DTLSSRTPParameters)
  /// Terminal: no keys, or no longer any trust in the connection.
  case failed(DTLSFailure)
  /// Terminal: one of the sides has said goodbye.
  case closed
}

/// Why a DTLS connection failed.
package enum DTLSFailure: Error, Hashable, Sendable {
  /// The peer's certificate is not the one that its session description announced (RFC 8122 §6.2).
  case fingerprintMismatch(expected: DTLSFingerprint, received: DTLSFingerprint)
  /// The two sides have no SRTP protection profile in common, or the peer did not offer `use_srtp`.
  case noCommonSRTPProfile
  /// The handshake was not done within ``DTLSTransport/handshakeTimeout``.
  case handshakeTimedOut
  /// The peer ended the connection with this alert (RFC 5246 §7.2).
  case alertReceived(code: UInt8)
  /// The peer broke the protocol, or shares no version or cipher suite with us; OpenSSL's reason.
  case protocolViolation(reason: String)
  /// The TLS library could not do what it must be able to.
  case libraryFailure(reason: String)
}

extension DTLSFailure: CustomStringConvertible {
  /// One line for the operator of the server.
  package var description: String {
    switch self {
    case .fingerprintMismatch(let expected, let received):
      "the peer's certificate does not match its session description: announced \(expected), presented \(received)"
    case .noCommonSRTPProfile:
      "no SRTP protection profile in common: the peer must offer use_srtp with a profile that we accept"
    case .handshakeTimedOut:
      "no complete DTLS handshake within \(DTLSTransport.handshakeTimeout.milliseconds / 1000) s"
    case .alertReceived(let code):
      "the peer ended the DTLS connection with alert \(code)"
    case .protocolViolation(let reason):
      "the peer's DTLS message was refused: \(reason)"
    case .libraryFailure(let reason):
      "the TLS library failed: \(reason)"
    }
  }
}
