import Incidents
import Interchange
import JSON
import Primitives
import Testing

@Suite("PIDF-LO")
struct PIDFLOTests {
  private func document(_ members: KeyValuePairs<String, JSONValue>) throws -> String {
    var story = try Story()
    try story.add(.callerAdded, ["caller": "c1"])
    try story.locate("c1", members)
    return PIDFLO.document(for: try #require(story.incident.bestLocation), context: .test)
  }

  @Test("a known accuracy is the circle of RFC 5491 §5.2.3")
  func circle() throws {
    let text = try document(["accuracy": 850.24])
    let circle = """
      <gs:Circle srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>42.5463 -73.2512</gml:pos>\
      <gs:radius uom="urn:ogc:def:uom:EPSG::9001">850.24</gs:radius></gs:Circle>
      """
    #expect(text.contains(circle))
    // RFC 7459 §3.1
    #expect(text.contains(#"<con:confidence pdf="normal">95</con:confidence>"#))
  }

  @Test("an unknown accuracy is a point without confidence")
  func point() throws {
    let text = try document([:])
    let point = #"<gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>42.5463 -73.2512</gml:pos></gml:Point>"#
    #expect(text.contains(point))
    #expect(!text.contains("con:confidence>"))
  }

  @Test("an altitude is told with a point, in the coordinates that have one")
  func altitude() throws {
    let text = try document(["altitude": 1_234.5])
    #expect(
      text.contains(#"<gml:Point srsName="urn:ogc:def:crs:EPSG::4979"><gml:pos>42.5463 -73.2512 1234.5</gml:pos>"#))
  }

  @Test("a confidence that cannot be is unknown", arguments: [0.0, 100.0, 0.0000001])
  func confidence(_ value: Double) throws {
    let text = try document(["accuracy": 10, "confidence": .number(value)])
    #expect(text.contains("<con:confidence>unknown</con:confidence>"))
  }

  @Test(
    "the method is told where it is known",
    arguments: [
      (["source": "manual"], "Manual"), (["source": "network", "accuracy": 5], "Cell"),
      (["source": "device", "accuracy": 8], "GPS"), (["source": "aml", "accuracy": 500, "speed": 3], "GPS"),
      (["source": "device", "accuracy": 500], nil), (["source": "aml"], nil),
    ] as [([String: JSONValue], String?)])
  func method(_ members: [String: JSONValue], _ expected: String?) throws {
    var story = try Story()
    try story.add(.callerAdded, ["caller": "c1"])
    var payload = members
    payload["caller"] = "c1"
    payload["lat"] = 1
    payload["lon"] = 2
    try story.add(.location, .object(payload))
    let fix = try #require(story.incident.bestLocation)
    let xml = try ParsedXML(PIDFLO.document(for: fix, context: .test))
    #expect(xml.texts("geopriv/method") == (expected.map { [$0] } ?? []))
  }

  @Test("coordinates have no exponent")
  func tinyCoordinates() throws {
    let text = try document(["lat": 0.0000012, "lon": -0.000_000_01])
    #expect(text.contains("<gml:pos>0.0000012 0</gml:pos>"))
  }

  @Test("the document has the elements of RFC 4119 in their order")
  func structure() throws {
    let xml = try ParsedXML(try document(["accuracy": 8, "fixedAt": "2026-11-23T03:11:22.5Z"]))
    let geopriv = "presence/tuple/status/geopriv"
    #expect(
      xml.elements.map(\.path) == [
        "presence", "presence/tuple", "presence/tuple/status", geopriv, "\(geopriv)/location-info",
        "\(geopriv)/location-info/Circle", "\(geopriv)/location-info/Circle/pos",
        "\(geopriv)/location-info/Circle/radius", "\(geopriv)/location-info/confidence", "\(geopriv)/usage-rules",
        "\(geopriv)/usage-rules/retransmission-allowed", "\(geopriv)/usage-rules/retention-expiry",
        "\(geopriv)/method", "presence/tuple/timestamp",
      ])
    #expect(xml.attributes("presence") == [["entity": "pres:c1@leitstelle-nord.example"]])
    #expect(xml.attributes("tuple") == [["id": "caller-c1"]])
    #expect(xml.texts("tuple/timestamp") == ["2026-11-23T03:11:22.500Z"])
  }

  @Test("an incident is where its best fix is, else where staff say, else nowhere")
  func incident() throws {
    #expect(PIDFLO.document(for: try Story().incident, context: .test) == nil)
    var story = try Story(place: ["lat": 10, "lon": 20, "radius": 300])
    let placed = try ParsedXML(try #require(PIDFLO.document(for: story.incident, context: .test)))
    #expect(placed.texts("Circle/pos") == ["10 20"])
    #expect(placed.texts("Circle/radius") == ["300"])
    #expect(placed.texts("geopriv/method") == ["Manual"])
    try story.add(.callerAdded, ["caller": "c1"])
    try story.locate("c1", ["accuracy": 5])
    let fixed = try ParsedXML(try #require(PIDFLO.document(for: story.incident, context: .test)))
    #expect(fixed.texts("Circle/pos") == ["42.5463 -73.2512"])
  }

  @Test("names that a URI cannot hold are encoded")
  func entity() throws {
    let context = InterchangeContext(
      baseURL: "https://x.example", agencyID: "bad agency\"<", agencyName: "", elementID: "é", now: Story.start)
    let story = try Story.full()
    let xml = try ParsedXML(try #require(PIDFLO.document(for: story.incident, context: context)))
    #expect(xml.attributes("presence") == [["entity": "pres:inc-2026-0001@%C3%A9"]])
  }

  @Test("documents are as they were")
  func golden() throws {
    let incident = try Story.full().incident
    let fix = try #require(incident.callers.first?.location)
    try Golden.check(PIDFLO.document(for: fix, context: .test), "pidf-caller.xml")
    try Golden.check(try #require(PIDFLO.document(for: incident, context: .test)), "pidf-incident.xml")
    let unit = try #require(incident.unit("rtw-3"))
    try Golden.check(try #require(PIDFLO.document(for: unit, context: .test)), "pidf-unit.xml")
    try Golden.check(try document(["altitude": 12]), "pidf-altitude.xml")
  }
}
