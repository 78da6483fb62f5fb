import Cryptography
import JSON
import Primitives

/// A signed-in browser.
///
/// The secret in its cookie is nowhere stored: only its SHA-256 is.
package struct Session: Hashable, Sendable {
  /// SHA-256 of the secret, hexadecimal: its name.
  package let id: String
  package let account: String
  package let createdAt: UTCTime
  package var lastSeenAt: UTCTime
  package var isLocked = false
  /// What a page repeats in `X-CSRF-Token`: other sites cannot read it.
  package let csrfToken: String

  package init(id: String, account: String, createdAt: UTCTime, csrfToken: String) {
    self.id = id
    self.account = account
    self.createdAt = createdAt
    lastSeenAt = createdAt
    self.csrfToken = csrfToken
  }

  package var document: JSONValue {
    [
      "account": .string(account), "createdAt": .string(createdAt.description),
      "lastSeenAt": .string(lastSeenAt.description), "locked": .bool(isLocked), "csrf": .string(csrfToken),
    ]
  }

  package init?(id: String, document: JSONValue) {
    guard let account = document["account"]?.string, let csrf = document["csrf"]?.string,
      let createdAt = document["createdAt"]?.string.flatMap({ UTCTime($0) }),
      let lastSeenAt = document["lastSeenAt"]?.string.flatMap({ UTCTime($0) })
    else { return nil }
    self.init(id: id, account: account, createdAt: createdAt, csrfToken: csrf)
    self.lastSeenAt = lastSeenAt
    isLocked = document["locked"]?.bool ?? false
  }
}

/// A program's key to the API: acts as its account.
package struct BearerToken: Hashable, Sendable {
  /// SHA-256 of the secret, hexadecimal.
  package let id: String
  package let account: String
  package let name: String
  package let createdAt: UTCTime
  package let expiresAt: UTCTime

  package init(id: String, account: String, name: String, createdAt: UTCTime, expiresAt: UTCTime) {
    self.id = id
    self.account = account
    self.name = name
    self.createdAt = createdAt
    self.expiresAt = expiresAt
  }

  /// How every bearer token of this service begins, so that scanners find one that was published by mistake.
  package static let prefix = "sl_"

  package var document: JSONValue {
    [
      "account": .string(account), "name": .string(name), "createdAt": .string(createdAt.description),
      "expiresAt": .string(expiresAt.description),
    ]
  }

  package init?(id: String, document: JSONValue) {
    guard let account = document["account"]?.string, let name = document["name"]?.string,
      let createdAt = document["createdAt"]?.string.flatMap({ UTCTime($0) }),
      let expiresAt = document["expiresAt"]?.string.flatMap({ UTCTime($0) })
    else { return nil }
    self.init(id: id, account: account, name: name, createdAt: createdAt, expiresAt: expiresAt)
  }
}

/// Random secrets and the names that they are stored under.
package enum Secret {
  /// 256 random bits, base64url.
  package static func make(random: inout RandomSource) -> String { Base64URL.encode(random.bytes(32)) }

  /// SHA-256 of a secret, hexadecimal.
  package static func identifier(of secret: String) -> String { Hex.encode(Digest.sha256(Array(secret.utf8))) }
}
