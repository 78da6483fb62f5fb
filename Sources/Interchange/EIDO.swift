import Incidents
import JSON
import Primitives

/// Incidents for other agencies' systems as Emergency Incident Data Objects (NENA-STA-021.1, version "1.0").
///
/// Components refer to each other by `$id`; an agency's and an agent's are those of NENA-STA-010, a call's and the
/// incident's are its URNs, and all others are this element's names for them.
package struct EIDO: Sendable {
  package static let mediaType = "application/emergency.eido+json"

  /// Longest list of notes that is told; of more, the newest are.
  package static let maximumNotes = 200

  /// What somebody wrote down about the incident.
  package struct Note: Hashable, Sendable {
    package let number: Int
    package let text: String
    package let author: Actor
    package let time: UTCTime

    /// - Parameter number: Of the event that brought it, unique within the incident.
    package init(number: Int, text: String, author: Actor, time: UTCTime) {
      self.number = number
      self.text = text
      self.author = author
      self.time = time
    }
  }

  let incident: Incident
  let context: InterchangeContext
  let vocabulary: EIDOVocabulary
  let notes: [Note]

  /// The document of an incident.
  package static func document(
    for incident: Incident, context: InterchangeContext, notes: [Note] = [], vocabulary: EIDOVocabulary = .standard
  ) -> JSONValue {
    EIDO(
      incident: incident, context: context, vocabulary: vocabulary, notes: Array(notes.suffix(maximumNotes))
    ).document
  }

  /// The Incident Tracking Identifier (NENA-STA-010 §2.1.7), by which subscribers ask for an incident.
  package static func trackingIdentifier(of incident: IncidentID, context: InterchangeContext) -> String {
    trackingPrefix + "\(incident.value):\(context.elementID)"
  }

  /// The incident that an identifier of ours names, by its URN or alone; nil for another element's.
  package static func incidentID(_ text: String, context: InterchangeContext) -> IncidentID? {
    guard text.hasPrefix(trackingPrefix) else { return IncidentID(text) }
    let parts = text.dropFirst(trackingPrefix.count).split(separator: ":", maxSplits: 1)
    guard parts.count == 2, parts[1] == context.elementID else { return nil }
    return IncidentID(String(parts[0]))
  }

  private static let trackingPrefix = "urn:emergency:uid:incidentid:"

  private var document: JSONValue {
    component(
      Self.trackingIdentifier(of: incident.id, context: context), at: incident.changedAt,
      [
        "eidoVersion": "1.0", "issuingElementIdentification": .string(context.elementID),
        "incidentComponent": incidentComponent, "mergeComponent": list(mergeComponents),
        "callComponent": list(incident.callers.map(callComponent)),
        "callbackComponent": list(incident.callers.compactMap(callbackComponent)),
        "personComponent": list(incident.callers.map(personComponent)),
        "locationComponent": list(locationComponents), "mediaComponent": list(mediaComponents),
        "agencyComponent": [agencyComponent], "agentComponent": list(agentComponents),
        "dispatchComponent": list(incident.units.map(dispatchComponent)),
        "emergencyResourceComponent": list(incident.units.map(resourceComponent)),
        "notesComponent": list(noteComponents),
      ])
  }

  // MARK: - Parts of all components

  /// A component with the prologue that all have (NENA-STA-021.1 §2.2).
  func component(
    _ id: String, at time: UTCTime, by agent: String? = nil, _ members: KeyValuePairs<String, JSONValue?>
  ) -> JSONValue {
    var object: [String: JSONValue] = [
      "$id": .string(id), "lastUpdateTimeStamp": .string(Self.text(time)),
      "updatedByAgencyReference": Self.reference(context.agencyID),
    ]
    object["updatedByAgentReference"] = agent.map(Self.reference)
    for (name, value) in members {
      if let value { object[name] = value }
    }
    return .object(object)
  }

  static func reference(_ id: String) -> JSONValue { ["$ref": .string(id)] }

  static func text(_ time: UTCTime) -> String { time.text(fractionDigits: 3) }

  /// Empty lists are left out.
  func list(_ values: [JSONValue]) -> JSONValue? { values.isEmpty ? nil : .array(values) }

  /// A member that is there on a condition.
  ///
  /// Not `condition ? value : nil`: nil is JSON's null there as soon as the compiler takes both for a `JSONValue`.
  func when(_ condition: Bool, _ value: JSONValue) -> JSONValue? {
    guard condition else { return .none }
    return value
  }

  func references(_ ids: [String]) -> JSONValue? { list(ids.map(Self.reference)) }

  /// This element's name for a part of the incident.
  func id(_ kind: String, _ part: String? = nil) -> String {
    "\(context.elementID)/\(incident.id.value)/\(kind)" + (part.map { "/\($0)" } ?? "")
  }

  func callID(_ caller: Caller) -> String {
    "urn:emergency:uid:callid:\(incident.id.value)-\(caller.id):\(context.elementID)"
  }

  /// An agent is named like a mailbox of the agency (NENA-STA-010 §2.1.2).
  func agentID(_ account: String) -> String { "\(account)@\(context.agencyID)" }
}
