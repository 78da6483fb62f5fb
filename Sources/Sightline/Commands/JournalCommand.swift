import ArgumentParser
import Foundation
import JSON
import Storage

/// The journals of a data folder.
struct JournalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "journal",
    abstract: "Check the journals of a data folder, also while the server runs.",
    discussion: """
      sightline journal verify --data /var/lib/sightline
      """,
    subcommands: [Verify.self])

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make every hash anew; status 0 when all chains are whole, 1 when not.")

    @Option(help: "The node's data folder.") var data: String
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let storage = try SQLiteStorage(folder: URL(fileURLWithPath: data), mode: .tool)
      defer { storage.close() }
      let showsProgress = !json && isatty(STDERR_FILENO) == 1
      let report = try JournalVerifier(storage: storage).verify { count in
        if showsProgress, count % 1_000 == 0 { FileHandle.standardError.write(Data("\r\(count) journals".utf8)) }
      }
      if json {
        let value: JSONValue = [
          "journals": .integer(report.journals), "events": .integer(report.events),
          "faults": .array(report.faults.map { .string($0) }),
        ]
        print(value.canonical)
      } else {
        print("\(report.journals) journals, \(report.events) events: \(report.faults.isEmpty ? "whole" : "DAMAGED")")
        for fault in report.faults { print("  \(fault)") }
      }
      if !report.faults.isEmpty { throw ExitCode(1) }
    }
  }
}
