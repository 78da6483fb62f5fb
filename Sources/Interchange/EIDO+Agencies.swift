import Incidents
import JSON
import Primitives

extension EIDO {
  // MARK: - Agencies and agents

  var agencyComponent: JSONValue {
    component(
      context.agencyID, at: incident.openedAt,
      [
        "agencyRoleDescriptionRegistryText": .array(
          ["CallReceiving"] + (incident.units.isEmpty ? [] : ["Dispatching"])),
        "agencyType": .array(vocabulary.agencyTypes.map { .string($0) }), "incidentOwningAgencyIndicator": true,
      ])
  }

  /// Everybody who is assigned or has written a note, and every unit; each once.
  var agentComponents: [JSONValue] {
    var agents: [(id: String, role: String, since: UTCTime)] = []
    for assignment in incident.assignments {
      agents.append((assignment.account, vocabulary.agentRole(assignment.role), assignment.since))
    }
    for unit in incident.units { agents.append((unit.unit, vocabulary.agentRole(.responder), unit.since)) }
    for note in notes { agents.append((note.author.id, vocabulary.agentRole(note.author.role), note.time)) }
    var seen: Set<String> = []
    return agents.filter { seen.insert($0.id).inserted }.map { agent in
      component(
        agentID(agent.id), at: agent.since,
        [
          "agentRoleRegistryText": [.string(agent.role)], "agencyReference": Self.reference(context.agencyID),
        ])
    }
  }

  // MARK: - Units

  func dispatchComponent(_ unit: UnitOnIncident) -> JSONValue {
    component(
      id("dispatch", unit.unit), at: unit.since,
      [
        "agencyReference": Self.reference(context.agencyID),
        "emergencyResourceReference": [Self.reference(id("unit", unit.unit))],
      ])
  }

  func resourceComponent(_ unit: UnitOnIncident) -> JSONValue {
    let isHere = unit.stoodDownAt == nil
    let hasPlace = unit.latitude != nil && unit.longitude != nil
    return component(
      id("unit", unit.unit), at: max(unit.statusSince, unit.stoodDownAt ?? unit.statusSince),
      [
        "emergencyResourceTypeCommonRegistryText": .string(vocabulary.resourceType(unit.service)),
        "emergencyResourceTypeInternalText": unit.service.map { .string($0) },
        // Required, and nothing of the kind is known here: what the registry has for that is told with a text of ours.
        "resourceAttributeRegistryText": ["Other"],
        "resourceAttributeInternalText": [.string(unit.service ?? "unknown")],
        "emergencyResourceName": .string(unit.name ?? unit.unit),
        "primaryUnitStatusRegistryText": isHere ? "NotAvailable" : "Available",
        "secondaryUnitStatusRegistryText": .array(EIDOVocabulary.unitStatuses(unit.status).map { .string($0) }),
        "unitStatusInternal": .array([.string(unit.status.rawValue)] + (isHere ? [] : ["stoodDown"])),
        "agentReference": [Self.reference(agentID(unit.unit))],
        "unitLocationReference": when(hasPlace, Self.reference(id("unit-location", unit.unit))),
        "eta": unit.eta.map { .string(Self.text($0)) },
        "activeOnIncidentId": when(
          isHere, .string(Self.trackingIdentifier(of: incident.id, context: context))),
      ])
  }

  // MARK: - Notes

  private static let exerciseNote = "exercise"

  var noteIDs: [String] {
    (incident.isExercise ? [id("note", Self.exerciseNote)] : []) + notes.map { id("note", String($0.number)) }
  }

  var noteComponents: [JSONValue] {
    let exercise = component(
      id("note", Self.exerciseNote), at: incident.openedAt,
      ["notesActionComments": "EXERCISE. This is training: send no help."])
    let written = notes.map { note in
      component(
        id("note", String(note.number)), at: note.time, by: agentID(note.author.id),
        [
          "notesActionComments": .string(Self.html(note.text)),
          "agentReference": Self.reference(agentID(note.author.id)),
        ])
    }
    return (incident.isExercise ? [exercise] : []) + written
  }

  /// Notes are HTML (NENA-STA-021.1 §2.5), ours are not.
  private static func html(_ text: String) -> String {
    var output = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": output += "&amp;"
      case "<": output += "&lt;"
      case ">": output += "&gt;"
      case "\n": output += "<br>"
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output
  }
}
