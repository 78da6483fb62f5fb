import Cryptography
import Primitives

/// Time-based one-time passwords (RFC 6238): SHA-1, six digits, steps of 30 seconds, as authenticator apps make them.
package struct TOTPSecret: Hashable, Sendable {
  /// The shared key (RFC 4226 §4: at least 128 bits).
  package let key: [UInt8]

  package static let step: Int64 = 30
  package static let digits = 6
  /// Steps before and after the present one that are taken, for clocks that are off.
  package static let tolerance: Int64 = 1

  package init(key: [UInt8]) {
    self.key = key
  }

  package init(random: inout RandomSource) {
    key = random.bytes(20)
  }

  /// The password of a time step (RFC 4226 §5.3, RFC 6238 §4.2).
  package func code(step: Int64, digits: Int = digits) -> String {
    let counter = (0..<8).map { UInt8(truncatingIfNeeded: step >> Int64(56 - 8 * $0)) }
    let mac = counter.withUnsafeBytes { MessageAuthentication.hmacSHA1(key: key, message: $0) }
    let offset = Int(mac[19] & 15)
    let word = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
    let modulus = (0..<digits).reduce(UInt32(1)) { product, _ in product * 10 }
    let text = String(word % modulus)
    return String(repeating: "0", count: digits - text.count) + text
  }

  /// The step whose password `code` is, if it is after `lastStep`: a password is good once (RFC 6238 §5.2).
  package func step(of code: String, at now: UTCTime, after lastStep: Int64) -> Int64? {
    let present = now.seconds / Self.step
    return (present - Self.tolerance...present + Self.tolerance).first { step in
      step > lastStep && MessageAuthentication.areEqual(Array(self.code(step: step).utf8), Array(code.utf8))
    }
  }

  /// What an authenticator app reads out of a QR code.
  package func address(userName: String, issuer: String) -> String {
    let label = "\(issuer):\(userName)".percentEncoded
    return "otpauth://totp/\(label)?secret=\(Base32.encode(key))&issuer=\(issuer.percentEncoded)"
      + "&algorithm=SHA1&digits=\(Self.digits)&period=\(Self.step)"
  }
}

extension String {
  /// All but unreserved characters (RFC 3986 §2.3) as their UTF-8 in percent signs.
  package var percentEncoded: String {
    var text = ""
    for byte in utf8 {
      let isUnreserved = byte.isASCIILetterOrDigit || "-._~".utf8.contains(byte)
      text += isUnreserved ? String(Unicode.Scalar(byte)) : "%" + Hex.encode([byte]).uppercased()
    }
    return text
  }
}
