import Archive
import Cryptography
import Foundation
import Primitives
import Recorder
import Testing

@Suite("Keys of archives")
struct ArchiveKeyringTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString)")
  private let now = UTCTime(seconds: 1_795_403_482)
  private var current: URL { folder.appendingPathComponent("archive-keys/current") }

  private func withFolder(_ body: () throws -> Void) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body()
  }

  private func open(seed: UInt64 = 1) throws -> ArchiveKeyring {
    var random = RandomSource.seeded(seed)
    return try ArchiveKeyring(data: folder, now: now, random: &random)
  }

  private func write(_ text: String, mode: Int = 0o600) throws {
    try FileManager.default.createDirectory(
      at: current.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: current)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: current.path)
  }

  @Test("the first start makes a key that only its owner may read, later ones read it")
  func makesKeyOnce() throws {
    try withFolder {
      let key = try open(seed: 1).signingKey.publicKey
      #expect(try open(seed: 2).signingKey.publicKey == key)
      let mode = try FileManager.default.attributesOfItem(atPath: current.path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test("reading never makes a key")
  func readingMakesNothing() throws {
    try withFolder {
      #expect(throws: ArchiveKeyError.self) { try ArchiveKeyring(reading: folder) }
      #expect(!FileManager.default.fileExists(atPath: current.path))
    }
  }

  @Test("a rotation keeps public keys with their times, destroys the seed, and reaches a server that runs")
  func rotates() throws {
    try withFolder {
      let server = try open()
      let first = server.signingKey.publicKey
      let seed = try String(contentsOf: current, encoding: .utf8).prefix(64)
      let tool = try ArchiveKeyring(reading: folder)
      var random = RandomSource.seeded(5)
      try tool.rotate(now: now + .seconds(60), random: &random)
      #expect(server.signingKey.publicKey == first)
      #expect(try server.refresh())
      #expect(try !server.refresh())
      #expect(server.signingKey.publicKey == tool.signingKey.publicKey && tool.signingKey.publicKey != first)
      #expect(server.entries.map(\.key) == [first, tool.signingKey.publicKey])
      #expect(server.entries[0].until == now + .seconds(60) && server.entries[1].until == nil)
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.path + "/archive-keys") {
        let text = try String(contentsOfFile: folder.path + "/archive-keys/\(name)", encoding: .utf8)
        #expect(!text.contains(seed), "\(name) still holds the seed")
      }
    }
  }

  @Test(
    "a key file that cannot be used is an error and stays as it is",
    arguments: [
      "", "abc", String(repeating: "1", count: 64), String(repeating: "1", count: 62) + " 2026-11-23T03:11:22Z",
    ])
  func refusesBadKeys(_ text: String) throws {
    try withFolder {
      try write(text)
      #expect(throws: ArchiveKeyError.self) { try open() }
      #expect(try String(contentsOf: current, encoding: .utf8) == text)
    }
  }

  @Test("a key that others can read is refused, and so is a link")
  func refusesExposedKeys() throws {
    try withFolder {
      let text = String(repeating: "1", count: 64) + " 2026-11-23T03:11:22Z\n"
      try write(text, mode: 0o644)
      #expect(throws: ArchiveKeyError.self) { try open() }
      try write(text)
      _ = try open()
      try FileManager.default.moveItem(at: current, to: folder.appendingPathComponent("elsewhere"))
      try FileManager.default.createSymbolicLink(
        at: current, withDestinationURL: folder.appendingPathComponent("elsewhere"))
      #expect(throws: ArchiveKeyError.self) { try open() }
    }
  }

  @Test("a server keeps its key when the file is broken while it runs")
  func keepsKeyOfRunningServer() throws {
    try withFolder {
      let server = try open()
      let key = server.signingKey.publicKey
      try write("broken")
      #expect(throws: ArchiveKeyError.self) { try server.refresh() }
      #expect(server.signingKey.publicKey == key)
    }
  }
}
