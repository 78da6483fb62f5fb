import Cryptography
import Foundation
import Gateway

/// The key that signs links and tokens.
enum TokenKeyFile {
  static func load(from folder: URL) throws -> TokenAuthority {
    let seed = try KeyFile.load("token-signing-key", from: folder)
    guard let key = Ed25519PrivateKey(seed: seed) else { throw KeyFileError(path: folder.path) }
    return TokenAuthority(signingKey: key)
  }
}
