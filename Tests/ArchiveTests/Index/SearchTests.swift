import Archive
import Incidents
import JSON
import Primitives
import Testing

@Suite("Search")
struct SearchTests {
  /// Four incidents, a minute apart.
  private static func city() throws -> ArchiveIndex {
    let fire = try CatalogStory(
      "26-000001", priority: .p1, type: "Fire",
      place: ["lat": 53.55, "lon": 9.99, "text": "Hauptstraße 12, Hamburg"]
    ).adding(.recording, ["state": "started"]).adding(.chat, ["text": "Smoke on the second floor"]).ended
      .adding(.recording, ["state": "sealed"])
    let fall = try CatalogStory(
      "26-000002", priority: .p3, type: "Fall", place: ["lat": 48.14, "lon": 11.58], minute: 1
    )
    .adding(.callerAdded, ["caller": "c-77", "name": "Anna Berg", "phone": "+4915112345678"])
    .adding(.location, ["caller": "c-77", "lat": 48.2, "lon": 11.6, "source": "device"])
    .adding(.note, ["text": "Zoë cannot move her leg"])
    let drill = try CatalogStory("26-000003", type: "Fire", exercise: true, minute: 2)
    let hoax = try CatalogStory("26-000004", priority: .p4, type: "fire", minute: 3)
      .adding(.retentionHold, ["held": true, "account": "s", "reason": "court"])
      .adding(.stateChanged, ["state": "ended", "outcome": "hoax", "reason": "laughter"])
    return ArchiveIndex([fire, fall, drill, hoax])
  }

  struct Question: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let expected: [String]
    let change: @Sendable (inout ArchiveQuery) -> Void

    init(_ name: String, _ expected: [String], _ change: @escaping @Sendable (inout ArchiveQuery) -> Void) {
      testDescription = name
      self.expected = expected
      self.change = change
    }
  }

  private static func minute(_ count: Double) -> UTCTime { CatalogStory.start + .seconds(count * 60) }

  static let questions: [Question] = [
    Question("everything, newest first", ["26-000004", "26-000002", "26-000001"]) { _ in },
    Question("from", ["26-000004", "26-000002"]) { $0.from = minute(1) },
    Question("before", ["26-000001"]) { $0.to = minute(1) },
    Question("between", ["26-000002"]) { ($0.from, $0.to) = (minute(1), minute(3)) },
    Question("a box", ["26-000001"]) { $0.box = GeoBox("53.5,9.9,53.6,10.1") },
    Question("where the caller was, not where it was thought to be", ["26-000002"]) {
      $0.box = GeoBox("48.19,11.5,48.3,11.7")
    },
    Question("type in either case", ["26-000004", "26-000001"]) { $0.type = "FIRE" },
    Question("a type that there is not", []) { $0.type = "Flood" },
    Question("priorities", ["26-000002", "26-000001"]) { $0.priorities = [.p1, .p3] },
    Question("state", ["26-000002"]) { $0.states = [.new] },
    Question("outcome", ["26-000004"]) { $0.outcomes = [.hoax] },
    Question("exercises", ["26-000003"]) { $0.isExercise = true },
    Question("recorded", ["26-000001"]) { $0.isRecorded = true },
    Question("not recorded", ["26-000004", "26-000002"]) { $0.isRecorded = false },
    Question("held", ["26-000004"]) { $0.isHeld = true },
    Question("a person by the beginning of a name", ["26-000002"]) { $0.person = "ber" },
    Question("a person by identifier", ["26-000002"]) { $0.person = "c-77" },
    Question("a person by spaced number", ["26-000002"]) { $0.person = "+49 151 123" },
    Question("who took the call", ["26-000004", "26-000002", "26-000001"]) { $0.person = "otto" },
    Question("a word that was said", ["26-000001"]) { $0.text = "smoke" },
    Question("all words have to be there", []) { $0.text = "smoke leg" },
    Question("words of place, type and talk together", ["26-000001"]) { $0.text = "HAUPT fire floor 12" },
    Question("one letter", ["26-000002"]) { $0.text = "z" },
    Question("letters beyond ASCII", ["26-000002"]) { $0.text = "zoë" },
    Question("the incident's number", ["26-000002"]) { $0.text = "26-000002" },
    Question("a part of the number", ["26-000004"]) { $0.text = "000004" },
    Question("the reason of the end", ["26-000004"]) { $0.text = "laugh" },
    Question("nothing but marks asks nothing", ["26-000004", "26-000002", "26-000001"]) { $0.text = "-- !" },
    Question("everything together", ["26-000001"]) {
      $0.text = "smoke"
      $0.priorities = [.p1]
      $0.states = [.ended]
      $0.from = minute(0)
    },
  ]

  @Test("finds", arguments: questions)
  func finds(_ question: Question) throws {
    var index = try Self.city()
    let found = index.find(.supervisor) { question.change(&$0) }
    #expect(found == question.expected)
  }

  @Test func latestClassificationCountsAndEarlierWordsStay() throws {
    var index = ArchiveIndex([
      try CatalogStory("one", type: "Fire").adding(.classified, ["type": "False alarm"])
    ])
    #expect(index.find { $0.type = "fire" } == [])
    #expect(index.find { $0.type = "false alarm" } == ["one"])
    #expect(index.find { $0.text = "fire" } == ["one"])
  }

  @Test func entriesAreReplacedAndWordsAdded() throws {
    var story = try CatalogStory("one")
    var index = ArchiveIndex([story])
    story.add(.chat, ["text": "later"])
    index.put(story.entry, adding: story.words)
    #expect(index.count == 1)
    #expect(index.find { $0.text = "later" } == ["one"])
    #expect(Set(index.words(of: story.incident.id)) == story.words)
  }

  @Test func aMergedIncidentIsFoundWithItsCallers() throws {
    let callers: JSONValue = [["caller": "c-2", "name": "Jonas", "phone": "+49301234567", "stage": "live"]]
    var index = ArchiveIndex([
      try CatalogStory("one").adding(.absorbed, ["from": "two", "callers": callers])
    ])
    #expect(index.find { $0.person = "jonas" } == ["one"])
    #expect(index.find { $0.text = "two" } == ["one"])
  }
}

@Suite("Search: pages and bounds")
struct SearchPagesTests {
  private func many(_ count: Int) throws -> [CatalogStory] {
    try (0..<count).map { try CatalogStory("i-\($0)", minute: Double(($0 * 7) % count / 2)) }
  }

  private func page(_ index: inout ArchiveIndex, after cursor: ArchiveCursor?, limit: Int = 7) -> ArchivePage {
    var query = ArchiveQuery()
    query.cursor = cursor
    query.limit = limit
    let facts = PrincipalFacts(
      actorID: "s", role: .supervisor, agency: "metro", linkedIncident: nil, unit: nil, desk: nil)
    return index.search(query, as: SearchRights(facts))
  }

  @Test func pagesGiveEverythingOnceNewestFirstWhileMoreArrives() throws {
    var index = ArchiveIndex(try many(60))
    var seen: [ArchiveCursor] = []
    var cursor: ArchiveCursor?
    repeat {
      let page = page(&index, after: cursor)
      #expect(page.count >= 60)
      seen += page.rows.map(\.entry.cursor)
      cursor = page.next
      index.put(try CatalogStory("new-\(seen.count)", minute: 1_000).entry, adding: [])
    } while cursor != nil
    #expect(seen.count == 60)
    #expect(seen == seen.sorted(by: >))
    #expect(Set(seen).count == 60)
  }

  @Test func theLastPageSaysSo() throws {
    var index = ArchiveIndex(try many(7))
    #expect(page(&index, after: nil).next == nil)
    #expect(page(&index, after: nil, limit: 6).next != nil)
    #expect(page(&index, after: nil, limit: 0).rows.count == 1, "a limit below one is one")
  }

  @Test func theOldestMakeRoom() throws {
    let stories = try (0..<40).map { try CatalogStory("i-\($0)", minute: Double($0)) }
    var index = ArchiveIndex(stories, maximumEntries: 32)
    index.put(try CatalogStory("newest", minute: 100).adding(.note, ["text": "word"]).entry, adding: ["tword"])
    #expect(index.count <= 32)
    #expect(index.find { $0.text = "word" } == ["newest"])
    #expect(index.find { $0.limit = 3 } == ["newest", "i-39", "i-38"])
    #expect(index.entry(stories[0].incident.id) == nil)
  }

  @Test func countsUpToABound() throws {
    let entry = try CatalogStory("i").entry
    var index = ArchiveIndex()
    for number in 0...ArchiveIndex.maximumCount {
      guard case .object(var members) = entry.json else { return }
      members["id"] = .string("i-\(number)")
      index.put(try #require(CatalogEntry(json: .object(members))), adding: [])
    }
    let page = page(&index, after: nil)
    #expect(page.count == ArchiveIndex.maximumCount)
    #expect(!page.isCountExact)
    #expect(page.rows.count == 7)
  }

  @Test("cursors read back", arguments: ["", "1", "x.one", "1.", "1.a b", "99999999999999999999.one"])
  func badCursors(_ text: String) {
    #expect(ArchiveCursor(text) == nil)
    let good = ArchiveCursor("1795403482000000.26-000001")
    #expect(good?.description == "1795403482000000.26-000001")
  }

  @Test("boxes", arguments: ["", "1,2,3", "1,2,3,x", "2,0,1,0", "91,0,92,0", "0,-181,1,0", "nan,0,1,1", "1,2,3,4,5"])
  func badBoxes(_ text: String) {
    #expect(GeoBox(text) == nil)
  }

  @Test func aBoxOverTheAntimeridian() throws {
    let box = try #require(GeoBox("-20,170,0,-170"))
    #expect(box.contains(latitude: -10, longitude: 179))
    #expect(box.contains(latitude: -10, longitude: -179))
    #expect(!box.contains(latitude: -10, longitude: 0))
    #expect(!box.contains(latitude: .nan, longitude: .nan), "what is nowhere is in no box")
  }
}
