/// Where a core gets its randomness: the system's generator in service, a seed in a simulation.
package struct RandomSource: RandomNumberGenerator, Sendable {
  private enum Kind: Sendable {
    case system
    case seeded(state: UInt64)
  }

  private var kind: Kind

  private init(kind: Kind) {
    self.kind = kind
  }

  /// The operating system's cryptographic generator.
  package static let system = RandomSource(kind: .system)

  /// A reproducible sequence (SplitMix64).
  ///
  /// Never for keys.
  package static func seeded(_ seed: UInt64) -> RandomSource {
    RandomSource(kind: .seeded(state: seed))
  }

  package mutating func next() -> UInt64 {
    switch kind {
    case .system:
      var generator = SystemRandomNumberGenerator()
      return generator.next()
    case .seeded(var state):
      state &+= 0x9e37_79b9_7f4a_7c15
      kind = .seeded(state: state)
      var word = state
      word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
      word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
      return word ^ word >> 31
    }
  }

  /// `count` random bytes.
  package mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 56) }
  }

  /// `length` random characters out of ICE's alphabet, letters, digits, `+` and `/` (RFC 8839 §5.4).
  package mutating func iceString(length: Int) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    return String((0..<length).map { _ in alphabet[Int(next() >> 58)] })
  }
}
