import Archive
import Cryptography
import Foundation
import Primitives
import Synchronization

/// The keys that a node seals archives with: one that signs, and the public halves of those before.
///
/// `current` holds the seed and since when it is used; `retired` a line for each key that was rotated: its public half,
/// from when and until when. The seed of a rotated key is destroyed, so that whoever takes the node later cannot rewrite
/// what was sealed before. Safe to share: a lock guards what was read last.
package final class ArchiveKeyring: Sendable {
  /// A key, by its public half.
  package struct Entry: Hashable, Sendable {
    package let key: Ed25519PublicKey
    package let since: UTCTime
    /// Nil for the one in use.
    package let until: UTCTime?
  }

  private struct State {
    var signing: Ed25519PrivateKey
    var entries: [Entry]
    var stamp: ArchiveKeyFile.Stamp?
  }

  /// The folder's name within the node's data.
  package static let folderName = "archive-keys"
  /// Rotations that are kept.
  package static let maximumEntries = ArchivePublicKeys.maximumKeys

  private let folder: URL
  private let state: Mutex<State>

  private static func currentPath(_ folder: URL) -> String { folder.appendingPathComponent("current").path }
  private static func retiredPath(_ folder: URL) -> String { folder.appendingPathComponent("retired").path }

  /// Reads the keys in the node's data folder; makes the first key when there is none.
  package init(data: URL, now: UTCTime, random: inout RandomSource) throws(ArchiveKeyError) {
    folder = data.appendingPathComponent(Self.folderName)
    try Self.prepare(folder)
    if try ArchiveKeyFile.read(Self.currentPath(folder), isSecret: true) == nil {
      try Self.write(seed: random.bytes(Ed25519PrivateKey.seedLength), since: now, in: folder)
    }
    state = Mutex(try Self.load(folder))
  }

  /// Reads the keys of a node that has some; never makes one.
  package init(reading data: URL) throws(ArchiveKeyError) {
    folder = data.appendingPathComponent(Self.folderName)
    state = Mutex(try Self.load(folder))
  }

  /// The key that seals.
  package var signingKey: Ed25519PrivateKey { state.withLock { $0.signing } }

  /// All keys, the one in use last.
  package var entries: [Entry] { state.withLock { $0.entries } }

  /// Reads the folder again if it changed; called before each seal, so that a rotation reaches a server that runs.
  ///
  /// Throws when what is there cannot be used; the key in use stays.
  ///
  /// - Returns: Whether there is another key now.
  @discardableResult
  package func refresh() throws(ArchiveKeyError) -> Bool {
    let stamp = ArchiveKeyFile.stamp(of: Self.currentPath(folder))
    guard stamp != state.withLock({ $0.stamp }) else { return false }
    let loaded = try Self.load(folder)
    return state.withLock { state in
      defer { state = loaded }
      return state.signing.publicKey != loaded.signing.publicKey
    }
  }

  /// Retires the key in use for a new one.
  package func rotate(now: UTCTime, random: inout RandomSource) throws(ArchiveKeyError) {
    try refresh()
    var retired = entries
    guard let last = retired.popLast(), retired.count < Self.maximumEntries - 1 else {
      throw ArchiveKeyError(Self.retiredPath(folder), "holds \(Self.maximumEntries) keys, which is the most it may")
    }
    retired.append(Entry(key: last.key, since: last.since, until: max(now, last.since)))
    // The public half is kept before its seed goes; a crash between leaves a line that names the key in use.
    try ArchiveKeyFile.replace(Self.retiredPath(folder), with: retired.map(Self.line).joined())
    try Self.write(seed: random.bytes(Ed25519PrivateKey.seedLength), since: now, in: folder)
    let loaded = try Self.load(folder)
    state.withLock { $0 = loaded }
  }

  // MARK: - Files

  private static func prepare(_ folder: URL) throws(ArchiveKeyError) {
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw ArchiveKeyError(folder.path, "cannot be made")
    }
  }

  private static func write(seed: [UInt8], since: UTCTime, in folder: URL) throws(ArchiveKeyError) {
    try ArchiveKeyFile.replace(currentPath(folder), with: "\(Hex.encode(seed)) \(since)\n")
  }

  private static func line(_ entry: Entry) -> String {
    "\(Hex.encode(entry.key.bytes)) \(entry.since) \(entry.until ?? entry.since)\n"
  }

  private static func load(_ folder: URL) throws(ArchiveKeyError) -> State {
    let path = currentPath(folder)
    let stamp = ArchiveKeyFile.stamp(of: path)
    guard let text = try ArchiveKeyFile.read(path, isSecret: true) else {
      throw ArchiveKeyError(path, "is missing")
    }
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 2, let seed = Hex.decode(words[0]), let signing = Ed25519PrivateKey(seed: seed),
      let since = UTCTime(words[1])
    else { throw ArchiveKeyError(path, "does not hold a key: 64 hexadecimal digits and a time") }
    let retired = try retired(folder).filter { $0.key != signing.publicKey }
    let current = Entry(key: signing.publicKey, since: since, until: nil)
    return State(signing: signing, entries: retired + [current], stamp: stamp)
  }

  private static func retired(_ folder: URL) throws(ArchiveKeyError) -> [Entry] {
    let path = retiredPath(folder)
    var entries: [Entry] = []
    for line in (try ArchiveKeyFile.read(path, isSecret: false) ?? "").split(whereSeparator: \.isNewline) {
      let words = line.split(separator: " ")
      guard words.count == 3, let key = Hex.decode(words[0]).flatMap({ Ed25519PublicKey($0) }),
        let since = UTCTime(words[1]), let until = UTCTime(words[2]), entries.count < maximumEntries
      else { throw ArchiveKeyError(path, "has a line that is no key and two times") }
      entries.append(Entry(key: key, since: since, until: until))
    }
    return entries
  }
}
