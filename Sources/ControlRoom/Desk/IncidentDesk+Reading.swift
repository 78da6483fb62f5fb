import Incidents
import JSON
import Primitives
import Storage

// What people may look at.

extension IncidentDesk {
  /// Events that were made known after `number`, in order, at most `limit`; out of memory where possible.
  func events(of id: IncidentID, after number: Int, limit: Int) async throws(Refusal) -> [RenderedEvent] {
    let (recent, published) = state.withLock { state in
      (state.entries[id]?.recent.events(after: number, limit: limit), state.entries[id]?.published)
    }
    if let recent { return recent }
    guard let published else { throw .unknownIncident }
    guard number < published else { return [] }
    let count = min(limit, published - number)
    let events = try await read { (storage) throws(StorageError) in
      try storage.events(of: id, after: number, limit: count)
    }
    return events.map(RenderedEvent.init)
  }

  /// Whether somebody may see an event.
  func isVisible(_ event: JournalEvent, to facts: PrincipalFacts) -> Bool {
    EventKind.isVisible(event, to: facts)
  }

  /// The incident as far as it is durable, if the principal may do `action` to it; what they may not follow does not exist.
  package func incident(
    _ id: IncidentID, for principal: Principal, to action: Action
  ) async throws(Refusal) -> Incident {
    try await load(id)
    guard let incident = current(id) else { throw .unknownIncident }
    let relations = incident.relations(of: principal.facts)
    guard PermissionTable.allows(action, role: principal.role, relations: relations) else {
      let mayFollow = PermissionTable.allows(.follow, role: principal.role, relations: relations)
      throw mayFollow ? .forbidden : .unknownIncident
    }
    return incident
  }

  /// All incidents in memory that `isIncluded` wants.
  func incidents(where isIncluded: (Incident) -> Bool) -> [Incident] {
    state.withLock { $0.entries.values.compactMap(\.shown).filter(isIncluded) }
  }

  /// How many incidents are held in memory, for `/metrics`.
  package var incidentsInMemory: Int { state.withLock { $0.entries.count } }

  /// The incident in memory, whoever asks: for the server's own work.
  func current(_ id: IncidentID) -> Incident? {
    state.withLock { $0.entries[id]?.shown }
  }

  /// Where an incident goes on after merges; itself when it was not merged.
  func destination(of id: IncidentID) -> IncidentID {
    state.withLock { state in
      var current = id
      // A chain of merges has no circle: an incident is merged once and only into one that is open.
      for _ in 0..<Self.maximumMerges {
        guard let next = state.entries[current]?.shown?.mergedInto else { break }
        current = next
      }
      return current
    }
  }

  /// Longest chain of merges that is followed.
  static let maximumMerges = 16

  // MARK: - Subscriptions

  /// Begins a subscription: `greet` is called with the incident as it stands, before any event is sent.
  func subscribe(
    _ id: IncidentID, after number: Int?, as principal: Principal, through sink: any MetadataSink,
    greet: @Sendable (Incident, _ startsAfter: Int) -> Void
  ) async throws(Refusal) -> Subscription {
    _ = try await incident(id, for: principal, to: .follow)
    let (subscription, incident, start) = try state.withLock { state throws(Refusal) in
      guard let entry = state.entries[id], let shown = entry.shown else { throw .unknownIncident }
      guard (number ?? 0) <= entry.published else {
        throw Refusal(
          .badPayload,
          "The journal of this incident ends at \(entry.published). Resume after a number that you were sent.")
      }
      let start = max(0, number ?? 0)
      let subscription = Subscription(id, after: start, of: principal, desk: self, sink: sink)
      state.entries[id]?.subscriptions[ObjectIdentifier(subscription)] = subscription
      return (subscription, shown, start)
    }
    greet(incident, start)
    subscription.start()
    return subscription
  }

  func end(_ subscription: Subscription) {
    subscription.end()
    state.withLock { state in
      state.entries[subscription.incident]?.subscriptions[ObjectIdentifier(subscription)] = nil
    }
  }
}

extension IncidentDesk {
  /// Ends the subscriptions of those who may no longer follow an incident, and returns whose they were.
  func reviewSubscriptions(of id: IncidentID) -> [Actor] {
    let ended = state.withLock { state -> [Subscription] in
      guard let entry = state.entries[id] else { return [] }
      let lost = entry.subscriptions.values.filter { subscription in
        !PermissionTable.allows(
          .follow, role: subscription.facts.role, relations: entry.incident.relations(of: subscription.facts))
      }
      for subscription in lost { state.entries[id]?.subscriptions[ObjectIdentifier(subscription)] = nil }
      return lost
    }
    for subscription in ended { subscription.revoke() }
    return ended.filter { $0.leave() }.map(\.actor)
  }
}
