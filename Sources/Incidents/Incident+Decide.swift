import JSON
import Primitives

/// An event that is decided on and not yet numbered.
package struct EventDraft: Hashable, Sendable {
  package let kind: EventKind
  package let payload: JSONValue

  package init(_ kind: EventKind, _ payload: JSONValue) {
    self.kind = kind
    self.payload = payload
  }
}

// Deciding. Rights are somebody else's question (``PermissionTable``); here it is about what is possible.

extension Incident {
  /// The events that begin an incident.
  package static func openingDrafts(
    agency: String, priority: Priority, type: String?, place: JSONValue?, exercise: Bool, origin: String
  ) throws(IncidentError) -> [EventDraft] {
    let payload = JSONValue.members([
      "agency": .string(agency), "priority": .string(priority.rawValue), "type": type.map { .string($0) },
      "place": place, "exercise": .bool(exercise), "origin": .string(origin),
    ])
    try check(.opened, payload)
    return [EventDraft(.opened, payload)]
  }

  /// What happens when `actor` wants an event of `kind`: the events to write, none when it is so already.
  ///
  /// - Parameter isServer: Whether the server itself wants it, and may send what clients may not.
  package func decide(
    _ kind: EventKind, payload: JSONValue, by actor: Actor, at now: UTCTime, isServer: Bool = false
  ) throws(IncidentError) -> [EventDraft] {
    if !isServer, kind.traits.sender == .server {
      throw IncidentError(.serverOnly, "Only the server sends messages of kind \(kind.rawValue).")
    }
    try Self.check(kind, payload)
    if state.isClosed, !Self.allowedWhenClosed.contains(kind) {
      throw IncidentError(
        .wrongState, "The incident is \(state.rawValue). \(state == .ended ? "Reopen it first." : "")")
    }
    if !isServer { try checkSelf(kind, payload, actor) }
    try checkSubjects(kind, payload)
    return try drafts(kind, payload, actor, now, isServer)
  }

  /// What may still be added when all is over.
  private static let allowedWhenClosed: Set<EventKind> = [
    .stateChanged, .note, .chatRead, .chatDelivered, .linkRevoked, .linkDelivery, .fileAdded, .fileRejected, .source,
    .watching, .callerStage, .presence, .absorbed, .unassigned, .unitStoodDown, .unitStatus,
    .recording, .replayOpened, .exportRequested, .exportDecided, .exportFinished, .retentionHold, .retentionDeleted,
  ]

  private static func check(_ kind: EventKind, _ payload: JSONValue) throws(IncidentError) {
    do {
      try kind.traits.payload.validate(payload)
    } catch {
      throw IncidentError(.badPayload, "The payload of \(kind.rawValue) is not right. \(error.description)")
    }
  }

  /// Callers speak for themselves only, and their pages cannot claim to be the network.
  private func checkSelf(_ kind: EventKind, _ payload: JSONValue, _ actor: Actor) throws(IncidentError) {
    if actor.role == .caller, let caller = payload["caller"]?.string, caller != actor.id {
      throw IncidentError(.unknownSubject, "You can report only for yourself: caller is \"\(actor.id)\".")
    }
    guard kind == .location else { return }
    if payload["marks"] != nil { throw IncidentError(.badPayload, "marks are set by the server. Leave them out.") }
    let source = payload["source"]?.string.flatMap(LocationSource.init)
    let expected: LocationSource = actor.role == .caller ? .device : .manual
    guard source == expected else {
      throw IncidentError(.badPayload, "source has to be \"\(expected.rawValue)\" for a \(actor.role.rawValue).")
    }
  }

  private func checkSubjects(_ kind: EventKind, _ payload: JSONValue) throws(IncidentError) {
    if let id = payload["caller"]?.string, kind != .callerAdded, caller(id) == nil {
      throw IncidentError(.unknownSubject, "There is no such caller in this incident.")
    }
    if let id = payload["unit"]?.string, kind != .unitAssigned {
      guard let unit = unit(id) else {
        throw IncidentError(.unknownSubject, "Unit \(id) is not on this incident. Assign it first.")
      }
      if unit.stoodDownAt != nil, kind != .unitStoodDown {
        throw IncidentError(.wrongState, "Unit \(id) was stood down. Assign it again first.")
      }
    }
    if let id = payload["link"]?.string, kind != .linkCreated, !links.contains(where: { $0.id == id }) {
      throw IncidentError(.unknownSubject, "There is no such link in this incident.")
    }
    if kind == .snapshotTaken, !files.contains(where: { $0.id == payload["file"]?.string }) {
      throw IncidentError(.unknownSubject, "There is no such file in this incident. Upload it first.")
    }
    if kind == .commandResult || kind == .chatRead || kind == .chatDelivered,
      let number = (payload["command"] ?? payload["upTo"])?.integer, number > self.number
    {
      throw IncidentError(.unknownSubject, "There is no event \(number) in this incident yet.")
    }
  }

  private func drafts(
    _ kind: EventKind, _ payload: JSONValue, _ actor: Actor, _ now: UTCTime, _ isServer: Bool
  ) throws(IncidentError) -> [EventDraft] {
    let same = [EventDraft(kind, payload)]
    switch kind {
    case .stateChanged: return try decideState(payload) ? same : []
    case .merged: return try decideMerge(payload) ? same : []
    case .callerStage: return try decideStage(payload) ? same : []
    case .unitStatus: return try decideUnitStatus(payload) ? same : []
    case .location: return [try judgedLocation(payload, now)]
    case .assigned, .unassigned, .unitAssigned, .unitStoodDown: return try decideAssignment(kind, payload) ? same : []
    case .callerAdded:
      if payload["caller"]?.string.flatMap(caller) != nil { return [] }
      try checkRoom(callers.count, Self.maximumCallers, "callers")
      return same
    case .linkCreated:
      try checkRoom(links.count, Self.maximumLinks, "links")
      return same
    case .linkRevoked:
      return links.contains { $0.id == payload["link"]?.string && $0.revokedAt != nil } ? [] : same
    case .fileAdded:
      try checkRoom(files.count, Self.maximumFiles, "files")
      return same
    case .triage:
      let names = Set(triage.keys).union((payload["fields"]?.object ?? [:]).keys)
      try checkRoom(names.count - 1, Self.maximumTriageFields, "triage answers")
      return same
    case .mergeSuggested:
      let isKnown = suggestions.contains { $0.other.value == payload["other"]?.string }
      return isKnown || suggestions.count >= Self.maximumSuggestions ? [] : same
    case .absorbed:
      return absorbed.contains { $0.value == payload["from"]?.string } ? [] : same
    case .retentionHold: return payload["held"]?.bool == isHeld ? [] : same
    case .retentionDeleted:
      try checkDeletion()
      return same
    case .opened: throw IncidentError(.wrongState, "The incident is open already.")
    case .classified, .unitLocation, .presence, .speaking, .typing, .deviceState, .command, .commandResult, .linkSent,
      .linkDelivery, .chat, .chatDelivered, .chatRead, .realTimeText, .note, .fileRejected, .snapshotTaken, .source,
      .watching, .revealed, .view, .recording, .replayOpened, .exportRequested, .exportDecided, .exportFinished,
      .account, .signIn, .settings, .access:
      return same
    }
  }

  private func checkRoom(_ count: Int, _ limit: Int, _ what: String) throws(IncidentError) {
    guard count < limit else { throw IncidentError(.full, "An incident has at most \(limit) \(what).") }
  }

  /// A hold beats every rule, and nothing is deleted of what goes on.
  private func checkDeletion() throws(IncidentError) {
    guard !isHeld else { throw IncidentError(.wrongState, "The incident is held: nothing of it may be deleted.") }
    guard state.isClosed else {
      throw IncidentError(.wrongState, "The incident is \(state.rawValue): nothing is deleted before its end.")
    }
  }

  // MARK: - Transitions

  /// Where each state may lead; merging is its own kind.
  static let transitions: [IncidentState: Set<IncidentState>] = [
    .new: [.queued, .active, .ended, .cancelled],
    .queued: [.active, .ended, .cancelled],
    .active: [.queued, .monitored, .ended, .cancelled],
    .monitored: [.active, .ended, .cancelled],
    .ended: [.reopened],
    .reopened: [.active, .monitored, .ended, .cancelled],
    .merged: [],
    .cancelled: [.reopened],
  ]

  private func decideState(_ payload: JSONValue) throws(IncidentError) -> Bool {
    guard let next = payload["state"]?.string.flatMap(IncidentState.init), next != state else { return false }
    guard Self.transitions[state]?.contains(next) == true else {
      let possible = (Self.transitions[state] ?? []).map(\.rawValue).sorted().joined(separator: ", ")
      throw IncidentError(
        .wrongState, "From \(state.rawValue) an incident cannot become \(next.rawValue). Possible: \(possible).")
    }
    if next == .ended, payload["outcome"] == nil {
      throw IncidentError(.badPayload, "Say how it ended: outcome is one of the words of the schema.")
    }
    return true
  }

  private func decideMerge(_ payload: JSONValue) throws(IncidentError) -> Bool {
    guard let into = payload["into"]?.string else { return false }
    guard into != id.value else { throw IncidentError(.badPayload, "An incident cannot be merged into itself.") }
    return true
  }

  private func decideStage(_ payload: JSONValue) throws(IncidentError) -> Bool {
    guard let caller = payload["caller"]?.string.flatMap(caller),
      let next = payload["stage"]?.string.flatMap(CallerStage.init)
    else { return false }
    if next == .failed || next == .declined, payload["reason"] == nil {
      throw IncidentError(.badPayload, "Say why: reason is one of the words of the schema.")
    }
    if next == caller.stage { return false }
    if state.isClosed, next != .ended {
      throw IncidentError(.wrongState, "The incident is \(state.rawValue).")
    }
    if next == .paused, caller.stage != .live {
      throw IncidentError(.wrongState, "Only a live session can be paused.")
    }
    return true
  }

  private func decideUnitStatus(_ payload: JSONValue) throws(IncidentError) -> Bool {
    guard let unit = payload["unit"]?.string.flatMap(unit),
      let next = payload["status"]?.string.flatMap(UnitStatus.init)
    else { return false }
    if next == .assigned, unit.status != .assigned {
      throw IncidentError(.wrongState, "Unit \(unit.unit) is under way already.")
    }
    return next != unit.status
  }

  /// Whether anything changes; what is so already is no error.
  private func decideAssignment(_ kind: EventKind, _ payload: JSONValue) throws(IncidentError) -> Bool {
    let account = payload["account"]?.string
    let unit = payload["unit"]?.string.flatMap(unit)
    switch kind {
    case .assigned:
      if assignments.contains(where: { $0.account == account && $0.until == nil }) { return false }
      try checkRoom(assignments.count, Self.maximumAssignments, "assignments")
      return true
    case .unassigned:
      return assignments.contains { $0.account == account && $0.until == nil }
    case .unitAssigned:
      if let unit, unit.stoodDownAt == nil { return false }
      try checkRoom(units.count, Self.maximumUnits, "units")
      return true
    default:
      // Standing down: the caller names only the four kinds above.
      return unit?.stoodDownAt == nil
    }
  }

  // MARK: - Location

  /// The fix with its time and what is odd about it.
  private func judgedLocation(_ payload: JSONValue, _ now: UTCTime) throws(IncidentError) -> EventDraft {
    guard case .object(var members) = payload, let fix = LocationFix(payload, receivedAt: now),
      let caller = caller(fix.caller)
    else { throw IncidentError(.badPayload, "A location has caller, lat, lon and source.") }
    members["fixedAt"] = .string(fix.fixedAt.description)
    let marks = fix.judged(after: caller.track, now: now)
    if !marks.isEmpty { members["marks"] = .array(marks.map { .string($0.rawValue) }) }
    return EventDraft(.location, .object(members))
  }
}
