import Incidents
import JSON
import Primitives
import Synchronization

/// What the server does by itself: suggests merges, lets links expire, ends what a finished call leaves open.
package final class Housekeeper: Sendable {
  private let room: ControlRoom
  private let links: LinkDesk
  /// When merges were last looked for, by incident.
  private let lookedAt = Mutex<[IncidentID: MonotonicTime]>([:])

  /// How often links are held against the clock: a guest's picture ends within this and a moment.
  package static let interval = Duration.milliseconds(500)
  /// Events after which two incidents may turn out to be one.
  private static let telling: Set<String> = Set([EventKind.opened, .classified, .location].map(\.rawValue))

  /// Every fix moves a caller a little: merges are looked for this seldom.
  private static let suggestionInterval = TimeInterval64.seconds(10)

  package init(room: ControlRoom, links: LinkDesk) {
    self.room = room
    self.links = links
  }

  /// Keeps house until cancelled.
  package func run() async {
    room.observe { [weak self] event, incident in self?.take(event, incident) }
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.interval)
      for actor in await links.sweep() {
        room.disconnect(actor: actor, because: .linkExpired)
      }
    }
  }

  private func take(_ event: JournalEvent, _ incident: Incident) {
    if Self.telling.contains(event.kind), isDue(incident.id) { Task { await suggest(for: incident.id) } }
    // Stop is final when the caller says so; a connection that ended may have ended by mistake, and the link lets it back in.
    if event.kind == EventKind.callerStage.rawValue, event.payload["stage"]?.string == CallerStage.ended.rawValue,
      let caller = event.payload["caller"]?.string, event.actor.id == caller
    {
      Task { await links.end(caller: caller, in: incident.id) }
    }
  }

  private func isDue(_ id: IncidentID) -> Bool {
    let now = room.clock.monotonic()
    return lookedAt.withLock { lookedAt in
      if let last = lookedAt[id], now - last < Self.suggestionInterval { return false }
      if lookedAt.count > room.limits.maximumIncidents {
        lookedAt = lookedAt.filter { now - $0.value < Self.suggestionInterval }
      }
      lookedAt[id] = now
      return true
    }
  }

  /// Suggests to both sides what may be the same event; the operator decides.
  private func suggest(for id: IncidentID) async {
    guard let incident = room.desk.current(id) else { return }
    let open = room.desk.incidents { !$0.state.isClosed && $0.agency == incident.agency }
    for suggestion in incident.suggestions(among: open).prefix(Incident.maximumSuggestions) {
      for (one, other) in [(id, suggestion.other), (suggestion.other, id)] {
        _ = try? await room.submit(
          Wish(
            .mergeSuggested,
            [
              "other": .string(other.value), "metres": .number(suggestion.metres),
              "seconds": .number(suggestion.seconds),
            ], in: one, by: .system, isServer: true))
      }
    }
  }
}
