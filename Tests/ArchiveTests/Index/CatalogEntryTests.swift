import Archive
import Incidents
import JSON
import Primitives
import Testing

@Suite("Catalogue entries")
struct CatalogEntryTests {
  @Test func readBackAsTheyWereWritten() throws {
    let full = try CatalogStory(
      "26-000001", priority: .p1, type: "Fire", place: ["lat": 53.55, "lon": 9.99, "radius": 20, "text": "Hamburg"],
      exercise: true
    ).adding(.assigned, ["account": "op-1", "role": "operator", "name": "Otto"])
      .adding(.unassigned, ["account": "op-1"]).adding(.unitAssigned, ["unit": "ems-1"])
      .adding(.absorbed, ["from": "26-000009", "callers": []])
      .adding(.recording, ["state": "started"])
      .adding(.retentionHold, ["held": true, "account": "s", "reason": "court"]).ended
    for story in [full, try CatalogStory("least")] {
      #expect(CatalogEntry(json: story.entry.json) == story.entry)
    }
    #expect(full.entry.ties.accounts == [.init(name: "op-1", isActive: false)])
    #expect(full.entry.ties.units == [.init(name: "ems-1", isActive: true)])
  }

  @Test(
    "a document that lacks something is none", arguments: ["id", "agency", "number", "state", "priority", "openedAt"])
  func damaged(_ member: String) throws {
    guard case .object(var members) = try CatalogStory("one").entry.json else { return }
    members[member] = nil
    #expect(CatalogEntry(json: .object(members)) == nil)
    members[member] = "?!"
    #expect(CatalogEntry(json: .object(members)) == nil || member == "agency")
  }

  @Test func recordingsBeginAndAreSealed() throws {
    var story = try CatalogStory("one")
    #expect(story.entry.recording == .none)
    story.add(.recording, ["state": "started"])
    story.add(.recording, ["state": "alarm", "detail": "slow disk"])
    #expect(story.entry.recording == .running)
    story.add(.recording, ["state": "sealed"])
    #expect(story.entry.recording == .sealed)
    story.add(.recording, ["state": "started"])
    #expect(story.entry.recording == .running, "an incident may be reopened")
  }

  @Test(
    "words of a text",
    arguments: [
      ("Hauptstr. 12a, Köln", ["hauptstr", "12a", "köln"]), ("", []), ("—?!", []), ("火事です", ["火事です"]),
      ("+49 (151) 12-34", ["49", "151", "12", "34"]), ("a\u{0}b\nc", ["a", "b", "c"]),
    ])
  func words(_ text: String, _ expected: [String]) {
    #expect(SearchWords.split(text) == expected)
  }

  @Test func wordsAreBounded() throws {
    #expect(SearchWords.split(String(repeating: "x", count: 10_000)).map(\.count) == [SearchWords.maximumLength])
    let long = (0..<10_000).map { "w\($0)" }.joined(separator: " ")
    #expect(SearchWords.split(long).count == SearchWords.maximumPerText)
    var index = ArchiveIndex()
    let story = try CatalogStory("one")
    for part in 0..<20 { index.put(story.entry, adding: (0..<400).map { "t\(part)x\($0)" }) }
    #expect(index.words(of: story.incident.id).count == SearchWords.maximumPerIncident)
  }
}
