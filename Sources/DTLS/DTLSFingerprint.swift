import Primitives

/// A hash of a certificate, as SDP's `a=fingerprint` carries it (RFC 8122 §5).
package struct DTLSFingerprint: Hashable, Sendable {
  /// The hash functions that a peer may use; RFC 8122 forbids MD2 and MD5, and SHA-1 no longer identifies anybody.
  package enum Algorithm: String, Hashable, Sendable, CaseIterable {
    case sha256 = "sha-256"
    case sha384 = "sha-384"
    case sha512 = "sha-512"

    /// Length of a hash in bytes.
    package var length: Int {
      switch self {
      case .sha256: 32
      case .sha384: 48
      case .sha512: 64
      }
    }
  }

  /// Why a text is no usable fingerprint.
  package enum ParseError: Error, Equatable, Sendable {
    /// The text is not a hash name, one space and a value.
    case malformed
    /// The hash function is unknown or too weak.
    case unsupportedAlgorithm
    /// The value is not pairs of hexadecimal digits between colons.
    case malformedValue
    /// The value has another length than the hash function gives.
    case wrongLength(expected: Int, actual: Int)
  }

  package let algorithm: Algorithm
  /// The hash: ``Algorithm/length`` bytes.
  package let bytes: [UInt8]

  /// Nil when `bytes` is not as long as the algorithm's hashes are.
  package init?(algorithm: Algorithm, bytes: [UInt8]) {
    guard bytes.count == algorithm.length else { return nil }
    self.algorithm = algorithm
    self.bytes = bytes
  }

  /// Parses the value of an `a=fingerprint` attribute: `sha-256 AA:BB:…`, in either case.
  package init(parsing text: some StringProtocol) throws(ParseError) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw .malformed }
    try self.init(hashFunction: parts[0], value: parts[1])
  }

  /// Parses the two halves of an `a=fingerprint` attribute.
  package init(hashFunction: some StringProtocol, value: some StringProtocol) throws(ParseError) {
    guard let algorithm = Algorithm(rawValue: hashFunction.lowercased()) else { throw .unsupportedAlgorithm }
    var bytes: [UInt8] = []
    for pair in value.split(separator: ":", omittingEmptySubsequences: false) {
      guard pair.utf8.count == 2, let decoded = Hex.decode(pair) else { throw .malformedValue }
      bytes += decoded
    }
    guard bytes.count == algorithm.length else {
      throw .wrongLength(expected: algorithm.length, actual: bytes.count)
    }
    self.algorithm = algorithm
    self.bytes = bytes
  }
}

extension DTLSFingerprint: CustomStringConvertible {
  /// The value of an `a=fingerprint` attribute: hash name, space, upper-case pairs between colons.
  package var description: String { "\(algorithm.rawValue) \(value)" }

  /// The hash alone: upper-case pairs between colons.
  package var value: String {
    bytes.map { Hex.encode([$0]).uppercased() }.joined(separator: ":")
  }
}
