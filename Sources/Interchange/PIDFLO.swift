import Incidents
import Primitives

/// Places as presence documents with location objects (PIDF-LO: RFC 4119, as RFC 5491 and RFC 7459 refine it).
package enum PIDFLO {
  package static let mediaType = "application/pidf+xml"

  /// How long a recipient may keep a place, from now (RFC 4119 §2.2.2); one day is also what counts if nothing is said.
  package static let retention = TimeInterval64.seconds(86_400)

  /// The document for one fix of a caller.
  package static func document(for fix: LocationFix, context: InterchangeContext) -> String {
    document(
      entity: "pres:\(URIText.encode(fix.caller))@\(URIText.encode(context.agencyID))", tuple: "caller-\(fix.caller)",
      shape: shape(of: fix), method: method(of: fix), timestamp: fix.fixedAt, context: context)
  }

  /// The document for where an incident is: its best fix, else the place that staff set; nil when neither is known.
  package static func document(for incident: Incident, context: InterchangeContext) -> String? {
    guard let point = incident.point else { return nil }
    let fix = incident.bestLocation
    return document(
      entity: "pres:\(URIText.encode(incident.id.value))@\(URIText.encode(context.elementID))",
      tuple: "incident-\(incident.id.value)",
      shape: fix.map(shape) ?? shape(point.latitude, point.longitude, radius: incident.place?.radius),
      method: fix.map(method) ?? "Manual", timestamp: fix?.fixedAt ?? incident.changedAt, context: context)
  }

  /// The document for where a unit is; nil when that is not known.
  package static func document(for unit: UnitOnIncident, context: InterchangeContext) -> String? {
    guard let latitude = unit.latitude, let longitude = unit.longitude else { return nil }
    return document(
      entity: "pres:\(URIText.encode(unit.unit))@\(URIText.encode(context.agencyID))", tuple: "unit-\(unit.unit)",
      shape: shape(latitude, longitude, radius: nil), method: "GPS", timestamp: unit.locatedAt ?? unit.statusSince,
      context: context)
  }

  // MARK: - Parts

  private static func document(
    entity: String, tuple: String, shape: [XMLElement], method: String?, timestamp: UTCTime,
    context: InterchangeContext
  ) -> String {
    let geopriv = XMLElement(
      "gp:geopriv", [:],
      [
        XMLElement("gp:location-info", [:], shape),
        XMLElement(
          "gp:usage-rules", [:],
          [
            // An emergency call's place goes on to whoever helps.
            XMLElement("gbp:retransmission-allowed", text: "true"),
            XMLElement("gbp:retention-expiry", text: (context.now + retention).text(fractionDigits: 0)),
          ]),
        method.map { XMLElement("gp:method", text: $0) },
      ])
    return XMLElement(
      "presence",
      [
        "xmlns": "urn:ietf:params:xml:ns:pidf", "xmlns:gp": "urn:ietf:params:xml:ns:pidf:geopriv10",
        "xmlns:gbp": "urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy", "xmlns:gml": "http://www.opengis.net/gml",
        "xmlns:gs": "http://www.opengis.net/pidflo/1.0", "xmlns:con": "urn:ietf:params:xml:ns:geopriv:conf",
        "entity": entity,
      ],
      [
        XMLElement(
          "tuple", ["id": tuple],
          [
            XMLElement("status", [:], [geopriv]),
            XMLElement("timestamp", text: timestamp.text(fractionDigits: 3)),
          ])
      ]
    ).document
  }

  private static func shape(of fix: LocationFix) -> [XMLElement] {
    shape(
      fix.latitude, fix.longitude, radius: fix.accuracy, confidence: fix.confidence ?? assumedConfidence,
      altitude: fix.altitude)
  }

  /// Per cent; what a radius stands for when nothing is said (RFC 5491 §5).
  private static let assumedConfidence = 95.0

  /// A circle where the uncertainty is known, else a point (RFC 5491 §5.2.1, §5.2.3).
  ///
  /// A circle is flat: the altitude is told only with a point, since the vertical uncertainty that a sphere or a prism
  /// would need is not kept.
  private static func shape(
    _ latitude: Double, _ longitude: Double, radius: Double?, confidence: Double? = nil, altitude: Double? = nil
  ) -> [XMLElement] {
    let position = "\(DecimalText.coordinate(latitude)) \(DecimalText.coordinate(longitude))"
    if let radius, radius > 0 {
      let circle = XMLElement(
        "gs:Circle", ["srsName": flat],
        [
          XMLElement("gml:pos", text: position),
          XMLElement("gs:radius", ["uom": metre], text: DecimalText.text(radius, digits: 2)),
        ])
      return [circle] + (confidence.map { [confidenceElement($0)] } ?? [])
    }
    guard let altitude else {
      return [XMLElement("gml:Point", ["srsName": flat], [XMLElement("gml:pos", text: position)])]
    }
    let pos = XMLElement("gml:pos", text: "\(position) \(DecimalText.text(altitude, digits: 2))")
    return [XMLElement("gml:Point", ["srsName": solid], [pos])]
  }

  /// WGS 84, latitude and longitude.
  private static let flat = "urn:ogc:def:crs:EPSG::4326"
  /// WGS 84, latitude, longitude and height.
  private static let solid = "urn:ogc:def:crs:EPSG::4979"
  private static let metre = "urn:ogc:def:uom:EPSG::9001"

  /// RFC 7459 §3.1: more than 0 and less than 100, or `unknown`.
  private static func confidenceElement(_ confidence: Double) -> XMLElement {
    let text = DecimalText.text(confidence, digits: 2)
    guard confidence > 0, confidence < 100, text != "0", text != "100" else {
      return XMLElement("con:confidence", text: "unknown")
    }
    return XMLElement("con:confidence", ["pdf": "normal"], text: text)
  }

  /// Metres; no cell and hardly a wireless network is as good as this.
  private static let satelliteAccuracy = 30.0

  /// A word of the IANA registry "Method Tokens"; nil where a phone does not say how it knows.
  private static func method(of fix: LocationFix) -> String? {
    switch fix.source {
    case .manual: "Manual"
    case .network: "Cell"
    case .device, .aml:
      // Only satellites give these.
      fix.altitude != nil || fix.speed != nil || fix.heading != nil
        || (fix.accuracy ?? .infinity) <= satelliteAccuracy ? "GPS" : nil
    }
  }
}
