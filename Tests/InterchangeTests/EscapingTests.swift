import Incidents
import Interchange
import JSON
import Primitives
import Testing

@Suite("XML text")
struct EscapingTests {
  /// What hostile or clumsy people write, and what a reader gets of it: all but what XML cannot say.
  private static let texts: [(String, String)] = [
    ("<script>alert(\"1\")</script>", "<script>alert(\"1\")</script>"), ("a & b &amp; c", "a & b &amp; c"),
    ("]]>", "]]>"), ("it's \"quoted\"", "it's \"quoted\""), ("Ayşe 🚑 漢字", "Ayşe 🚑 漢字"),
    ("two\nlines\tand a tab", "two\nlines\tand a tab"), ("carriage\rreturn", "carriage\rreturn"),
    ("bell\u{7}null\u{0}esc\u{1b}.", "bellnullesc."), ("no\u{fffe}character\u{ffff}", "nocharacter"), ("", ""),
  ]

  /// Bypasses the schemas, which would refuse control characters: the writer must bear them all the same.
  private func incident(_ text: String) throws -> Incident {
    var incident = try Story(type: text, place: ["lat": 1, "lon": 2, "text": .string(text)]).incident
    incident.apply(
      JournalEvent(
        incident: incident.id, number: 2, time: Story.start, actor: Story.staff, kind: EventKind.callerAdded.rawValue,
        payload: ["caller": "c1", "name": .string(text)], clientID: nil, previousHash: incident.hash))
    incident.apply(
      JournalEvent(
        incident: incident.id, number: 3, time: Story.start, actor: Story.staff, kind: EventKind.location.rawValue,
        payload: ["caller": "c1", "lat": 1, "lon": 2, "source": "aml"], clientID: nil, previousHash: incident.hash))
    return incident
  }

  @Test("text between tags reads back", arguments: texts)
  func content(_ text: String, _ expected: String) throws {
    let xml = try ParsedXML(CAP.alert(for: try incident(text), context: .test).xml)
    #expect(xml.texts("info/event") == [expected])
    #expect(xml.texts("area/areaDesc") == [expected])
  }

  @Test("text in attributes reads back", arguments: texts)
  func attribute(_ text: String, _ expected: String) throws {
    let caller = try #require(CoT.events(for: try incident(text), context: .test).last)
    #expect(try ParsedXML(caller.xml).attributes("detail/contact") == [["callsign": expected]])
  }
}
