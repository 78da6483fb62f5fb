import Incidents
import JSON
import Primitives
import Testing

/// Two callers of one event.
@Suite("Merging")
struct MergeTests {
  @Test func whatIsAbsorbedGoesOn() throws {
    var from = try Story("two")
    try from.add(.callerAdded, ["caller": "x", "name": "Xaver", "phone": "+4930333"])
    try from.add(.callerStage, ["caller": "x", "stage": "live"])
    try from.add(.merged, ["into": "one"])
    #expect(from.incident.state == .merged)
    #expect(from.incident.mergedInto?.value == "one")
    #expect(from.incident.outcome == .attached)

    var into = try Story("one")
    try into.add(.callerAdded, ["caller": "c"])
    try into.add(.absorbed, from.incident.absorption())
    #expect(into.incident.absorbed.map(\.value) == ["two"])
    let caller = try #require(into.incident.caller("x"))
    #expect(caller.name == "Xaver" && caller.phone == "+4930333" && caller.stage == .live)
    #expect(caller.cameWith?.value == "two")
    #expect(into.incident.callers.map(\.id) == ["c", "x"])
  }

  /// The merge ends the calls of what was merged, and that may be told before the other incident is.
  @Test func callersAreAsTheMergeFoundThem() throws {
    var from = try Story("two")
    try from.add(.callerAdded, ["caller": "x"])
    try from.add(.callerStage, ["caller": "x", "stage": "live"])
    try from.add(.merged, ["into": "one"])
    try from.add(.callerStage, ["caller": "x", "stage": "ended"])
    #expect(from.incident.caller("x")?.stage == .ended)
    #expect(from.incident.absorption()["callers"]?.array?.first?["stage"] == "live")
  }

  @Test func chainsKeepTheirCallersAndLinks() throws {
    var first = try Story("first")
    try first.add(.callerAdded, ["caller": "x"])
    var second = try Story("second")
    try second.add(.absorbed, first.incident.absorption())
    var third = try Story("third")
    try third.add(.absorbed, second.incident.absorption())
    #expect(Set(third.incident.absorbed.map(\.value)) == ["first", "second"])
    #expect(third.incident.caller("x") != nil)
    #expect(third.incident.relations(of: facts(.caller, "x", agency: "", linked: "first")) == .linked)
  }

  @Test func callersAfterMergesAreBounded() throws {
    var story = try Story("one")
    let rows = (0..<Incident.maximumCallersAfterMerges).map { JSONValue.object(["caller": .string("c\($0)")]) }
    try story.add(.absorbed, ["from": "two", "callers": .array(rows)])
    try story.add(.absorbed, ["from": "three", "callers": [["caller": "one-more"]]])
    #expect(story.incident.callers.count == Incident.maximumCallersAfterMerges)
    #expect(story.incident.absorption()["callers"]?.array?.count == Incident.maximumCallersAfterMerges)
  }

  // MARK: - Suggestions

  private static let here: JSONValue = ["lat": 52.5, "lon": 13.4, "radius": 10]

  /// 0.002 degrees of latitude are 222 m, 0.01 are 1,112 m.
  @Test(
    "near in place and time",
    arguments: [
      (0.002, 0.0, true), (0.002, 1_800, true), (0.002, 1_801, false), (0.002, -1_800, true), (0.01, 0, false),
    ])
  func suggests(degrees: Double, seconds: Double, isSuggested: Bool) throws {
    let one = try Story("one", place: Self.here).incident
    let place: JSONValue = ["lat": .number(52.5 + degrees), "lon": 13.4, "radius": 10]
    let two = try Story("two", place: place, at: Story.start + .seconds(seconds)).incident
    #expect(one.suggestions(among: [one, two]).map(\.other.value) == (isSuggested ? ["two"] : []))
  }

  @Test func onlyOpenOnesOfTheSameKindAndAgency() throws {
    var one = try Story("one", place: Self.here)
    var ended = try Story("ended", place: Self.here)
    try ended.add(.stateChanged, ["state": "ended", "outcome": "hoax"])
    let others = [
      ended.incident, try Story("rural", agency: "rural", place: Self.here).incident,
      try Story("exercise", exercise: true, place: Self.here).incident, try Story("nowhere").incident,
    ]
    #expect(one.incident.suggestions(among: others) == [])
    let two = try Story("two", place: Self.here).incident
    #expect(one.incident.suggestions(among: [two]) == [MergeSuggestion.exact(two.id)])
    try one.add(.mergeSuggested, ["other": "two", "metres": 0, "seconds": 0])
    #expect(one.incident.suggestions(among: [two]) == [], "once is enough")
    #expect(try Story("nowhere").incident.suggestions(among: [two]) == [])
  }

  @Test func aFixOutweighsThePlace() throws {
    var one = try Story("one", place: ["lat": 0, "lon": 0])
    try one.add(.callerAdded, ["caller": "c"])
    try one.add(.location, Story.location("c", 52.5, 13.4, accuracy: 10))
    let two = try Story("two", place: Self.here).incident
    #expect(one.incident.suggestions(among: [two]).count == 1)
  }
}

extension MergeSuggestion {
  fileprivate static func exact(_ other: IncidentID) -> MergeSuggestion? {
    var story = try? Story("any")
    story?.write(EventKind.mergeSuggested.rawValue, ["other": .string(other.value), "metres": 0, "seconds": 0])
    return story?.incident.suggestions.first
  }
}
