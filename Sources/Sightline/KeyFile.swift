import Foundation
import Primitives

/// 32 secret bytes in the data folder, made at the first start and readable by its owner only.
enum KeyFile {
  static let length = 32

  /// Reads the key `name`, or makes one when the folder has none yet.
  static func load(_ name: String, from folder: URL) throws -> [UInt8] {
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let file = folder.appendingPathComponent(name)
    if !FileManager.default.fileExists(atPath: file.path) { try make(at: file) }
    let text = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    guard let key = Hex.decode(text), key.count == length else { throw KeyFileError(path: file.path) }
    return key
  }

  private static func make(at file: URL) throws {
    var random = RandomSource.system
    try SecretFile.write(Hex.encode(random.bytes(length)), to: file)
  }
}

/// A small file that only its owner may read.
enum SecretFile {
  static func write(_ text: String, to file: URL) throws {
    try? FileManager.default.removeItem(at: file)
    let created = FileManager.default.createFile(
      atPath: file.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    guard created else { throw KeyFileError(path: file.path) }
  }
}

/// A key file cannot be used.
struct KeyFileError: Error, CustomStringConvertible {
  let path: String

  var description: String {
    "The key file \(path) cannot be read or written. It must hold 64 hexadecimal digits. Restore it from a backup; if you "
      + "delete it, what it signed or sealed (links that were sent, second factors) becomes worthless."
  }
}
