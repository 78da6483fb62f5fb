import Incidents
import Primitives

/// Places for TAK maps as Cursor on Target events (MITRE, `Event.xsd` 2.0).
package enum CoT {
  package static let mediaType = "application/xml"

  /// How long a mark on the map counts as current.
  package static let freshness = TimeInterval64.seconds(600)

  /// One event, with the name that stays the same for the same thing.
  package struct Event: Hashable, Sendable {
    package let uid: String
    /// A whole XML document.
    package let xml: String
  }

  /// The incident where its place is known, each caller's best fix, and each unit that is not stood down.
  package static func events(for incident: Incident, context: InterchangeContext) -> [Event] {
    [incidentEvent(incident, context)].compactMap { $0 }
      + incident.callers.compactMap { callerEvent($0, of: incident, context) }
      + incident.units.filter { $0.stoodDownAt == nil }.compactMap { unitEvent($0, of: incident, context) }
  }

  // MARK: - What is shown

  private static func incidentEvent(_ incident: Incident, _ context: InterchangeContext) -> Event? {
    guard let point = incident.point else { return nil }
    let words = [incident.priority.rawValue, incident.type ?? "Incident", incident.state.rawValue]
    let place = incident.place?.text
    let mark = Mark(
      uid: uid("incident", incident.id.value, context),
      // A spot on the map: neither friend nor foe.
      type: "b-m-p-s-m", how: incident.bestLocation.map(how) ?? How.estimated, start: incident.changedAt,
      latitude: point.latitude, longitude: point.longitude,
      circularError: incident.bestLocation.map { $0.accuracy } ?? incident.place?.radius, height: nil,
      callsign: "\(incident.priority.rawValue) \(incident.type ?? incident.id.value)",
      remarks: (words + [place, context.page(of: incident.id)].compactMap { $0 }).joined(separator: "; "))
    return event(mark, of: incident, context)
  }

  private static func callerEvent(
    _ caller: Caller, of incident: Incident, _ context: InterchangeContext
  ) -> Event? {
    guard let fix = caller.location else { return nil }
    let mark = Mark(
      uid: uid("caller", caller.id, context),
      // Neutral, on the ground: a civilian.
      type: "a-n-G", how: how(of: fix), start: fix.fixedAt, latitude: fix.latitude, longitude: fix.longitude,
      circularError: fix.accuracy, height: fix.altitude, callsign: caller.name ?? "Caller \(caller.id)",
      remarks: "Caller of \(incident.id.value); \(caller.stage.rawValue)")
    return event(mark, of: incident, context)
  }

  private static func unitEvent(
    _ unit: UnitOnIncident, of incident: Incident, _ context: InterchangeContext
  ) -> Event? {
    guard let latitude = unit.latitude, let longitude = unit.longitude else { return nil }
    let eta = unit.eta.map { "; expected \($0.text(fractionDigits: 0))" } ?? ""
    let mark = Mark(
      uid: uid("unit", unit.unit, context), type: "a-f-G-U-C", how: How.satellite,
      start: unit.locatedAt ?? unit.statusSince, latitude: latitude, longitude: longitude, circularError: nil,
      height: nil, callsign: unit.name ?? unit.unit,
      remarks: "\(unit.status.rawValue) on \(incident.id.value)\(eta)")
    return event(mark, of: incident, context)
  }

  // MARK: - The event

  private struct Mark {
    let uid: String
    let type: String
    let how: String
    let start: UTCTime
    let latitude: Double
    let longitude: Double
    /// Metres.
    let circularError: Double?
    /// Metres over the ellipsoid.
    let height: Double?
    let callsign: String
    let remarks: String
  }

  private enum How {
    static let satellite = "m-g"
    /// By a person.
    static let estimated = "h-e"
    /// Passed on by another machine.
    static let passed = "m-p"
  }

  /// What the format has for "not known".
  private static let unknown = "9999999.0"

  private static func event(_ mark: Mark, of incident: Incident, _ context: InterchangeContext) -> Event {
    // What is over is stale at once, which takes it off the map.
    let stale = incident.state.isClosed ? context.now : max(context.now, mark.start) + freshness
    let error = mark.circularError.map { DecimalText.text($0, digits: 1) }
    let xml = XMLElement(
      "event",
      [
        "version": "2.0", "uid": mark.uid, "type": mark.type, "how": mark.how, "time": text(context.now),
        "start": text(min(mark.start, stale)), "stale": text(stale), "opex": incident.isExercise ? "e" : nil,
      ],
      [
        XMLElement(
          "point",
          [
            "lat": DecimalText.coordinate(mark.latitude), "lon": DecimalText.coordinate(mark.longitude),
            "hae": mark.height.map { DecimalText.text($0, digits: 1) } ?? unknown, "ce": error ?? unknown,
            "le": unknown,
          ]),
        XMLElement(
          "detail", [:],
          [
            XMLElement("contact", ["callsign": (incident.isExercise ? "EXERCISE " : "") + mark.callsign]),
            XMLElement("remarks", text: (incident.isExercise ? "EXERCISE. " : "") + mark.remarks),
          ]),
      ]
    ).document
    return Event(uid: mark.uid, xml: xml)
  }

  private static func text(_ time: UTCTime) -> String { time.text(fractionDigits: 3) }

  private static func uid(_ kind: String, _ id: String, _ context: InterchangeContext) -> String {
    "\(context.elementID).\(kind).\(id)"
  }

  private static func how(of fix: LocationFix) -> String {
    switch fix.source {
    case .device, .aml: How.satellite
    case .manual: How.estimated
    case .network: How.passed
    }
  }
}
