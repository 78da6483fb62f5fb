import Incidents
import JSON
import Primitives

/// What somebody looks for in the audit journal; an empty question finds all.
package struct AuditQuery: Hashable, Sendable {
  /// Part of the name or identifier of who did it.
  package var person: String?
  /// Such as `audit.signIn`.
  package var kind: String?
  package var incident: String?
  /// Part of anything that it says.
  package var text: String?

  package init() {}

  /// Whether an event is what is looked for.
  package func matches(_ event: JournalEvent) -> Bool {
    if let kind, event.kind != kind { return false }
    if let incident, event.payload["incident"]?.string != incident { return false }
    if let person,
      ![event.actor.id, event.actor.name].contains(where: { $0.lowercased().contains(person.lowercased()) })
    {
      return false
    }
    guard let text = text?.lowercased() else { return true }
    return "\(event.actor.name) \(event.kind) \(event.payload.canonical)".lowercased().contains(text)
  }
}

extension AuditJournal {
  /// Events that one question is held against; the next question goes on from there.
  static let searchHorizon = 20_000
  private static let searchPage = 1_000

  /// Events before `number` that match, newest first, at most `limit`; and the number to go on before, nil at the end.
  ///
  /// - Parameter number: Nil for the newest.
  package func search(
    _ query: AuditQuery, before number: Int?, limit: Int
  ) async throws(Refusal) -> (events: [JournalEvent], next: Int?) {
    var end = min(number ?? .max, lastNumber + 1)
    let horizon = max(1, end - Self.searchHorizon)
    var found: [JournalEvent] = []
    while end > horizon {
      let start = max(horizon, end - Self.searchPage)
      for event in try await events(after: start - 1, limit: end - start).reversed() where query.matches(event) {
        found.append(event)
        if found.count == limit { return (found, event.number > 1 ? event.number : nil) }
      }
      end = start
    }
    return (found, horizon > 1 ? horizon : nil)
  }
}
