import ControlRoom
import Foundation
import Identity
import Incidents
import JSON
import Primitives

/// The demo agency's staff: one account a role, with a password and a bearer token, kept in the data folder so that a
/// restart prints the same.
struct DemoAccounts {
  /// What was made, by role: `userName`, `password`, `token`.
  let all: [Role: JSONValue]

  private static let file = "demo-accounts.json"

  /// Makes the accounts, or reads what an earlier start made.
  static func make(in room: ControlRoom, data: URL) async throws -> DemoAccounts {
    let file = data.appendingPathComponent(file)
    if let text = try? String(contentsOf: file, encoding: .utf8), let known = try? JSONValue(parsing: text).object {
      let pairs = known.compactMap { name, value in Role(rawValue: name).map { ($0, value) } }
      return DemoAccounts(all: Dictionary(pairs, uniquingKeysWith: { $1 }))
    }
    var all: [Role: JSONValue] = [:]
    for role in Account.roles { all[role] = try await account(role, in: room) }
    let kept = JSONValue.object(Dictionary(uniqueKeysWithValues: all.map { ($0.key.rawValue, $0.value) }))
    try SecretFile.write(kept.canonical, to: file)
    return DemoAccounts(all: all)
  }

  private static func account(_ role: Role, in room: ControlRoom) async throws -> JSONValue {
    var random = RandomSource.system
    let password = Base64URL.encode(random.bytes(12))
    let account = try await room.accounts.add(
      .init(
        userName: "demo-\(role.rawValue)", displayName: "Demo \(role.rawValue)", role: role, agency: room.agency,
        desk: role == .dispatcher ? "desk-1" : nil, unit: role == .responder ? "ems-1" : nil, password: password),
      by: .system)
    let token = try await room.signIns.makeToken(for: account, name: "demo", days: 30, by: .system)
    return [
      "userName": .string(account.userName), "password": .string(password), "token": .string(token.secret),
      "id": .string(account.id),
    ]
  }

  var json: JSONValue {
    .object(Dictionary(uniqueKeysWithValues: all.map { ($0.key.rawValue, $0.value) }))
  }
}
