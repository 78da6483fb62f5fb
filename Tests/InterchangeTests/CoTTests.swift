import Incidents
import Interchange
import Primitives
import Testing

@Suite("CoT")
struct CoTTests {
  @Test("the incident, callers and units that are located and at work are shown, under names that stay")
  func whatIsShown() throws {
    var story = try Story.full()
    let names = CoT.events(for: story.incident, context: .test).map(\.uid)
    let element = "video.leitstelle-nord.example"
    #expect(
      names == [
        "\(element).incident.inc-2026-0001", "\(element).caller.c1", "\(element).caller.c2", "\(element).unit.rtw-3",
      ])
    try story.locate("c1", ["lat": 53.6])
    #expect(CoT.events(for: story.incident, context: .test).map(\.uid) == names)
    try story.add(.unitStoodDown, ["unit": "rtw-3"])
    #expect(CoT.events(for: story.incident, context: .test).count == 3)
    #expect(CoT.events(for: try Story().incident, context: .test).isEmpty)
  }

  @Test("an event has what TAK asks for")
  func event() throws {
    let caller = try #require(CoT.events(for: try Story.full().incident, context: .test).dropFirst().first)
    let xml = try ParsedXML(caller.xml)
    #expect(
      xml.attributes("event") == [
        [
          "version": "2.0", "uid": caller.uid, "type": "a-n-G", "how": "m-g", "time": "2026-11-23T03:13:20.000Z",
          "start": "2026-11-23T03:11:26.123Z", "stale": "2026-11-23T03:23:20.000Z",
        ]
      ])
    #expect(
      xml.attributes("point") == [
        ["lat": "53.550341", "lon": "9.992872", "hae": "9999999.0", "ce": "12.5", "le": "9999999.0"]
      ])
    #expect(xml.attributes("contact") == [["callsign": "Ayşe \"A\" O'Neill"]])
  }

  @Test(
    "who measured tells how", arguments: [("device", "m-g"), ("aml", "m-g"), ("manual", "h-e"), ("network", "m-p")])
  func how(_ source: String, _ expected: String) throws {
    var story = try Story()
    try story.add(.callerAdded, ["caller": "c1"])
    try story.locate("c1", ["source": .string(source)])
    for event in CoT.events(for: story.incident, context: .test) {
      #expect(try ParsedXML(event.xml).attributes("event").first?["how"] == expected)
    }
  }

  @Test("what is over is stale now, and never before it began")
  func closed() throws {
    var story = try Story.full()
    try story.add(.stateChanged, ["state": "ended", "outcome": "handled"], after: 3_600)
    for event in CoT.events(for: story.incident, context: .test) {
      let attributes = try #require(try ParsedXML(event.xml).attributes("event").first)
      #expect(attributes["stale"] == "2026-11-23T03:13:20.000Z")
      #expect(try #require(attributes["start"]) <= "2026-11-23T03:13:20.000Z")
    }
  }

  @Test("an exercise says so")
  func exercise() throws {
    for event in CoT.events(for: try Story.full(exercise: true).incident, context: .test) {
      let xml = try ParsedXML(event.xml)
      #expect(xml.attributes("event").first?["opex"] == "e")
      #expect(xml.attributes("contact").first?["callsign"]?.hasPrefix("EXERCISE ") == true)
    }
  }

  @Test("documents are as they were")
  func golden() throws {
    for event in CoT.events(for: try Story.full().incident, context: .test) {
      let name = event.uid.split(separator: ".").dropFirst(3).joined(separator: "-")
      try Golden.check(event.xml, "cot-\(name).xml")
    }
  }
}
