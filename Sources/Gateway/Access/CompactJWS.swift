import Cryptography
import Foundation
import Primitives

/// A JSON Web Signature in compact form (RFC 7515 §3.1), with EdDSA over Ed25519 as the only algorithm (RFC 8037 §3.1).
///
/// Parsing proves nothing: the payload means something only after ``isSigned(by:)``.
package struct CompactJWS: Sendable {
  /// The protected header's members that are understood.
  package struct Header: Codable, Hashable, Sendable {
    package var alg: String
    package var typ: String?
    package var kid: String?
    /// Extensions that must be understood; none is, so a signature that lists any is refused (RFC 7515 §4.1.11).
    package var crit: [String]?

    package init(alg: String = CompactJWS.algorithm, typ: String? = nil, kid: String? = nil) {
      self.alg = alg
      self.typ = typ
      self.kid = kid
    }
  }

  package let header: Header
  package let payload: [UInt8]
  private let signingInput: [UInt8]
  private let signature: [UInt8]

  /// The name of the one accepted algorithm (RFC 8037 §3.1).
  package static let algorithm = "EdDSA"
  /// Longest accepted text, in bytes; a longer one is malformed.
  package static let maximumLength = 4096

  /// Nil unless `text` is three base64url parts with a JSON header.
  package init?(parsing text: String) {
    guard text.utf8.count <= Self.maximumLength else { return nil }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3,
      let headerBytes = Base64URL.decode(parts[0]),
      let payload = Base64URL.decode(parts[1]),
      let signature = Base64URL.decode(parts[2]),
      let header = try? JSONDecoder().decode(Header.self, from: Data(headerBytes))
    else { return nil }
    self.header = header
    self.payload = payload
    self.signature = signature
    signingInput = Array("\(parts[0]).\(parts[1])".utf8)
  }

  /// Whether the signature over header and payload is the one of `key`'s owner.
  package func isSigned(by key: Ed25519PublicKey) -> Bool {
    key.isValid(signature: signature, of: signingInput)
  }

  /// The compact text of `payload` under the exact bytes of `header`, signed by `key`.
  package static func sign(header: [UInt8], payload: [UInt8], by key: Ed25519PrivateKey) -> String {
    let signingInput = "\(Base64URL.encode(header)).\(Base64URL.encode(payload))"
    return "\(signingInput).\(Base64URL.encode(key.sign(Array(signingInput.utf8))))"
  }
}

extension Ed25519PublicKey {
  /// The JWK thumbprint that names this key (RFC 7638 §3, RFC 8037 §2).
  package var thumbprint: String {
    let canonical = #"{"crv":"Ed25519","kty":"OKP","x":"\#(Base64URL.encode(bytes))"}"#
    return Base64URL.encode(Digest.sha256(Array(canonical.utf8)))
  }
}
