import Incidents
import Primitives

/// Incidents as alerts for other services (CAP 1.2, OASIS 2010).
///
/// An alert is told by its incident alone: each change of the incident is a new message that refers to the one that
/// opened it, so that a restart or a second node says the same.
package enum CAP {
  package static let mediaType = "application/cap+xml"
  static let namespace = "urn:oasis:names:tc:emergency:cap:1.2"

  /// How long an alert counts without an update.
  package static let validity = TimeInterval64.seconds(86_400)

  /// What names a message in others' `references` (CAP 1.2 §3.2.1).
  package struct Reference: Hashable, Sendable {
    package let sender: String
    package let identifier: String
    package let sent: UTCTime

    package init(sender: String, identifier: String, sent: UTCTime) {
      self.sender = sender
      self.identifier = identifier
      self.sent = sent
    }
  }

  /// One message.
  package struct Message: Hashable, Sendable {
    package let reference: Reference
    package let messageType: MessageType
    let root: XMLElement

    /// A whole XML document.
    package var xml: String { root.document }
  }

  package enum MessageType: String, Hashable, Sendable {
    case alert = "Alert"
    case update = "Update"
    case cancel = "Cancel"
  }

  /// The message that tells how the incident stands now.
  ///
  /// - Parameter previous: What it supersedes; the message of the incident's opening if nothing is given.
  package static func alert(
    for incident: Incident, context: InterchangeContext, previous: [Reference] = []
  ) -> Message {
    let type: MessageType = incident.state.isClosed ? .cancel : incident.number <= 1 ? .alert : .update
    let reference = Reference(
      sender: sender(context), identifier: identifier(incident, number: incident.number, context),
      sent: incident.changedAt)
    let opening = Reference(
      sender: sender(context), identifier: identifier(incident, number: 1, context), sent: incident.openedAt)
    let earlier = previous.isEmpty ? [opening] : previous
    let root = XMLElement(
      "alert", ["xmlns": namespace],
      [
        XMLElement("identifier", text: reference.identifier), XMLElement("sender", text: reference.sender),
        XMLElement("sent", text: dateTime(reference.sent)),
        XMLElement("status", text: incident.isExercise ? "Exercise" : "Actual"),
        XMLElement("msgType", text: type.rawValue), XMLElement("source", text: context.agencyName),
        XMLElement("scope", text: "Restricted"),
        XMLElement("restriction", text: "For emergency services that take part in the incident."),
        incident.isExercise ? XMLElement("note", text: "EXERCISE \(incident.id.value)") : nil,
        type == .alert ? nil : XMLElement("references", text: earlier.map(text).joined(separator: " ")),
        XMLElement("incidents", text: incident.id.value), info(incident, context),
      ])
    return Message(reference: reference, messageType: type, root: root)
  }

  // MARK: - Names and times

  /// Neither blanks, commas, `<` nor `&` are allowed here (CAP 1.2 §3.2.1).
  private static func identifier(_ incident: Incident, number: Int, _ context: InterchangeContext) -> String {
    "\(name(context.elementID)).\(incident.id.value).\(number)"
  }

  private static func sender(_ context: InterchangeContext) -> String { "sightline@\(name(context.agencyID))" }

  private static func name(_ text: String) -> String {
    String(decoding: text.utf8.filter { $0.isASCIILetterOrDigit || "-._".utf8.contains($0) }, as: UTF8.self)
  }

  private static func text(_ reference: Reference) -> String {
    "\(reference.sender),\(reference.identifier),\(dateTime(reference.sent))"
  }

  /// CAP 1.2 §3.3.2: whole seconds, and an offset even where it is none.
  static func dateTime(_ time: UTCTime) -> String { time.text(fractionDigits: 0).dropLast() + "-00:00" }

  // MARK: - Info

  private static func info(_ incident: Incident, _ context: InterchangeContext) -> XMLElement {
    let event = incident.type ?? "Emergency"
    let prefix = incident.isExercise ? "EXERCISE: " : ""
    let headline = "\(prefix)\(incident.priority.rawValue) \(event), \(incident.state.rawValue)"
    let parts: [XMLElement?] = [
      XMLElement("event", text: prefix + event), XMLElement("urgency", text: urgency(incident)),
      XMLElement("severity", text: severity(incident.priority)), XMLElement("certainty", text: certainty(incident)),
      XMLElement("effective", text: dateTime(incident.changedAt)),
      XMLElement("expires", text: dateTime(incident.changedAt + validity)),
      XMLElement("senderName", text: context.agencyName), XMLElement("headline", text: headline),
      XMLElement("description", text: description(incident)), XMLElement("web", text: context.page(of: incident.id)),
      parameter("priority", incident.priority.rawValue), parameter("state", incident.state.rawValue),
      incident.outcome.map { parameter("outcome", $0.rawValue) }, area(incident),
    ]
    let categories = categories(incident).map { XMLElement("category", text: $0) }
    return XMLElement("info", [:], [XMLElement("language", text: "en")] + categories + parts)
  }

  private static func parameter(_ name: String, _ value: String) -> XMLElement {
    XMLElement("parameter", [:], [XMLElement("valueName", text: name), XMLElement("value", text: value)])
  }

  /// What kind of help was sent tells what kind of event it is; `Rescue` while none was.
  private static func categories(_ incident: Incident) -> [String] {
    let services = Set(incident.units.compactMap(\.service))
    let words = [("ems", "Health"), ("fire", "Fire"), ("police", "Security"), ("other", "Other")]
    let found = words.filter { services.contains($0.0) }.map(\.1)
    return found.isEmpty ? ["Rescue"] : found
  }

  private static func urgency(_ incident: Incident) -> String {
    guard !incident.state.isClosed else { return "Past" }
    return switch incident.priority {
    case .p1: "Immediate"
    case .p2, .p3: "Expected"
    case .p4: "Future"
    }
  }

  private static func severity(_ priority: Priority) -> String {
    switch priority {
    case .p1: "Extreme"
    case .p2: "Severe"
    case .p3: "Moderate"
    case .p4: "Minor"
    }
  }

  /// Seen by the operator, or told by a caller.
  private static func certainty(_ incident: Incident) -> String {
    incident.callers.contains { $0.stages.contains { $0.stage == .live } } ? "Observed" : "Likely"
  }

  private static func description(_ incident: Incident) -> String {
    let units = incident.units.filter { $0.stoodDownAt == nil }
    let lines = [
      "Incident \(incident.id.value), opened \(incident.openedAt.text(fractionDigits: 0)).",
      incident.place?.text.map { "Place: \($0)." }, "Callers: \(incident.callers.count).",
      units.isEmpty
        ? nil : "Units: \(units.map { "\($0.name ?? $0.unit) (\($0.status.rawValue))" }.joined(separator: ", ")).",
      incident.mergedInto.map { "Goes on as incident \($0.value)." },
    ]
    return lines.compactMap { $0 }.joined(separator: "\n")
  }

  /// A circle of so many kilometres (CAP 1.2 §3.2.4); none when the place is not known.
  private static func area(_ incident: Incident) -> XMLElement? {
    guard let point = incident.point else { return nil }
    let center = "\(DecimalText.coordinate(point.latitude)),\(DecimalText.coordinate(point.longitude))"
    return XMLElement(
      "area", [:],
      [
        XMLElement("areaDesc", text: incident.place?.text ?? center),
        XMLElement("circle", text: "\(center) \(DecimalText.text(point.radius / 1_000, digits: 3))"),
      ])
  }
}
