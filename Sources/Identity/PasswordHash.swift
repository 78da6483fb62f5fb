import Cryptography
import Primitives

/// A password as it is stored: what scrypt (RFC 7914) makes of it, with salt and cost, so that the cost can rise later.
package struct PasswordHash: Hashable, Sendable {
  private let cost: Scrypt.Cost
  private let salt: [UInt8]
  private let hash: [UInt8]

  /// 32 MiB and some 60 ms for each try.
  package static let cost: Scrypt.Cost = {
    guard let cost = Scrypt.Cost(logarithmicN: 15, r: 8, p: 1) else { preconditionFailure("a usable cost") }
    return cost
  }()

  private static let saltLength = 16
  private static let hashLength = 32

  /// Hashes `password`; takes the time that ``cost`` says.
  package init(_ password: String, random: inout RandomSource) {
    let salt = random.bytes(Self.saltLength)
    let hash = Scrypt.derive(password: Array(password.utf8), salt: salt, cost: Self.cost, length: Self.hashLength)
    guard let hash else { preconditionFailure("the OpenSSL provider lacks scrypt") }
    self.cost = Self.cost
    self.salt = salt
    self.hash = hash
  }

  /// Reads ``text``; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let salt = Base64URL.decode(parts[3]),
      let hash = Base64URL.decode(parts[4]), hash.count >= 16
    else { return nil }
    let numbers = parts[2].split(separator: ",").map { $0.split(separator: "=") }
    guard numbers.count == 3, numbers.map(\.first) == ["ln", "r", "p"],
      let logarithmicN = numbers[0].last.flatMap({ Int($0) }), let r = numbers[1].last.flatMap({ Int($0) }),
      let p = numbers[2].last.flatMap({ Int($0) }), let cost = Scrypt.Cost(logarithmicN: logarithmicN, r: r, p: p)
    else { return nil }
    self.cost = cost
    self.salt = salt
    self.hash = hash
  }

  /// `$scrypt$ln=15,r=8,p=1$salt$hash`, base64url.
  package var text: String {
    "$scrypt$ln=\(cost.logarithmicN),r=\(cost.r),p=\(cost.p)$\(Base64URL.encode(salt))$\(Base64URL.encode(hash))"
  }

  /// Whether it should be made anew when its owner signs in next.
  package var needsRehash: Bool { cost != Self.cost }

  /// Whether `password` is the one; takes the same time whatever the answer.
  package func matches(_ password: String) -> Bool {
    let other = Scrypt.derive(password: Array(password.utf8), salt: salt, cost: cost, length: hash.count)
    return other.map { MessageAuthentication.areEqual($0, hash) } ?? false
  }

  /// What unknown users are held against, so that trying names takes as long as trying passwords.
  package static let decoy: PasswordHash = {
    var random = RandomSource.system
    return PasswordHash(Hex.encode(random.bytes(16)), random: &random)
  }()
}

/// Which passwords are taken (NIST SP 800-63B §5.1.1.2): long ones, and not those that everybody tries first.
package enum PasswordPolicy {
  /// In Unicode scalars.
  package static let length = 12...128

  /// What is wrong with a password, in words for its owner; nil when it is good.
  package static func objection(to password: String, userName: String) -> String? {
    guard length.contains(password.unicodeScalars.count) else {
      return "Take \(length.lowerBound) to \(length.upperBound) characters. A few words make a good password."
    }
    let lowered = password.lowercased()
    if !userName.isEmpty, lowered.contains(userName.lowercased()) { return "It must not contain your user name." }
    if Set(lowered).count < 4 || common.contains(where: { lowered.hasPrefix($0) && lowered.count < $0.count + 6 }) {
      return "It is one of those that everybody tries first. A few words make a good password."
    }
    return nil
  }

  private static let common = [
    "password", "passwort", "123456789", "qwertyuiop", "qwertzuiop", "iloveyou", "letmein", "welcome", "administrator",
    "changeme", "sightline", "emergency", "abcdefgh", "111111", "football", "princess",
  ]
}
