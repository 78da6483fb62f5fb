import Cryptography
import Foundation
import Primitives

/// Why a token is refused.
package enum TokenError: Error, Hashable, Sendable {
  /// Not a compact JWS with our claims.
  case malformed
  /// Another algorithm than EdDSA, or an extension that must be understood.
  case unsupportedAlgorithm
  /// No accepted key has this `kid`.
  case unknownKey
  /// The signature is not the key's.
  case badSignature
  /// Issued later than now, by more than ``TokenAuthority/clockTolerance``.
  case notYetValid
  /// Genuine, but its time is over.
  case expired(AccessToken)

  /// A short name for counters and answers.
  package var name: String {
    switch self {
    case .malformed: "malformed"
    case .unsupportedAlgorithm: "unsupported_algorithm"
    case .unknownKey: "unknown_key"
    case .badSignature: "bad_signature"
    case .notYetValid: "not_yet_valid"
    case .expired: "expired"
    }
  }
}

/// Signs access tokens and verifies them; sans-IO, the time is a parameter.
package struct TokenAuthority: Sendable {
  private let signingKey: Ed25519PrivateKey
  /// The signing key by its thumbprint (RFC 7638), the `kid` of what it signs.
  package let keyID: String
  private let acceptedKeys: [String: Ed25519PublicKey]

  /// How far the clocks of two nodes may be apart, in seconds.
  package static let clockTolerance: Int64 = 60

  /// Signs with `signingKey`, and accepts its tokens and those of `formerKeys`, so that keys can be changed in service.
  package init(signingKey: Ed25519PrivateKey, formerKeys: [Ed25519PublicKey] = []) {
    self.signingKey = signingKey
    keyID = signingKey.publicKey.thumbprint
    let keys = formerKeys + [signingKey.publicKey]
    acceptedKeys = Dictionary(keys.map { ($0.thumbprint, $0) }, uniquingKeysWith: { $1 })
  }

  /// The token's text (RFC 7515 §3.1).
  package func sign(_ token: AccessToken) -> String {
    let header = #"{"alg":"EdDSA","kid":"\#(keyID)","typ":"JWT"}"#
    return CompactJWS.sign(header: Array(header.utf8), payload: token.encodePayload(), by: signingKey)
  }

  /// The claims of `text`, if an accepted key signed it and its time has come and is not over.
  package func verify(_ text: String, at now: UnixTime) throws(TokenError) -> AccessToken {
    guard let jws = CompactJWS(parsing: text) else { throw .malformed }
    guard jws.header.alg == CompactJWS.algorithm, jws.header.crit == nil else { throw .unsupportedAlgorithm }
    guard let key = jws.header.kid.flatMap({ acceptedKeys[$0] }) else { throw .unknownKey }
    guard jws.isSigned(by: key) else { throw .badSignature }
    guard let token = AccessToken(payload: jws.payload) else { throw .malformed }
    guard token.issuedAt <= now + Self.clockTolerance else { throw .notYetValid }
    guard now < token.expiresAt else { throw .expired(token) }
    return token
  }
}
