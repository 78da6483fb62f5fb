import JSON
import Primitives

// Folding events. What is in the journal has happened: nothing is refused here, and what cannot be read, because a newer
// program wrote it, moves only the number on.

extension Incident {
  /// Begins with the event that opened it.
  package init(opening event: JournalEvent) throws(IncidentError) {
    let payload = event.payload
    guard event.kind == EventKind.opened.rawValue, event.number == 1, let agency = payload["agency"]?.string else {
      throw IncidentError(.badPayload, "The journal of an incident begins with its opening.")
    }
    id = event.incident
    self.agency = agency
    state = .new
    priority = payload["priority"]?.string.flatMap(Priority.init) ?? .p2
    type = payload["type"]?.string
    place = payload["place"].map(Place.init(json:))
    isExercise = payload["exercise"]?.bool ?? false
    origin = payload["origin"]?.string ?? ""
    openedAt = event.time
    openedBy = event.actor
    changedAt = event.time
    number = event.number
    hash = event.hash
  }

  /// Takes in the next event.
  package mutating func apply(_ event: JournalEvent) {
    number = event.number
    hash = event.hash
    changedAt = event.time
    guard let kind = EventKind(rawValue: event.kind), let change = Self.changes[kind] else { return }
    change(&self, event)
  }

  private typealias Change = @Sendable (inout Incident, JournalEvent) -> Void

  /// What each kind changes; kinds that are not here are told, but change nothing that is kept at hand.
  private static let changes: [EventKind: Change] = [
    .stateChanged: { $0.applyState($1) },
    .classified: { $0.applyClassification($1) },
    .mergeSuggested: { $0.applySuggestion($1) },
    .merged: { $0.applyMerge($1) },
    .absorbed: { $0.applyAbsorption($1) },
    .assigned: { $0.applyAssignment($1) },
    .unassigned: { $0.applyUnassignment($1) },
    .unitAssigned: { $0.applyUnit($1) },
    .unitStatus: { $0.applyUnitStatus($1) },
    .unitLocation: { $0.applyUnitLocation($1) },
    .unitStoodDown: { $0.applyStandDown($1) },
    .callerAdded: { $0.applyCaller($1) },
    .callerStage: { $0.applyStage($1) },
    .location: { $0.applyLocation($1) },
    .linkCreated: { $0.applyLink($1) },
    .linkDelivery: { $0.applyDelivery($1) },
    .linkRevoked: { $0.applyRevocation($1) },
    .triage: { $0.applyTriage($1) },
    .fileAdded: { $0.applyFile($1) },
    .retentionHold: { $0.isHeld = $1.payload["held"]?.bool ?? $0.isHeld },
  ]

  // MARK: - Life cycle

  private mutating func applyState(_ event: JournalEvent) {
    guard let state = event.payload["state"]?.string.flatMap(IncidentState.init) else { return }
    self.state = state
    if state == .active, answeredAt == nil { answeredAt = event.time }
    if state.isClosed {
      endedAt = event.time
      outcome = event.payload["outcome"]?.string.flatMap(Outcome.init)
    } else {
      endedAt = nil
      outcome = nil
    }
  }

  private mutating func applyClassification(_ event: JournalEvent) {
    if let priority = event.payload["priority"]?.string.flatMap(Priority.init) { self.priority = priority }
    if let type = event.payload["type"]?.string { self.type = type }
    if let place = event.payload["place"] { self.place = Place(json: place) }
  }

  private mutating func applySuggestion(_ event: JournalEvent) {
    guard let other = event.payload["other"]?.string.flatMap({ IncidentID($0) }) else { return }
    suggestions.append(
      MergeSuggestion(
        other: other, metres: event.payload["metres"]?.double ?? 0, seconds: event.payload["seconds"]?.double ?? 0))
  }

  private mutating func applyMerge(_ event: JournalEvent) {
    mergedInto = event.payload["into"]?.string.flatMap { IncidentID($0) }
    state = .merged
    outcome = .attached
    endedAt = event.time
    stagesAtMerge = Dictionary(callers.map { ($0.id, $0.stage) }) { first, _ in first }
  }

  private mutating func applyAbsorption(_ event: JournalEvent) {
    guard let from = event.payload["from"]?.string.flatMap({ IncidentID($0) }) else { return }
    let also = (event.payload["also"]?.array ?? []).compactMap { $0.string.flatMap { IncidentID($0) } }
    for id in [from] + also where !absorbed.contains(id) && absorbed.count < Self.maximumAbsorbed {
      absorbed.append(id)
    }
    for row in event.payload["callers"]?.array ?? [] {
      guard let id = row["caller"]?.string, caller(id) == nil, callers.count < Self.maximumCallersAfterMerges else {
        continue
      }
      let stage = row["stage"]?.string.flatMap(CallerStage.init) ?? .requested
      callers.append(
        Caller(
          id: id, name: row["name"]?.string, phone: row["phone"]?.string, stage: stage, failure: nil,
          stages: [Caller.StageStamp(stage: stage, at: event.time)], cameWith: from))
    }
  }

  // MARK: - People and units

  private mutating func applyAssignment(_ event: JournalEvent) {
    guard let account = event.payload["account"]?.string, let role = event.payload["role"]?.string.flatMap(Role.init)
    else { return }
    let name = event.payload["name"]?.string ?? account
    assignments.removeAll { $0.account == account }
    assignments.append(Assignment(account: account, role: role, name: name, since: event.time, until: nil))
  }

  private mutating func applyUnassignment(_ event: JournalEvent) {
    guard let index = assignments.firstIndex(where: { $0.account == event.payload["account"]?.string }) else { return }
    assignments[index].until = event.time
  }

  private mutating func applyUnit(_ event: JournalEvent) {
    guard let unit = event.payload["unit"]?.string else { return }
    units.removeAll { $0.unit == unit }
    units.append(
      UnitOnIncident(
        unit: unit, name: event.payload["name"]?.string, service: event.payload["service"]?.string, status: .assigned,
        since: event.time, statusSince: event.time))
  }

  private mutating func applyUnitStatus(_ event: JournalEvent) {
    guard let index = unitIndex(event), let status = event.payload["status"]?.string.flatMap(UnitStatus.init) else {
      return
    }
    units[index].status = status
    units[index].statusSince = event.time
    if status == .available { units[index].stoodDownAt = event.time }
  }

  private mutating func applyUnitLocation(_ event: JournalEvent) {
    guard let index = unitIndex(event) else { return }
    units[index].latitude = event.payload["lat"]?.double
    units[index].longitude = event.payload["lon"]?.double
    units[index].locatedAt = event.payload["fixedAt"]?.string.flatMap { UTCTime($0) } ?? event.time
    if let eta = event.payload["eta"]?.string { units[index].eta = UTCTime(eta) }
  }

  private mutating func applyStandDown(_ event: JournalEvent) {
    guard let index = unitIndex(event) else { return }
    units[index].stoodDownAt = event.time
  }

  private func unitIndex(_ event: JournalEvent) -> Int? {
    units.firstIndex { $0.unit == event.payload["unit"]?.string }
  }

  // MARK: - Callers and links

  private mutating func applyCaller(_ event: JournalEvent) {
    guard let id = event.payload["caller"]?.string, caller(id) == nil else { return }
    callers.append(
      Caller(
        id: id, name: event.payload["name"]?.string, phone: event.payload["phone"]?.string, stage: .requested,
        failure: nil, stages: [Caller.StageStamp(stage: .requested, at: event.time)], cameWith: nil))
  }

  private mutating func applyStage(_ event: JournalEvent) {
    guard let index = callerIndex(event), let stage = event.payload["stage"]?.string.flatMap(CallerStage.init) else {
      return
    }
    callers[index].stage = stage
    callers[index].failure = event.payload["reason"]?.string.flatMap(CallerFailure.init)
    callers[index].stages.append(Caller.StageStamp(stage: stage, at: event.time))
    let excess = callers[index].stages.count - Self.maximumStages
    // The first stages tell how long it took; of a session that pauses all the time the middle is left out.
    if excess > 0 { callers[index].stages.removeSubrange(8..<8 + excess) }
  }

  private mutating func applyLocation(_ event: JournalEvent) {
    guard let index = callerIndex(event), let fix = LocationFix(event.payload, receivedAt: event.time) else { return }
    callers[index].track.append(fix)
    if callers[index].track.count > Self.maximumTrack { callers[index].track.removeFirst(Self.maximumTrack / 4) }
  }

  private func callerIndex(_ event: JournalEvent) -> Int? {
    callers.firstIndex { $0.id == event.payload["caller"]?.string }
  }

  private mutating func applyLink(_ event: JournalEvent) {
    guard let id = event.payload["link"]?.string, let role = event.payload["role"]?.string.flatMap(Role.init),
      let expires = event.payload["expires"]?.string.flatMap({ UTCTime($0) })
    else { return }
    links.removeAll { $0.id == id }
    links.append(LinkSummary(id: id, role: role, name: event.payload["name"]?.string, expires: expires))
  }

  private mutating func applyDelivery(_ event: JournalEvent) {
    guard let index = linkIndex(event) else { return }
    links[index].delivery = event.payload["state"]?.string
  }

  private mutating func applyRevocation(_ event: JournalEvent) {
    guard let index = linkIndex(event) else { return }
    links[index].revokedAt = event.time
  }

  private func linkIndex(_ event: JournalEvent) -> Int? {
    links.firstIndex { $0.id == event.payload["link"]?.string }
  }

  // MARK: - Record

  private mutating func applyTriage(_ event: JournalEvent) {
    for (name, answer) in event.payload["fields"]?.object ?? [:] { triage[name] = answer.string }
  }

  private mutating func applyFile(_ event: JournalEvent) {
    let payload = event.payload
    guard let id = payload["file"]?.string, let sha256 = payload["sha256"]?.string else { return }
    files.append(
      FileSummary(
        id: id, name: payload["name"]?.string ?? id, type: payload["type"]?.string ?? "application/octet-stream",
        size: payload["size"]?.integer ?? 0, sha256: sha256, purpose: payload["purpose"]?.string ?? "document",
        visibility: payload["visibility"]?.string.flatMap(ChatChannel.init) ?? .everyone))
  }

  package func caller(_ id: String) -> Caller? { callers.first { $0.id == id } }

  package func unit(_ id: String) -> UnitOnIncident? { units.first { $0.unit == id } }
}

extension Place {
  /// Reads what ``json`` wrote, and the `place` of an event.
  package init(json: JSONValue) {
    self.init(
      latitude: json["lat"]?.double, longitude: json["lon"]?.double, radius: json["radius"]?.double,
      text: json["text"]?.string)
  }

  package var json: JSONValue {
    .members([
      "lat": latitude.map { .number($0) }, "lon": longitude.map { .number($0) }, "radius": radius.map { .number($0) },
      "text": text.map { .string($0) },
    ])
  }
}
