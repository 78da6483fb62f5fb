import Cryptography
import Foundation
import Gateway
import Primitives

/// The key that signs links and tokens: 32 bytes in the data folder, readable by its owner only.
enum TokenKeyFile {
  private static let name = "token-signing-key"

  /// Reads the key, or makes one when the folder has none yet.
  static func load(from folder: URL) throws -> TokenAuthority {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appendingPathComponent(name)
    if !FileManager.default.fileExists(atPath: file.path) { try make(at: file) }
    let text = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    guard let seed = Hex.decode(text), let key = Ed25519PrivateKey(seed: seed) else {
      throw KeyFileError(path: file.path)
    }
    return TokenAuthority(signingKey: key)
  }

  private static func make(at file: URL) throws {
    var random = RandomSource.system
    let text = Hex.encode(random.bytes(Ed25519PrivateKey.seedLength))
    let created = FileManager.default.createFile(
      atPath: file.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    guard created else { throw KeyFileError(path: file.path) }
  }
}

/// The key file cannot be used.
struct KeyFileError: Error, CustomStringConvertible {
  let path: String

  var description: String {
    "The signing key \(path) cannot be read or written. It must hold 64 hexadecimal digits. Restore it from a backup; "
      + "if you delete it, all links that were sent become worthless."
  }
}
