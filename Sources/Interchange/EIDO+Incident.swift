import Incidents
import JSON
import Primitives

extension EIDO {
  // MARK: - The incident

  var incidentComponent: JSONValue {
    component(
      id("incident"), at: incident.changedAt,
      [
        "incidentTypeCommonRegistryText": .string(vocabulary.incidentType(incident.type)),
        "incidentTypeInternalText": incident.type.map { .string($0) },
        "incidentStatusCommonRegistryText": .array(statuses.map { .string($0) }),
        "incidentStatusInternalText": .array(
          [.string(incident.state.rawValue)] + (incident.isExercise ? ["exercise"] : [])),
        "internalIncidentId": .string(incident.id.value),
        "incidentCommonPriorityNumber": .integer(vocabulary.priorityNumber(incident.priority)),
        "incidentPriorityInternalText": .string(incident.priority.rawValue),
        "agentReference": references(incident.assignments.filter { $0.until == nil }.map { agentID($0.account) }),
        "locationReference": incident.point.map { _ in [Self.reference(id("location"))] },
        "personReference": references(incident.callers.map { id("person", $0.id) }),
        "dispositionComponent": incident.outcome.map { [disposition($0)] },
        "notesReference": references(noteIDs),
      ])
  }

  /// Words of the registry "EIDO-IncidentStatus-Common".
  private var statuses: [String] {
    switch incident.state {
    case .ended, .merged: return ["Closed"]
    case .cancelled: return ["Cancelled"]
    case .new, .queued, .active, .monitored, .reopened: break
    }
    let units = incident.units.filter { $0.stoodDownAt == nil }.map(\.status)
    var words = [incident.state == .reopened ? "ReOpened" : "Active"]
    if units.contains(where: { $0 == .assigned || $0 == .acknowledged }) { words.append("ResourcesAssigned") }
    if units.contains(.enroute) { words.append("ResourcesEnroute") }
    if units.contains(.onscene) { words.append("ResourcesOnscene") }
    return words
  }

  private func disposition(_ outcome: Outcome) -> JSONValue {
    component(
      id("disposition"), at: incident.endedAt ?? incident.changedAt,
      [
        "dispositionCommonRegistryCode": .string(EIDOVocabulary.dispositionCode(outcome)),
        "dispositionPrimaryIndicator": true, "dispositionDescriptionText": .string(outcome.rawValue),
      ])
  }

  /// What became part of this incident, and what this became part of.
  var mergeComponents: [JSONValue] {
    incident.absorbed.map { mergeComponent($0, "REPLACING") }
      + (incident.mergedInto.map { [mergeComponent($0, "REPLACED")] } ?? [])
  }

  private func mergeComponent(_ other: IncidentID, _ direction: String) -> JSONValue {
    component(
      id("merge", other.value), at: incident.changedAt,
      [
        "incidentTrackingIdentifier": .string(Self.trackingIdentifier(of: other, context: context)),
        "incidentMergeDirectionCode": .string(direction),
      ])
  }

  // MARK: - Callers

  func callComponent(_ caller: Caller) -> JSONValue {
    component(
      callID(caller), at: changedAt(caller),
      [
        "callStateRegistryText": .string(EIDOVocabulary.callState(caller.stage)),
        "standardPrimaryCallType": "emergency", "direction": "incoming",
        "callStartTimestamp": .string(Self.text(caller.stages.first?.at ?? incident.openedAt)),
        "answerDate": caller.stages.first { $0.stage == .live }.map { .string(Self.text($0.at)) },
        "callBackReference": caller.phone.map { _ in Self.reference(id("callback", caller.id)) },
        "locationReference": caller.location.map { _ in [Self.reference(id("location", caller.id))] },
        "personReference": [Self.reference(id("person", caller.id))],
        "mediaReferences": when(isLive(caller), [Self.reference(id("media", caller.id))]),
      ])
  }

  func callbackComponent(_ caller: Caller) -> JSONValue? {
    guard let phone = caller.phone else { return nil }
    return component(
      id("callback", caller.id), at: changedAt(caller), ["callBackInformationUri": [.string("tel:\(phone)")]])
  }

  func personComponent(_ caller: Caller) -> JSONValue {
    component(
      id("person", caller.id), at: changedAt(caller),
      [
        "personIncidentRoleRegistryText": ["Caller"], "callIdentifier": [.string(callID(caller))],
        "callBackReference": caller.phone.map { _ in Self.reference(id("callback", caller.id)) },
        "locationReference": caller.location.map { _ in [Self.reference(id("location", caller.id))] },
      ])
  }

  private func changedAt(_ caller: Caller) -> UTCTime { caller.stages.last?.at ?? incident.openedAt }

  private func isLive(_ caller: Caller) -> Bool { caller.stage == .live || caller.stage == .paused }

  // MARK: - Places

  /// Of the incident, of callers, of units; each as a PIDF-LO by value.
  var locationComponents: [JSONValue] {
    var components: [JSONValue] = []
    if let document = PIDFLO.document(for: incident, context: context) {
      components.append(
        location(id("location"), "CurrentIncident", document, at: incident.changedAt, text: incident.place?.text))
    }
    for caller in incident.callers {
      guard let fix = caller.location else { continue }
      components.append(
        location(
          id("location", caller.id), "Caller", PIDFLO.document(for: fix, context: context), at: fix.receivedAt,
          text: caller.name))
    }
    for unit in incident.units {
      guard let document = PIDFLO.document(for: unit, context: context) else { continue }
      components.append(
        location(
          id("unit-location", unit.unit), "UnitLocation", document, at: unit.locatedAt ?? unit.statusSince,
          text: unit.name))
    }
    return components
  }

  private func location(
    _ id: String, _ type: String, _ document: String, at time: UTCTime, text: String?
  ) -> JSONValue {
    component(
      id, at: time,
      [
        "locationTypeDescriptionRegistryText": .string(type), "locationByValue": .string(document),
        "locationDescriptionText": text.map { .string($0) },
      ])
  }

  // MARK: - Media

  /// Files, and for each caller who is seen the page that shows the picture; both ask for a sign-in.
  var mediaComponents: [JSONValue] {
    let live = incident.callers.filter(isLive).map { caller in
      component(
        id("media", caller.id), at: changedAt(caller),
        [
          "uri": .string(context.page(of: incident.id)), "contentType": "text/html",
          "label": .string("Live video of \(caller.name ?? caller.id)"),
        ])
    }
    let files = incident.files.map { file in
      component(
        id("file", file.id), at: incident.changedAt,
        [
          "uri": .string(context.url(ofFile: file.id, in: incident.id)), "contentType": .string(file.type),
          "label": .string("\(file.purpose): \(file.name)"),
        ])
    }
    return live + files
  }
}
