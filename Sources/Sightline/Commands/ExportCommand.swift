import Archive
import ArgumentParser
import ControlRoom
import Dispatch
import Foundation
import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// An evidence package from the command line, also while the server runs.
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write an incident's evidence package: recording, films, journal, signatures.",
    discussion: """
      The package is a ZIP archive; VERIFY.txt in it says how to check it. The recording itself is only read.

        sightline export 26-001482 --data /var/lib/sightline --out 26-001482.zip --reason "Request of the prosecutor, 4 Js 12/26"
        sightline export 26-001482 --data /var/lib/sightline --out 26-001482.zip --redact hide.json --json

      hide.json, with the tracks' names as the replay shows them and places in parts of the picture:
        {"regions": [{"track": "v1", "x": 0.4, "y": 0.2, "w": 0.2, "h": 0.3,
                      "from": "2026-11-23T03:11:22Z", "to": "2026-11-23T03:11:40Z"}],
         "mutes": [{"track": "a1", "from": "2026-11-23T03:11:22Z", "to": "2026-11-23T03:11:25Z"}]}

      The export is in the incident's journal. While a server has the journal, it is noted and written there at the
      server's next start. Ends with 0 when the package is there, 1 when it could not be made.
      """)

  @Argument(help: "The incident, for example 26-001482.") var incident: String
  @Option(help: "The node's data folder.") var data: String
  @Option(help: "The file to write; it must not be there.") var out: String
  @Option(help: "Why; the journal and the package keep it.") var reason = "command line"
  @Option(help: "JSON file that says what redacted copies hide.") var redact: String?
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    guard let id = IncidentID(incident), id != .audit else {
      throw ValidationError("An incident is named with 1 to 64 letters, digits, - and _.")
    }
    guard (1...500).contains(reason.unicodeScalars.count) else {
      throw ValidationError("--reason has 1 to 500 characters.")
    }
    let redaction = try redact.map(Self.redaction)
    let folder = URL(fileURLWithPath: data)
    guard !FileManager.default.fileExists(atPath: out) else {
      throw Self.failure("\(out) is there already, and is not overwritten. Give another --out.")
    }
    guard FileManager.default.fileExists(atPath: folder.appendingPathComponent("sightline.sqlite").path) else {
      throw ValidationError("\(data) is no data folder of a node: it has no sightline.sqlite.")
    }
    do {
      try await export(id, redaction, folder)
    } catch let error as PackageError {
      throw Self.failure(error.text)
    } catch let error as StorageError {
      throw Self.failure(error.text)
    } catch let error as Refusal {
      throw Self.failure(error.text)
    }
  }

  private func export(_ id: IncidentID, _ redaction: RedactionOrder?, _ folder: URL) async throws {
    let book = try HandlingBook(folder)
    defer { book.close() }
    let clock = ControlRoomClock.system
    var random = RandomSource.system
    let agency = try await book.agency(of: id)
    let export = EvidenceExport(
      id: "e-\(Hex.encode(random.bytes(8)))", incident: id, agency: agency,
      requested: .init(actor: .commandLine, time: clock.wall(), reason: reason), needsApproval: false,
      redaction: redaction)
    try await book.begin(export)
    let sources = Exporting.sources(
      data: folder, storage: book.storage, files: FileStore(reading: folder.appendingPathComponent("files")),
      envelopeKey: try Exporting.envelopeKey(in: folder))
    let output = Self.absolute(out)
    let bar = ProgressLine(isShown: !json && isatty(STDERR_FILENO) == 1)
    let signals = Interruption()
    let result = await BlockingWork.run { () -> Result<EvidenceExport.Package, PackageError> in
      let maker = PackageMaker(export, sources: sources, output: output, madeAt: clock.wall()) {
        (progress) throws(PackageError) in
        if signals.isSet { throw PackageError(.cancelled, "Interrupted; nothing was written.") }
        bar.show(progress)
      }
      do throws(PackageError) {
        return .success(try maker.make())
      } catch {
        return .failure(error)
      }
    }
    bar.end()
    try await book.end(export, result)
    try report(export, try result.get(), output, isJournalled: book.isJournalled)
  }

  private func report(
    _ export: EvidenceExport, _ package: EvidenceExport.Package, _ output: String, isJournalled: Bool
  ) throws {
    if json {
      guard case .object(var members) = package.json else { return }
      members["export"] = .string(export.id)
      members["file"] = .string(output)
      members["journalled"] = .bool(isJournalled)
      return print(JSONValue.object(members).canonical)
    }
    print("\(output): \(package.length) bytes, SHA-256 \(Hex.encode(package.hash))")
    for note in package.notes { print("  note: \(note)") }
    if !isJournalled {
      print("A server has the journal: the export was noted, and is written there at the server's next start.")
    }
  }

  private static func failure(_ text: String) -> ExitCode {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
    return ExitCode(1)
  }

  private static func redaction(_ path: String) throws -> RedactionOrder {
    do {
      let value = try JSONValue(parsing: try String(contentsOfFile: path, encoding: .utf8))
      try RedactionOrder.schema.validate(value)
      return try RedactionOrder(json: value)
    } catch let error as PackageError {
      throw ValidationError("\(path): \(error.text)")
    } catch {
      throw ValidationError("\(path): \(error)")
    }
  }

  /// The path with its folder as it really is.
  private static func absolute(_ path: String) -> String {
    let url = URL(fileURLWithPath: path)
    return url.deletingLastPathComponent().resolvingSymlinksInPath().appendingPathComponent(url.lastPathComponent).path
  }
}

/// Where an export from the command line is written down: in the journal, or, while a server has it, beside it.
private final class HandlingBook {
  let storage: SQLiteStorage
  /// The control room, where no server has the folder.
  private let room: ControlRoom?

  var isJournalled: Bool { room != nil }

  init(_ folder: URL) throws {
    do throws(StorageError) {
      storage = try SQLiteStorage(folder: folder)
    } catch  where error.code == .locked {
      storage = try SQLiteStorage(folder: folder, mode: .tool)
      room = nil
      return
    }
    room = try ControlRoom(storage: storage, agency: "agency", secrets: try Node.secrets(in: folder)) { error in
      FileHandle.standardError.write(Data("The journal could not be written: \(error.text)\n".utf8))
    }
  }

  func close() {
    room?.stop()
    storage.close()
  }

  /// The agency whose incident it is; throws when there is none.
  func agency(of id: IncidentID) async throws -> String {
    guard let opening = try storage.events(of: id, after: 0, limit: 1).first,
      let incident = try? Incident(opening: opening)
    else { throw PackageError(.damaged, "There is no incident \(id) in this data folder.") }
    return incident.agency
  }

  func begin(_ export: EvidenceExport) async throws {
    guard let room else {
      // Noted before there is a package: one that nobody knows of must not come to be.
      let note: JSONValue = [
        "what": .string("export \(export.id) from the command line"), "incident": .string(export.incident.value),
        "reason": .string(export.requested.reason ?? "-"),
      ]
      return try storage.append(
        StorageTransaction(changes: [.put(collection: ExportDesk.handlings, key: export.id, note)]))
    }
    _ = try await room.submit(
      Wish(
        .exportRequested,
        .members([
          "export": .string(export.id), "account": .string(Actor.commandLine.id),
          "reason": .string(export.requested.reason ?? "-"), "approval": false,
          "redacted": export.redaction.map { _ in true },
        ]), in: export.incident, by: .commandLine, isServer: true))
  }

  func end(_ export: EvidenceExport, _ result: Result<EvidenceExport.Package, PackageError>) async throws {
    guard let room else {
      // There is no package: nothing is to be noted.
      guard case .failure = result else { return }
      let key = export.id
      return try storage.append(
        StorageTransaction(changes: [.delete(collection: ExportDesk.handlings, key: key)]))
    }
    let payload: JSONValue =
      switch result {
      case .success(let package):
        [
          "export": .string(export.id), "state": "ready", "sha256": .string(Hex.encode(package.hash)),
          "bytes": .integer(package.length),
        ]
      case .failure(let error):
        ["export": .string(export.id), "state": "failed", "detail": .string(error.text)]
      }
    _ = try await room.submit(
      Wish(.exportFinished, payload, in: export.incident, by: .commandLine, isServer: true))
  }
}

extension Principal {
  /// Whoever has the data folder in hand.
  fileprivate static let commandLine = Principal(
    actor: .commandLine,
    facts: PrincipalFacts(
      actorID: Actor.commandLine.id, role: .system, agency: "", linkedIncident: nil, unit: nil, desk: nil))
}

/// A bar on a terminal's last line.
private final class ProgressLine: Sendable {
  private let isShown: Bool
  private let shown = Mutex(-1)

  private static let width = 40

  init(isShown: Bool) {
    self.isShown = isShown
  }

  func show(_ progress: EvidenceExport.Progress) {
    let percent = Int(progress.fraction * 100)
    guard isShown,
      shown.withLock({ old in
        defer { old = percent }; return old != percent
      })
    else { return }
    let filled = Self.width * min(100, max(0, percent)) / 100
    let bar = String(repeating: "#", count: filled) + String(repeating: " ", count: Self.width - filled)
    FileHandle.standardError.write(Data("\r[\(bar)] \(percent) % \(progress.step.rawValue)   ".utf8))
  }

  func end() {
    if isShown, shown.withLock({ $0 }) >= 0 { FileHandle.standardError.write(Data("\n".utf8)) }
  }
}

/// Turns SIGINT and SIGTERM into a question that long work asks, so that it can tidy up.
private final class Interruption: Sendable {
  private let flag: Mutex<Bool>
  // Kept for as long as signals are to be heard: set once before anybody else knows of them, and never touched again.
  private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

  var isSet: Bool { flag.withLock { $0 } }

  init() {
    flag = Mutex(false)
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: .global())
    }
    for source in sources {
      source.setEventHandler { [weak self] in self?.flag.withLock { $0 = true } }
      source.resume()
    }
  }
}
