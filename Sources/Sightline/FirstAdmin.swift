import ControlRoom
import Foundation
import Identity
import Logging

/// A node without accounts makes its first admin by itself.
enum FirstAdmin {
  private static let file = "first-admin-password"

  /// Adds the account `admin` when there is none at all; its password lies in a file that only the node's owner can read.
  static func ensure(in room: ControlRoom, data: URL, logger: Logger) async throws {
    guard room.accounts.isEmpty else { return }
    let password = PasswordSource.make()
    _ = try await room.accounts.add(
      .init(userName: "admin", displayName: "Admin", role: .admin, agency: room.agency, password: password),
      by: .system)
    let path = data.appendingPathComponent(file)
    try SecretFile.write(password + "\n", to: path)
    logger.notice("made the first account, admin; its password is in \(path.path): sign in, change it, delete the file")
  }
}
