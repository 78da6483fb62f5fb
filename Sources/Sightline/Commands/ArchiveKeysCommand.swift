import Archive
import ArgumentParser
import Cryptography
import Foundation
import JSON
import Primitives
import Recorder

/// The keys that a node seals archives with.
struct ArchiveKeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive-keys",
    abstract: "The keys that seal archives: list, rotate, export the public ones.",
    discussion: """
      The server makes the first key when it starts. A rotated key is taken up by a running server at its next seal, which
      is within a minute; its secret half is destroyed, its public half stays and proves what it sealed.

          sightline archive-keys list --data /var/lib/sightline
          sightline archive-keys rotate --data /var/lib/sightline
          sightline archive-keys export --data /var/lib/sightline > node.pub

      Keep exported keys where whoever can write the archives cannot: they are what `sightline verify` trusts.
      """,
    subcommands: [List.self, Rotate.self, Export.self])

  /// What all of them need.
  struct Options: ParsableArguments {
    @Option(help: "The node's data folder.") var data: String

    var folder: URL { URL(fileURLWithPath: data) }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show all keys, the one in use last.")
    @OptionGroup var options: Options
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let entries = try ArchiveKeyring(reading: options.folder).entries
      if json {
        let values = entries.map { entry in
          JSONValue.members([
            "key": .string(Hex.encode(entry.key.bytes)), "since": .string(entry.since.description),
            "until": entry.until.map { .string($0.description) },
          ])
        }
        return print(JSONValue.array(values).canonical)
      }
      for entry in entries {
        print("\(Hex.encode(entry.key.bytes))  \(entry.since) to \(entry.until?.description ?? "now")")
      }
    }
  }

  struct Rotate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Retire the key in use for a new one, also while the server runs.")
    @OptionGroup var options: Options

    func run() throws {
      let keyring = try ArchiveKeyring(reading: options.folder)
      var random = RandomSource.system
      try keyring.rotate(now: UTCTime(microseconds: Int64(Date().timeIntervalSince1970 * 1e6)), random: &random)
      print("New key: \(Hex.encode(keyring.signingKey.publicKey.bytes))")
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the public keys, a line each, as `sightline verify --key` takes them.")
    @OptionGroup var options: Options
    @Flag(help: "Only the key in use.") var current = false

    func run() throws {
      let keys = try ArchiveKeyring(reading: options.folder).entries.map(\.key)
      print(ArchivePublicKeys.text(current ? Array(keys.suffix(1)) : keys), terminator: "")
    }
  }
}
