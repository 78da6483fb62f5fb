import Archive
import Incidents
import JSON
import Primitives
import Testing

@Suite("Search: rights")
struct SearchRightsTests {
  /// An incident a relation: the responder's unit and the dispatcher's desk are on `own`, were on `left`.
  private static func places() throws -> ArchiveIndex {
    let desk: JSONValue = ["account": "desk-1", "role": "dispatcher", "name": "Desk"]
    let own = try CatalogStory("own").adding(.assigned, desk).adding(.unitAssigned, ["unit": "ems-1"])
      .adding(.chat, ["text": "secret"])
    let left = try CatalogStory("left", minute: 1).adding(.assigned, desk).adding(.unitAssigned, ["unit": "ems-1"])
      .adding(.unassigned, ["account": "desk-1"]).adding(.unitStoodDown, ["unit": "ems-1"])
      .adding(.chat, ["text": "secret"])
    let other = try CatalogStory("other", minute: 2).adding(.chat, ["text": "secret"])
    let drill = try CatalogStory("drill", exercise: true, minute: 3).adding(.chat, ["text": "secret"])
    let foreign = try CatalogStory("foreign", agency: "rural", minute: 4).adding(.chat, ["text": "secret"])
    return ArchiveIndex([own, left, other, drill, foreign])
  }

  /// What a role finds of real incidents, of exercises, and by what was said.
  static let expectations: [(role: Role, real: [String], drills: [String], said: [String])] = [
    (.operator, ["other", "left", "own"], ["drill"], ["other", "left", "own"]),
    (.dispatcher, ["own"], [], ["own"]),
    (.responder, ["other", "own"], ["drill"], ["own"]),
    (.supervisor, ["other", "left", "own"], ["drill"], ["other", "left", "own"]),
    (.custodian, ["other", "left", "own"], ["drill"], ["other", "left", "own"]),
    // Metadata only: what was said is not even found by.
    (.auditor, ["other", "left", "own"], ["drill"], []),
    (.trainer, [], ["drill"], []),
    (.integration, ["other", "left", "own"], ["drill"], []),
    (.admin, [], [], []), (.caller, [], [], []), (.guest, [], [], []), (.device, [], [], []),
    (.system, ["foreign", "other", "left", "own"], ["drill"], ["foreign", "other", "left", "own"]),
  ]

  @Test("what a role finds", arguments: Role.allCases)
  func roles(_ role: Role) throws {
    var index = try Self.places()
    let expected = try #require(Self.expectations.first { $0.role == role })
    let find = { (change: (inout ArchiveQuery) -> Void) in
      index.find(role, "someone", unit: "ems-1", desk: "desk-1", change)
    }
    #expect(find { _ in } == expected.real)
    #expect(find { $0.isExercise = true } == expected.drills)
    #expect(find { $0.text = "secret" } == expected.said)
  }

  @Test func agenciesNeverMix() throws {
    var index = try Self.places()
    #expect(index.find(.supervisor, agency: "rural") == ["foreign"])
    #expect(index.find(.supervisor, agency: "nowhere") == [])
    #expect(index.find(.supervisor, agency: "") == [])
  }

  @Test func operatorsReplayTheirOwnCallsOnly() throws {
    let own = try CatalogStory("own").adding(.assigned, ["account": "op-7", "role": "operator", "name": "Ole"])
    var index = ArchiveIndex([own, try CatalogStory("other", minute: 1)])
    let facts = PrincipalFacts(
      actorID: "op-7", role: .operator, agency: "metro", linkedIncident: nil, unit: nil, desk: nil)
    let rows = index.search(ArchiveQuery(), as: SearchRights(facts)).rows
    #expect(rows.map(\.mayReplay) == [false, true])
  }

  @Test func countsTellNothingOfWhatIsHidden() throws {
    var index = try Self.places()
    let facts = PrincipalFacts(
      actorID: "d", role: .dispatcher, agency: "metro", linkedIncident: nil, unit: nil, desk: "desk-1")
    #expect(index.search(ArchiveQuery(), as: SearchRights(facts)).count == 1)
  }
}
