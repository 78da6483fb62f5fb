import Archive
import Incidents
import JSON
import Primitives
import Testing

/// Builds an incident's journal, and keeps its entry as the catalogue would.
struct CatalogStory {
  private(set) var incident: Incident
  private(set) var entry: CatalogEntry
  private(set) var words: Set<String>
  private let opener = Actor(id: "op-1", role: .operator, name: "Otto Operator")

  static let start = UTCTime(seconds: 1_795_403_482)

  init(
    _ id: String, agency: String = "metro", priority: Priority = .p2, type: String? = nil, place: JSONValue? = nil,
    exercise: Bool = false, minute: Double = 0
  ) throws {
    let drafts = try Incident.openingDrafts(
      agency: agency, priority: priority, type: type, place: place, exercise: exercise, origin: "operator")
    let event = JournalEvent(
      incident: try #require(IncidentID(id)), number: 1, time: Self.start + .seconds(minute * 60), actor: opener,
      kind: EventKind.opened.rawValue, payload: drafts[0].payload, clientID: nil,
      previousHash: JournalEvent.genesisHash)
    incident = try Incident(opening: event)
    entry = CatalogEntry(incident, after: event, previous: nil)
    words = SearchWords.words(of: event)
  }

  mutating func add(_ kind: EventKind, _ payload: JSONValue, by actor: Actor = .system) {
    let event = JournalEvent(
      incident: incident.id, number: incident.number + 1, time: incident.changedAt + .seconds(1), actor: actor,
      kind: kind.rawValue, payload: payload, clientID: nil, previousHash: incident.hash)
    incident.apply(event)
    entry = CatalogEntry(incident, after: event, previous: entry)
    words.formUnion(SearchWords.words(of: event))
  }

  /// The story with more that happened.
  func adding(_ kind: EventKind, _ payload: JSONValue) -> CatalogStory {
    var copy = self
    copy.add(kind, payload)
    return copy
  }

  var ended: CatalogStory { adding(.stateChanged, ["state": "ended", "outcome": "handled"]) }
}

extension ArchiveIndex {
  init(_ stories: [CatalogStory], maximumEntries: Int = ArchiveIndex.standardMaximum) {
    self.init(maximumEntries: maximumEntries)
    for story in stories { put(story.entry, adding: story.words) }
  }

  /// Identifiers of what is found, newest first.
  mutating func find(
    _ role: Role = .supervisor, _ id: String = "somebody", agency: String = "metro", unit: String? = nil,
    desk: String? = nil, _ change: (inout ArchiveQuery) -> Void = { _ in }
  ) -> [String] {
    var query = ArchiveQuery()
    change(&query)
    let facts = PrincipalFacts(
      actorID: id, role: role, agency: agency, linkedIncident: nil, unit: unit, desk: desk)
    return search(query, as: SearchRights(facts)).rows.map(\.entry.id.value)
  }
}
