import Cryptography
import Primitives

/// Public keys as text: 64 hexadecimal digits a line, as in `key.pub`.
package enum ArchivePublicKeys {
  /// Keys of one file at most.
  package static let maximumKeys = 1_000

  /// The text of a key file.
  package static func text(_ keys: [Ed25519PublicKey]) -> String {
    keys.map { Hex.encode($0.bytes) + "\n" }.joined()
  }

  /// Parses one or more keys, a line each; nil when there is none, or anything else.
  package static func parse(_ bytes: [UInt8]) -> [Ed25519PublicKey]? {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    var keys: [Ed25519PublicKey] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let digits = line.drop { $0 == " " }.prefix { $0 != " " }
      guard let key = Hex.decode(digits).flatMap({ Ed25519PublicKey($0) }), keys.count < maximumKeys else {
        return nil
      }
      keys.append(key)
    }
    return keys.isEmpty ? nil : keys
  }

  /// Parses `key.pub` of an archive, in the one form that it is written in.
  static func parseExactly(_ bytes: [UInt8]) -> [Ed25519PublicKey]? {
    guard let keys = parse(bytes), Array(text(keys).utf8) == bytes else { return nil }
    return keys
  }
}
