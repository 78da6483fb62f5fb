import Foundation
import MediaServer
import Primitives

/// What a bearer may do: the claims of a signed token, scoped to one incident and to directions of media.
package struct AccessToken: Hashable, Sendable {
  /// The role its bearer acts in (DOMAIN, "Roles").
  package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    case caller
    case `operator`
    case dispatcher
    case responder
    case guest
    case supervisor
    /// A page that only watches.
    case viewer
    /// A camera, drone or encoder that publishes by WHIP.
    case device
  }

  /// Who it was issued to; sessions belong to the subject that opened them.
  package var subject: String
  /// Shown to the others in the incident.
  package var name: String
  package var incident: IncidentID
  package var directions: MediaPermissions
  package var kind: Kind
  package var issuedAt: UnixTime
  package var expiresAt: UnixTime
  /// Unique per token (RFC 7519 §4.1.7).
  package var tokenID: String

  /// Longest accepted subject, name and token identifier, in characters.
  package static let maximumTextLength = 64

  package init(
    subject: String, name: String, incident: IncidentID, directions: MediaPermissions, kind: Kind,
    issuedAt: UnixTime, expiresAt: UnixTime, tokenID: String
  ) {
    self.subject = subject
    self.name = name
    self.incident = incident
    self.directions = directions
    self.kind = kind
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
    self.tokenID = tokenID
  }
}

/// The claims as they stand in the token's payload.
private struct Claims: Codable {
  var sub: String
  var name: String
  var incident: String
  var direction: [String]
  var kind: AccessToken.Kind
  var iat: Int64
  var exp: Int64
  var jti: String
}

extension AccessToken {
  /// The claims' JSON.
  func encodePayload() -> [UInt8] {
    let claims = Claims(
      sub: subject, name: name, incident: incident.value, direction: directions.names, kind: kind,
      iat: issuedAt.seconds, exp: expiresAt.seconds, jti: tokenID)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(claims) else {
      preconditionFailure("strings and integers cannot fail to encode")
    }
    return Array(data)
  }

  /// Nil unless `payload` holds every claim, each within its bounds.
  init?(payload: [UInt8]) {
    guard let claims = try? JSONDecoder().decode(Claims.self, from: Data(payload)),
      let incident = IncidentID(claims.incident),
      let directions = MediaPermissions(names: claims.direction),
      [claims.sub, claims.name, claims.jti].allSatisfy(Self.isAcceptable)
    else { return nil }
    self.init(
      subject: claims.sub, name: claims.name, incident: incident, directions: directions, kind: claims.kind,
      issuedAt: UnixTime(seconds: claims.iat), expiresAt: UnixTime(seconds: claims.exp), tokenID: claims.jti)
  }

  private static func isAcceptable(_ text: String) -> Bool {
    !text.isEmpty && text.count <= maximumTextLength && text.unicodeScalars.allSatisfy { $0.value >= 0x20 }
  }
}

extension MediaPermissions {
  private static let named: [(name: String, permission: MediaPermissions)] = [
    ("publish", .publish), ("subscribe", .subscribe),
  ]

  /// The names on the wire, in a fixed order.
  package var names: [String] {
    Self.named.filter { contains($0.permission) }.map(\.name)
  }

  /// Nil for an empty list or an unknown name.
  init?(names: [String]) {
    self = []
    for name in names {
      guard let entry = Self.named.first(where: { $0.name == name }) else { return nil }
      insert(entry.permission)
    }
    if isEmpty { return nil }
  }
}
