import COpenSSL

/// The password-based key derivation function scrypt (RFC 7914) by OpenSSL.
package enum Scrypt {
  /// What a derivation costs.
  package struct Cost: Hashable, Sendable {
    /// Logarithm of the cost factor N to the base of 2.
    package let logarithmicN: Int
    /// Block size.
    package let r: Int
    /// Parallelisation.
    package let p: Int

    /// Nil for what is no cost, or takes more memory than ``Scrypt/maximumMemory``.
    package init?(logarithmicN: Int, r: Int, p: Int) {
      guard (1...24).contains(logarithmicN), (1...32).contains(r), (1...16).contains(p),
        128 * r << logarithmicN <= Scrypt.maximumMemory / 2
      else { return nil }
      self.logarithmicN = logarithmicN
      self.r = r
      self.p = p
    }
  }

  /// Bytes that one derivation may take.
  package static let maximumMemory = 256 << 20

  /// `length` bytes out of a password and a salt; nil when the provider refuses, in FIPS mode for example.
  package static func derive(password: [UInt8], salt: [UInt8], cost: Cost, length: Int) -> [UInt8]? {
    var output = [UInt8](repeating: 0, count: length)
    let status = password.withUnsafeBytes { password in
      EVP_PBE_scrypt(
        password.assumingMemoryBound(to: CChar.self).baseAddress, password.count, salt, salt.count,
        UInt64(1) << UInt64(cost.logarithmicN), UInt64(cost.r), UInt64(cost.p), UInt64(maximumMemory), &output, length)
    }
    return status == 1 ? output : nil
  }
}
