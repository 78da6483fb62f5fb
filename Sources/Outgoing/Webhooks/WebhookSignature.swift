import Cryptography
import Primitives

/// The signature that tells a receiver who sent a delivery and when: HMAC-SHA256 (RFC 2104) over `timestamp.body`.
package enum WebhookSignature {
  /// `v1=` and 64 hexadecimal digits; `timestamp` is in seconds since 1970, as in the header.
  package static func value(secret: String, timestamp: String, body: [UInt8]) -> String {
    let message = Array("\(timestamp).".utf8) + body
    let code = message.withUnsafeBytes {
      MessageAuthentication.hmacSHA256(key: Array(secret.utf8), message: $0)
    }
    return "v1=\(Hex.encode(code))"
  }
}
