import Primitives

/// A user name fragment and password: one end's half of a generation's credentials (RFC 8445 §5.3).
package struct ICECredentials: Hashable, Sendable {
  package let usernameFragment: String
  package let password: String

  /// Characters of our fragments: 48 random bits, twice what RFC 8445 §5.3 asks for.
  package static let usernameFragmentLength = 8
  /// Characters of our passwords: 144 random bits.
  package static let passwordLength = 24

  package init(usernameFragment: String, password: String) {
    self.usernameFragment = usernameFragment
    self.password = password
  }

  /// Fresh credentials for one generation.
  package static func random(using random: inout RandomSource) -> ICECredentials {
    ICECredentials(
      usernameFragment: random.iceString(length: usernameFragmentLength),
      password: random.iceString(length: passwordLength))
  }

  /// The short-term key of STUN's integrity attribute (RFC 8489 §9.1.1).
  var key: [UInt8] { Array(password.utf8) }
}
