import Incidents
import Interchange
import JSON
import Primitives
import Storage

// What people and the server itself may look at.

extension ControlRoom {
  /// The incident, if `principal` may do `action` to it; what they may not follow does not exist for them.
  package func incident(
    _ id: IncidentID, for principal: Principal, to action: Action = .follow
  ) async throws(Refusal) -> Incident {
    try await desk.incident(id, for: principal, to: action)
  }

  /// The open incidents that `principal` may know of, or do `action` to, newest first.
  package func openIncidents(for principal: Principal, whoMay action: Action = .list) -> [Incident] {
    desk.incidents { incident in
      !incident.state.isClosed
        && PermissionTable.allows(
          action, role: principal.role, relations: incident.relations(of: principal.facts))
    }
    .sorted { $0.openedAt > $1.openedAt }
  }

  /// The latest notes of an incident, out of its last ``notesHorizon`` events; for interchange documents.
  package func notes(of id: IncidentID) async throws(Refusal) -> [EIDO.Note] {
    let last = try await loaded(id).number
    let events = try await desk.events(of: id, after: max(0, last - Self.notesHorizon), limit: Self.notesHorizon)
    return events.map(\.event).compactMap { event in
      guard event.kind == EventKind.note.rawValue, let text = event.payload["text"]?.string else { return nil }
      return EIDO.Note(number: event.number, text: text, author: event.actor, time: event.time)
    }
  }

  /// Events that are looked through for notes.
  static let notesHorizon = 1_000

  /// Events after `number` that `principal` may see, at most `limit`, and the number to go on from.
  package func events(
    of id: IncidentID, after number: Int, limit: Int, for principal: Principal
  ) async throws(Refusal) -> (events: [JournalEvent], next: Int) {
    _ = try await incident(id, for: principal)
    let page = try await desk.events(of: id, after: number, limit: limit)
    let visible = page.map(\.event).filter { desk.isVisible($0, to: principal.facts) }
    return (visible, page.last?.event.number ?? number)
  }

  /// The incident as it is accepted, whoever asks: for the server's own work.
  func loaded(_ id: IncidentID) async throws(Refusal) -> Incident {
    try await desk.load(id)
    guard let incident = desk.current(id) else { throw .unknownIncident }
    return incident
  }

  /// The number of the last event that was made known; 0 for an incident that is not in memory.
  func publishedNumber(of id: IncidentID) -> Int { desk.state.withLock { $0.entries[id]?.published ?? 0 } }

  /// Where an incident goes on after merges; itself when it was not merged.
  package func destination(of id: IncidentID) -> IncidentID { desk.destination(of: id) }

  /// Whether an incident in memory is over.
  package func isClosed(_ incident: IncidentID) -> Bool { desk.current(incident)?.state.isClosed ?? true }

  /// Where a caller's session stands; nil when there is no such caller in memory.
  package func stage(of caller: String, in incident: IncidentID) -> CallerStage? {
    desk.current(incident)?.caller(caller)?.stage
  }

  /// Whether `principal` may do something that concerns no single incident.
  package func authorize(_ action: Action, _ principal: Principal) throws(Refusal) {
    guard PermissionTable.allows(action, role: principal.role, relations: []) else { throw .forbidden }
  }
}

extension ControlRoom {
  // MARK: - What the server has seen

  /// Notes a stage of a caller's session that the server itself has seen; of no effect where it is not possible.
  package func report(_ stage: CallerStage, of caller: String, in incident: IncidentID, detail: String? = nil) async {
    _ = try? await submit(
      Wish(
        .callerStage,
        .members([
          "caller": .string(caller), "stage": .string(stage.rawValue), "detail": detail.map { .string($0) },
        ]), in: incident, by: .system, isServer: true))
  }

  /// Notes that a caller's session failed; of no effect where it is not possible.
  package func reportFailure(
    of caller: String, _ reason: CallerFailure, in incident: IncidentID, detail: String
  ) async {
    _ = try? await submit(
      Wish(
        .callerStage,
        [
          "caller": .string(caller), "stage": .string(CallerStage.failed.rawValue), "reason": .string(reason.rawValue),
          "detail": .string(String(detail.prefix(500))),
        ], in: incident, by: .system, isServer: true))
  }
}
