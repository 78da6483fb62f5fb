import ControlRoom
import HTTPTypes
import Hummingbird
import Identity
import Incidents
import JSON

/// Accounts, for admins.
enum AccountRoutes {
  private static let tag = "accounts"
  private static let identifier = Schema.string(1...64, format: .identifier)
  private static let role = Schema.choice(Account.roles.map(\.rawValue))

  private static let newAccount = Schema.object([
    .required("userName", .string(3...64), "What they sign in with: letters, digits and . _ @ -."),
    .required("displayName", .string(1...64), "As others see them."),
    .required("role", role, "What they may do."),
    .required("password", .string(1...512), "The first password; at least 12 characters."),
    .optional("desk", identifier, "The dispatcher's desk."),
    .optional("unit", identifier, "The responder's unit."),
  ])

  private static let change = Schema.object([
    .optional("displayName", .string(1...64), "As others see them."),
    .optional("role", role, "What they may do from now on; what they hold open ends."),
    .optional("desk", .string(0...64), "The desk; empty for none."),
    .optional("unit", .string(0...64), "The unit; empty for none."),
    .optional("suspended", .boolean, "Whether they are kept out."),
    .optional("password", .string(1...512), "A new password; their sessions end."),
    .optional("removeSecondFactor", .boolean, "Takes the second factor off, for those who lost their phone."),
  ])

  static var routes: [APIRoute] {
    [
      APIRoute(.get, "/api/v1/accounts", .service(.manageAccounts), tag: tag, "All accounts.") { call in
        .json(["accounts": .array(call.room.accounts.all.map(\.publicView))])
      },
      APIRoute(
        .post, "/api/v1/accounts", .service(.manageAccounts), tag: tag, "Add an account.", body: .json(newAccount),
        success: (201, "application/json")
      ) { call in
        let body = call.body
        guard let role = body["role"]?.string.flatMap(Role.init) else { throw Problem.internalError }
        let account = try await call.room.accounts.add(
          .init(
            userName: body["userName"]?.string ?? "", displayName: body["displayName"]?.string ?? "", role: role,
            agency: call.account().agency, desk: body["desk"]?.string, unit: body["unit"]?.string,
            password: body["password"]?.string ?? ""), by: call.principal().actor)
        return .json(account.publicView, status: .created)
      },
      APIRoute(.get, "/api/v1/accounts/:account", .service(.manageAccounts), tag: tag, "One account.") { call in
        .json(try await find(call).publicView)
      },
      APIRoute(
        .patch, "/api/v1/accounts/:account", .service(.manageAccounts), tag: tag, "Change an account.",
        body: .json(change)
      ) { call in
        let account = try await find(call)
        for change in changes(call.body) {
          _ = try await call.room.accounts.change(account.id, change, by: call.principal().actor)
        }
        if call.body["removeSecondFactor"]?.bool == true {
          try await call.room.signIns.removeFactor(of: account.id, by: call.principal().actor)
        }
        return .json(try await find(call).publicView)
      },
    ]
  }

  private static func find(_ call: APICall) async throws -> Account {
    guard let account = call.room.accounts.account(id: try call.parameter("account")) else {
      throw Problem(.notFound, "There is no such account.")
    }
    return account
  }

  private static func changes(_ body: JSONValue) -> [AccountDirectory.Change] {
    let some = { (text: String) in text.isEmpty ? nil : text }
    return [
      body["displayName"]?.string.map { .displayName($0) },
      body["role"]?.string.flatMap(Role.init).map { .role($0) },
      body["desk"]?.string.map { .desk(some($0)) },
      body["unit"]?.string.map { .unit(some($0)) },
      body["password"]?.string.map { .password($0) },
      body["suspended"]?.bool.map { .suspended($0) },
    ].compactMap { $0 }
  }
}
