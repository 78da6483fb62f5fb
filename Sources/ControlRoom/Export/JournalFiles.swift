import Archive
import Foundation
import Incidents
import JSON
import Primitives
import Storage

/// Writes an incident's journal into a package's folder, as JSON and for reading, in steps of some events, and takes out
/// of it what films are captioned with.
struct JournalFiles {
  let storage: any Storage
  let incident: IncidentID
  let madeAt: UTCTime

  /// What was found on the way.
  struct Found {
    var incident: Incident
    var people: [Actor] = []
    var captions: [FilmOrder.Caption] = []
    var places: [FilmOrder.Caption] = []
    /// Whose the streams are, by their connections.
    var owners: [String: String] = [:]
    var notes: [String] = []

    /// What the senders of streams are called, by their connections.
    var names: [String: String] {
      let known = Dictionary(people.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
      return owners.mapValues { owner in incident.callers.first { $0.id == owner }?.name ?? known[owner] ?? owner }
    }
  }

  /// Events read in one step.
  private static let page = 1_000
  /// People who are listed.
  fileprivate static let maximumPeople = 5_000

  /// Writes `journal.json` and `journal.html` into `folder`; `check` is called between steps, and throws to end it.
  func write(into folder: String, check: () throws(PackageError) -> Void) throws(PackageError) -> Found {
    let head = try read { (storage) throws(StorageError) in try storage.head(of: incident) }
    guard let head else { throw PackageError(.damaged, "There is no incident \(incident).") }
    let found = try writeJSON(to: folder + "/journal.json", upTo: head.number, check)
    let output = try TextFile(path: folder + "/journal.html")
    let page = JournalPage(found.incident, madeAt: madeAt)
    try output.append(page.beginning + page.people(found.people) + page.talkBeginning)
    try forEach(upTo: head.number, check) { (event) throws(PackageError) in
      if let row = page.talk(event) { try output.append(row) }
    }
    try output.append(page.eventsBeginning)
    try forEach(upTo: head.number, check) { (event) throws(PackageError) in try output.append(page.row(event)) }
    try output.append(page.end)
    try output.finish()
    return found
  }

  private func writeJSON(
    to path: String, upTo number: Int, _ check: () throws(PackageError) -> Void
  ) throws(PackageError) -> Found {
    let output = try TextFile(path: path)
    var found: Found?
    var known: Set<String> = []
    try forEach(upTo: number, check) { (event) throws(PackageError) in
      try output.append((found == nil ? "[\n" : ",\n") + event.json.canonical)
      if found == nil {
        guard let incident = try? Incident(opening: event) else {
          throw PackageError(.damaged, "The journal of \(event.incident) does not begin with its opening.")
        }
        found = Found(incident: incident)
      } else {
        found?.incident.apply(event)
      }
      if known.count < Self.maximumPeople, known.insert(event.actor.id).inserted { found?.people.append(event.actor) }
      found?.note(event)
    }
    guard let found else { throw PackageError(.damaged, "The journal of \(incident) is empty.") }
    try output.append("\n]\n")
    try output.finish()
    return found
  }

  private func forEach(
    upTo last: Int, _ check: () throws(PackageError) -> Void, _ body: (JournalEvent) throws(PackageError) -> Void
  ) throws(PackageError) {
    var number = 0
    while number < last {
      try check()
      let (after, limit) = (number, min(Self.page, last - number))
      let events = try read { (storage) throws(StorageError) in
        try storage.events(of: incident, after: after, limit: limit)
      }
      guard let newest = events.last else {
        throw PackageError(.damaged, "The journal of \(incident) ends at event \(number), not at \(last).")
      }
      for event in events { try body(event) }
      number = newest.number
    }
  }

  private func read<Value>(
    _ body: (any Storage) throws(StorageError) -> Value
  ) throws(PackageError) -> Value {
    do throws(StorageError) {
      return try body(storage)
    } catch {
      throw PackageError(.unavailable, "The journal cannot be read: \(error.text)")
    }
  }
}

extension JournalFiles.Found {
  /// Takes out of an event what films show.
  mutating func note(_ event: JournalEvent) {
    let payload = event.payload
    switch EventKind(rawValue: event.kind) {
    case .chat, .note:
      guard let text = payload["text"]?.string else { return }
      guard captions.count < FilmOrder.maximumCaptions else {
        if captions.count == FilmOrder.maximumCaptions, notes.isEmpty {
          notes.append("Only the first \(FilmOrder.maximumCaptions) messages are shown in the composite film.")
        }
        return
      }
      captions.append(.init(time: event.time, text: "\(event.actor.name): \(text)"))
    case .location:
      guard places.count < FilmOrder.maximumCaptions, let latitude = payload["lat"]?.double,
        let longitude = payload["lon"]?.double
      else { return }
      let accuracy = payload["accuracy"]?.double.map { " ± \(Int($0.rounded())) m" } ?? ""
      places.append(.init(time: event.time, text: Self.degrees(latitude) + ", " + Self.degrees(longitude) + accuracy))
    case .source:
      guard owners.count < JournalFiles.maximumPeople, let peer = payload["peer"]?.string,
        let owner = payload["owner"]?.string
      else { return }
      owners[peer] = owner
    default: return
    }
  }

  /// Five digits behind the point: a metre.
  private static func degrees(_ value: Double) -> String { String(format: "%.5f", value) }
}

/// A text file that is written from its beginning to its end.
final class TextFile {
  private let file: WritableFile
  private var pending: [UInt8] = []
  private var offset = 0

  private static let pieceLength = 256 << 10

  init(path: String) throws(PackageError) {
    file = try WritableFile(path: path)
  }

  func append(_ text: String) throws(PackageError) {
    pending.append(contentsOf: text.utf8)
    if pending.count >= Self.pieceLength { try flush() }
  }

  func finish() throws(PackageError) { try flush() }

  private func flush() throws(PackageError) {
    try file.write(pending, at: offset)
    offset += pending.count
    pending.removeAll(keepingCapacity: true)
  }
}
