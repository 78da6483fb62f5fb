import ArgumentParser
import ControlRoom
import Foundation
import Identity
import Incidents
import JSON
import Primitives
import Storage

/// Accounts from the command line, while no server uses the data folder.
struct UsersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "users",
    abstract: "Accounts: add, list, change; while the server runs, an admin does this over HTTP.",
    discussion: """
      sightline users add anna --data /var/lib/sightline --role operator --name "Anna Berg"
      sightline users list --data /var/lib/sightline --json
      sightline users suspend anna --data /var/lib/sightline
      sightline users password anna --data /var/lib/sightline --generate
      """,
    subcommands: [Add.self, List.self, Password.self, Suspend.self, Restore.self, RemoveFactor.self])

  /// What all of them need.
  struct Options: ParsableArguments {
    @Option(help: "The node's data folder.") var data: String
    @Option(help: "Name of the agency, as the server is given it.") var agency = "agency"

    /// Opens the store as the one who changes it, runs `body`, and closes it again.
    func withRoom<Value>(_ body: (ControlRoom) async throws -> Value) async throws -> Value {
      let folder = URL(fileURLWithPath: data)
      let storage = try SQLiteStorage(folder: folder)
      defer { storage.close() }
      let room = try ControlRoom(storage: storage, agency: agency, secrets: try Node.secrets(in: folder)) { error in
        FileHandle.standardError.write(Data("The change could not be stored: \(error.text)\n".utf8))
      }
      defer { room.stop() }
      return try await body(room)
    }

    func find(_ userName: String, in room: ControlRoom) throws -> Account {
      guard let account = room.accounts.account(userName: userName) else {
        throw ValidationError("There is no account \(userName). `sightline users list` shows all.")
      }
      return account
    }
  }

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Add an account.")
    @OptionGroup var options: Options
    @Argument(help: "What they sign in with.") var userName: String
    @Option(help: "One of \(Account.roles.map(\.rawValue).joined(separator: ", ")).") var role: String
    @Option(help: "As others see them.") var name: String?
    @Option(help: "A dispatcher's desk.") var desk: String?
    @Option(help: "A responder's unit.") var unit: String?
    @Flag(help: "Make up a password and print it, instead of reading one from standard input.") var generate = false

    func run() async throws {
      guard let role = Role(rawValue: role) else {
        throw ValidationError("--role is one of \(Account.roles.map(\.rawValue).joined(separator: ", ")).")
      }
      let password = try PasswordSource.read(generate: generate)
      try await options.withRoom { room in
        _ = try await room.accounts.add(
          .init(
            userName: userName, displayName: name ?? userName, role: role, agency: options.agency, desk: desk,
            unit: unit, password: password), by: .commandLine)
      }
      print(generate ? "\(userName): \(password)" : "Added \(userName).")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show all accounts.")
    @OptionGroup var options: Options
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let accounts = try await options.withRoom { $0.accounts.all }
      if json { return print(JSONValue.array(accounts.map(\.publicView)).canonical) }
      for account in accounts {
        let factor = account.sealedTOTP == nil ? "password" : "password and code"
        print(
          "\(account.userName)\t\(account.role.rawValue)\t\(account.state.rawValue)\t\(factor)\t\(account.displayName)")
      }
    }
  }

  struct Password: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Give an account a new password; its sessions end.")
    @OptionGroup var options: Options
    @Argument(help: "Whose.") var userName: String
    @Flag(help: "Make up a password and print it, instead of reading one from standard input.") var generate = false

    func run() async throws {
      let password = try PasswordSource.read(generate: generate)
      try await options.withRoom { room in
        let account = try options.find(userName, in: room)
        _ = try await room.accounts.change(account.id, .password(password), by: .commandLine)
      }
      print(generate ? "\(userName): \(password)" : "Changed.")
    }
  }

  struct Suspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Keep somebody out; sessions and tokens end.")
    @OptionGroup var options: Options
    @Argument(help: "Whom.") var userName: String

    func run() async throws {
      try await options.withRoom { room in
        let account = try options.find(userName, in: room)
        _ = try await room.accounts.change(account.id, .suspended(true), by: .commandLine)
      }
    }
  }

  struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let somebody in again.")
    @OptionGroup var options: Options
    @Argument(help: "Whom.") var userName: String

    func run() async throws {
      try await options.withRoom { room in
        let account = try options.find(userName, in: room)
        _ = try await room.accounts.change(account.id, .suspended(false), by: .commandLine)
      }
    }
  }

  struct RemoveFactor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "remove-second-factor", abstract: "For those who lost their phone.")
    @OptionGroup var options: Options
    @Argument(help: "Whose.") var userName: String

    func run() async throws {
      try await options.withRoom { room in
        let account = try options.find(userName, in: room)
        try await room.signIns.removeFactor(of: account.id, by: .commandLine)
      }
    }
  }
}

/// Where a password comes from.
enum PasswordSource {
  /// A made-up password, or the first line of standard input.
  static func read(generate: Bool) throws -> String {
    if generate { return make() }
    if isatty(STDIN_FILENO) == 1 { FileHandle.standardError.write(Data("Password (it is shown): ".utf8)) }
    guard let line = readLine(strippingNewline: true), !line.isEmpty else {
      throw ValidationError("Give the password on standard input, or --generate.")
    }
    return line
  }

  static func make() -> String {
    var random = RandomSource.system
    return Base64URL.encode(random.bytes(15))
  }
}
