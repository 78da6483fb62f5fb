import ArgumentParser
import ControlRoom
import Foundation
import Incidents
import JSON
import Primitives
import Storage

/// Makes incidents up, for benchmarks of the catalogue: journals and documents, as a server would have written them.
struct FillArchiveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fill-archive", abstract: "Fill a data folder with made-up incidents, for benchmarks.",
    shouldDisplay: false)

  @Option(help: "Data folder of a server that is not running; made if it is missing.") var data: String
  @Option(help: "How many incidents.") var incidents = 100_000
  @Option(help: "Name of their agency.") var agency = "agency"
  @Option(help: "The same seed makes the same incidents.") var seed: UInt64 = 1

  /// Incidents in one transaction.
  private static let batch = 500

  func run() throws {
    let storage = try SQLiteStorage(folder: URL(fileURLWithPath: data))
    defer { storage.close() }
    var stories = MadeUpIncidents(agency: agency, seed: seed)
    var made = 0
    while made < incidents {
      var transaction = StorageTransaction()
      for _ in 0..<min(Self.batch, incidents - made) {
        let events = stories.next()
        transaction.events += events
        made += 1
        guard let record = CatalogRecord(folding: events) else { continue }
        transaction.changes.append(record.change)
        if let summary = stories.summary(of: events) { transaction.changes.append(summary) }
      }
      try storage.append(transaction)
    }
    print("\(made) incidents")
  }
}
