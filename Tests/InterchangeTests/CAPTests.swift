import Incidents
import Interchange
import Primitives
import Testing

@Suite("CAP")
struct CAPTests {
  private let sender = "sightline@leitstelle-nord.example"
  private let first = "video.leitstelle-nord.example.inc-2026-0001.1"

  @Test("an incident is an alert when it opens, then an update, and a cancel at its end")
  func messageTypes() throws {
    var story = try Story(place: ["lat": 1, "lon": 2])
    #expect(CAP.alert(for: story.incident, context: .test).messageType == .alert)
    try story.add(.classified, ["priority": "P2"])
    let update = CAP.alert(for: story.incident, context: .test)
    #expect(update.messageType == .update)
    #expect(try ParsedXML(update.xml).texts("references") == ["\(sender),\(first),2026-11-23T03:11:22-00:00"])
    try story.add(.stateChanged, ["state": "cancelled"])
    let cancel = CAP.alert(for: story.incident, context: .test)
    #expect(cancel.messageType == .cancel)
    #expect(try ParsedXML(cancel.xml).texts("info/urgency") == ["Past"])
  }

  @Test("messages that were sent are referred to by sender, identifier and time")
  func references() throws {
    var story = try Story()
    let opening = CAP.alert(for: story.incident, context: .test)
    #expect(opening.reference == CAP.Reference(sender: sender, identifier: first, sent: Story.start))
    #expect(try ParsedXML(opening.xml).texts("references").isEmpty)
    try story.add(.classified, ["priority": "P3"])
    let second = CAP.alert(for: story.incident, context: .test, previous: [opening.reference])
    try story.add(.classified, ["priority": "P4"])
    let third = CAP.alert(for: story.incident, context: .test, previous: [opening.reference, second.reference])
    let texts = [opening, second].map { "\(sender),\($0.reference.identifier),2026-11-23T03:11:2" }
    let references = try #require(try ParsedXML(third.xml).texts("references").first)
    #expect(references == "\(texts[0])2-00:00 \(texts[1])3-00:00")
  }

  @Test("identifier and sender have nothing that would break references")
  func identifiers() throws {
    let context = InterchangeContext(
      baseURL: "https://x.example", agencyID: "a b,c&<d", agencyName: "", elementID: "e f,g<h&i", now: Story.start)
    let message = CAP.alert(for: try Story().incident, context: context)
    #expect(message.reference.sender == "sightline@abcd")
    #expect(message.reference.identifier == "efghi.inc-2026-0001.1")
  }

  @Test("an exercise is one by its status")
  func exercise() throws {
    let real = try ParsedXML(CAP.alert(for: try Story.full().incident, context: .test).xml)
    #expect(real.texts("alert/status") == ["Actual"])
    let xml = try ParsedXML(CAP.alert(for: try Story.full(exercise: true).incident, context: .test).xml)
    #expect(xml.texts("alert/status") == ["Exercise"])
    #expect(xml.texts("info/headline") == ["EXERCISE: P1 Cardiac arrest, new"])
  }

  @Test(
    "priority tells urgency and severity",
    arguments: [
      (Priority.p1, "Immediate", "Extreme"), (.p2, "Expected", "Severe"), (.p3, "Expected", "Moderate"),
      (.p4, "Future", "Minor"),
    ])
  func priorities(_ priority: Priority, _ urgency: String, _ severity: String) throws {
    let xml = try ParsedXML(CAP.alert(for: try Story(priority: priority).incident, context: .test).xml)
    #expect(xml.texts("info/urgency") == [urgency])
    #expect(xml.texts("info/severity") == [severity])
    #expect(xml.texts("area/circle").isEmpty)
  }

  @Test("the area is a circle in kilometres around the best fix")
  func area() throws {
    var story = try Story()
    try story.add(.callerAdded, ["caller": "c1"])
    try story.locate("c1", ["accuracy": 1_250])
    let xml = try ParsedXML(CAP.alert(for: story.incident, context: .test).xml)
    #expect(xml.texts("area/circle") == ["42.5463,-73.2512 1.25"])
    #expect(xml.elements.allSatisfy { $0.namespace == "urn:oasis:names:tc:emergency:cap:1.2" })
  }

  @Test("a feed has the newest incidents first, each with its alert")
  func feed() throws {
    let old = try Story(id: "old").incident
    let new = try Story.full().incident
    let feed = try ParsedXML(CAP.feed(of: [old, new], path: "/feeds/cap", context: .test))
    #expect(feed.texts("feed/id") == ["https://sightline.example/feeds/cap"])
    let pages = ["https://sightline.example/incidents/inc-2026-0001", "https://sightline.example/incidents/old"]
    #expect(feed.texts("entry/id") == pages)
    #expect(feed.texts("content/alert/incidents") == ["inc-2026-0001", "old"])
    #expect(feed.attributes("entry/content") == Array(repeating: ["type": "application/cap+xml"], count: 2))
    #expect(feed.texts("feed/updated") == feed.texts("entry/updated").prefix(1).map { $0 })
  }

  @Test("a feed without incidents is one all the same, and a long one is cut")
  func feedBounds() throws {
    let empty = try ParsedXML(CAP.feed(of: [], path: "/feeds/cap", context: .test))
    #expect(empty.texts("feed/updated") == ["2026-11-23T03:13:20Z"])
    let many = try (0...CAP.maximumFeedEntries).map { try Story(id: "i\($0)").incident }
    let feed = try ParsedXML(CAP.feed(of: many, path: "/feeds/cap", context: .test))
    #expect(feed.texts("entry/id").count == CAP.maximumFeedEntries)
  }

  @Test("documents are as they were")
  func golden() throws {
    try Golden.check(CAP.alert(for: try Story().incident, context: .test).xml, "cap-alert.xml")
    var story = try Story.full(exercise: true)
    try Golden.check(CAP.alert(for: story.incident, context: .test).xml, "cap-update-exercise.xml")
    let update = story.incident
    try story.add(.stateChanged, ["state": "ended", "outcome": "handled"])
    try Golden.check(CAP.alert(for: story.incident, context: .test).xml, "cap-cancel.xml")
    try Golden.check(CAP.feed(of: [update], path: "/feeds/cap", context: .test), "cap-feed.xml")
  }
}
