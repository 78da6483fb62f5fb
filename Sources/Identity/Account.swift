import Incidents
import JSON
import Primitives

/// Somebody of the agency who signs in.
package struct Account: Hashable, Sendable {
  package enum State: String, Hashable, Sendable {
    case active
    case suspended
  }

  /// Never given again.
  package let id: String
  /// What they sign in with: small letters, digits and `._@-`, unique on the node.
  package let userName: String
  package var displayName: String
  package var role: Role
  package var agency: String
  /// The dispatcher's desk.
  package var desk: String?
  /// The responder's unit.
  package var unit: String?
  package var password: PasswordHash
  /// The sealed secret of the second factor.
  package var sealedTOTP: [UInt8]?
  /// Step of the last one-time password that was used.
  package var lastTOTPStep: Int64 = 0
  package var state = State.active
  package let createdAt: UTCTime

  package init(
    id: String, userName: String, displayName: String, role: Role, agency: String, desk: String? = nil,
    unit: String? = nil, password: PasswordHash, createdAt: UTCTime
  ) {
    self.id = id
    self.userName = userName
    self.displayName = displayName
    self.role = role
    self.agency = agency
    self.desk = desk
    self.unit = unit
    self.password = password
    self.createdAt = createdAt
  }

  /// Roles that an account can have; the others come by link or are the server's own.
  package static let roles: [Role] = [
    .operator, .dispatcher, .responder, .supervisor, .custodian, .auditor, .trainer, .admin, .integration,
  ]

  /// The user name as it is kept; nil when it is none.
  package static func normalized(userName: String) -> String? {
    let name = userName.lowercased()
    let isUsable = name.utf8.allSatisfy { $0.isASCIILetterOrDigit || "._@-".utf8.contains($0) }
    return (3...64).contains(name.utf8.count) && isUsable ? name : nil
  }

  package var actor: Actor { Actor(id: id, role: role, name: displayName) }

  package var facts: PrincipalFacts {
    PrincipalFacts(actorID: id, role: role, agency: agency, linkedIncident: nil, unit: unit, desk: desk)
  }

  /// What others may see of it: no secrets.
  package var publicView: JSONValue {
    .members([
      "id": .string(id), "userName": .string(userName), "displayName": .string(displayName),
      "role": .string(role.rawValue), "agency": .string(agency), "desk": desk.map { .string($0) },
      "unit": unit.map { .string($0) }, "state": .string(state.rawValue), "secondFactor": .bool(sealedTOTP != nil),
      "createdAt": .string(createdAt.description),
    ])
  }

  /// The account as it is stored.
  package var document: JSONValue {
    guard case .object(var members) = publicView else { preconditionFailure("an object") }
    members["secondFactor"] = nil
    members["password"] = .string(password.text)
    members["totp"] = sealedTOTP.map { .string(Base64URL.encode($0)) }
    members["lastTOTPStep"] = .integer(lastTOTPStep)
    return .object(members)
  }

  /// Reads ``document``; nil when a part is missing.
  package init?(document: JSONValue) {
    guard let id = document["id"]?.string, let userName = document["userName"]?.string,
      let displayName = document["displayName"]?.string, let role = document["role"]?.string.flatMap(Role.init),
      let agency = document["agency"]?.string,
      let password = document["password"]?.string.flatMap({ PasswordHash($0) }),
      let state = document["state"]?.string.flatMap(State.init),
      let createdAt = document["createdAt"]?.string.flatMap({ UTCTime($0) })
    else { return nil }
    self.init(
      id: id, userName: userName, displayName: displayName, role: role, agency: agency,
      desk: document["desk"]?.string, unit: document["unit"]?.string, password: password, createdAt: createdAt)
    self.state = state
    sealedTOTP = document["totp"]?.string.flatMap { Base64URL.decode($0) }
    lastTOTPStep = Int64(document["lastTOTPStep"]?.integer ?? 0)
  }
}
