import Archive
import ArgumentParser
import ControlRoom
import Foundation
import Identity
import Incidents
import JSON
import Primitives
import Recorder
import Storage

/// How long recordings are kept, from the command line.
struct RetentionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retention",
    abstract: "How long recordings are kept, what is due to go, and the sweep that deletes it.",
    discussion: """
      What the agency has decided, and what a sweep would delete now; also while the server runs:
        sightline retention --data /var/lib/sightline --dry-run

      Keep segments for 180 days after an incident's end and stills for a year, everything else for ever; and delete what
      is over. Only while no server uses the data folder; a running one is told over HTTP (PUT /api/v1/retention):
        sightline retention --data /var/lib/sightline --set media=180 --set stills=365
        sightline retention --data /var/lib/sightline --sweep

      Held incidents are left out of everything. Classes of data: media, stills, late. Journals are always kept.
      Status 1 when something could not be deleted.
      """)

  @Option(help: "The node's data folder.") var data: String
  @Option(help: "Name of the agency, as the server is given it.") var agency = "agency"
  @Option(help: "Days of a class, such as media=180, or media=ever; repeatable. Classes that are not named stay.")
  var set: [String] = []
  @Flag(help: "List what would go, and delete nothing. This is what happens when nothing else is asked for.")
  var dryRun = false
  @Flag(help: "Delete what is over.") var sweep = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if dryRun, sweep { throw ValidationError("Give --dry-run or --sweep.") }
    _ = try set.map(Self.rule)
  }

  func run() async throws {
    let folder = URL(fileURLWithPath: data)
    guard FileManager.default.fileExists(atPath: folder.appendingPathComponent("sightline.sqlite").path) else {
      throw ValidationError("\(data) is no data folder of a server: it has no sightline.sqlite.")
    }
    let changes = sweep || !set.isEmpty
    let storage = try SQLiteStorage(folder: folder, mode: changes ? .server : .tool)
    let room = try ControlRoom(storage: storage, agency: agency, secrets: try Node.secrets(in: folder)) { _ in }
    let keeping = ArchiveKeeping(
      room: room, archive: folder.appendingPathComponent("archive"),
      signingKey: { try ArchiveKeyring(reading: folder).signingKey })
    defer { storage.close() }
    await keeping.catalog.catchUp()
    let retention = keeping.retention
    if !set.isEmpty { try await change(retention) }
    let policy = try await retention.policy(of: agency)
    let report = sweep ? try await retention.sweep(agency: agency) : try await retention.preview(agency: agency)
    if changes { await keeping.stop() }
    room.stop()
    print(json ? Self.json(policy, report, swept: sweep) : Self.table(policy, report, swept: sweep))
    if !report.failures.isEmpty { throw ExitCode(1) }
  }

  private func change(_ retention: RetentionDesk) async throws {
    var policy = try await retention.policy(of: agency)
    for (kind, days) in try set.map(Self.rule) { policy.days[kind] = days }
    let admin = Principal(
      actor: .commandLine,
      facts: PrincipalFacts(
        actorID: Actor.commandLine.id, role: .system, agency: agency, linkedIncident: nil, unit: nil, desk: nil))
    try await retention.setPolicy(policy, by: admin)
  }

  /// Parses `media=180` or `media=ever`.
  private static func rule(_ text: String) throws -> (RetentionClass, Int?) {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
    let classes = RetentionClass.allCases.map(\.rawValue).joined(separator: ", ")
    guard parts.count == 2, let kind = RetentionClass(rawValue: parts[0]) else {
      throw ValidationError("--set is CLASS=DAYS; classes are \(classes). Journals are always kept.")
    }
    if parts[1] == "ever" { return (kind, nil) }
    guard let days = Int(parts[1]), (1...RetentionPolicy.maximumDays).contains(days) else {
      throw ValidationError("--set \(parts[0])=: 1 to \(RetentionPolicy.maximumDays) days, or ever.")
    }
    return (kind, days)
  }

  private static func json(_ policy: RetentionPolicy, _ report: RetentionReport, swept: Bool) -> String {
    guard case .object(var members) = report.json else { return report.json.canonical }
    members["policy"] = policy.json
    members["deleted"] = .bool(swept)
    return JSONValue.object(members).canonical
  }

  private static func table(_ policy: RetentionPolicy, _ report: RetentionReport, swept: Bool) -> String {
    var lines = ["Policy: \(policy.description)"]
    if report.count == 0 { lines.append(swept ? "Nothing was deleted." : "Nothing is due.") }
    let widest = report.items.map(\.incident.value.count).max() ?? 0
    for item in report.items {
      let id = item.incident.value.padding(toLength: widest, withPad: " ", startingAt: 0)
      let key = item.destroysKey ? "  and the incident's key" : ""
      lines.append(
        "  \(id)  \(item.kind.rawValue.padding(toLength: 6, withPad: " ", startingAt: 0))  \(item.files) files  "
          + "\(Self.size(item.bytes))  ended \(item.endedAt.text(fractionDigits: 0))\(key)")
    }
    if report.count > report.items.count { lines.append("  and \(report.count - report.items.count) more") }
    if report.count > 0 {
      lines.append("\(swept ? "Deleted" : "Would go"): \(report.files) files, \(Self.size(report.bytes))")
    }
    if !report.held.isEmpty {
      lines.append("Held, and kept: \(report.held.map(\.value).joined(separator: ", "))")
    }
    for failure in report.failures { lines.append("Not deleted: \(failure.incident): \(failure.text)") }
    return lines.joined(separator: "\n")
  }

  private static func size(_ bytes: Int) -> String {
    switch bytes {
    case ..<1_024: "\(bytes) B"
    case ..<(1 << 20): "\(bytes >> 10) KiB"
    case ..<(1 << 30): "\(bytes >> 20) MiB"
    default: String(format: "%.1f GiB", Double(bytes) / Double(1 << 30))
    }
  }
}
