import Incidents
import JSON
import MediaServer
import Primitives
import Storage
import Synchronization

/// The room where calls are answered: incidents, who follows them, and what everybody may see and do.
///
/// Whoever stands outside, HTTP, WebSockets, data channels, command line, comes here with a ``Principal`` and a wish;
/// permissions are checked here and nowhere else.
package final class ControlRoom: Sendable {
  package let desk: IncidentDesk
  package let limits: ControlRoomLimits
  package let counters: ControlRoomCounters
  package let clock: ControlRoomClock
  package let audit: AuditJournal
  let storage: any Storage
  let writer: JournalWriter
  let presence: PresenceBoard
  let feeds: IncidentFeeds
  let connections: ConnectionRegistry
  private let rates: RateLimiter
  private let journal: JournalTap

  /// - Parameter agency: The agency that incidents opened on this node belong to, unless said otherwise.
  package init(
    storage: any Storage, agency: String, limits: ControlRoomLimits = .init(), clock: ControlRoomClock = .system,
    onStorageFailure: @escaping @Sendable (StorageError) -> Void
  ) throws(StorageError) {
    self.storage = storage
    self.limits = limits
    self.clock = clock
    self.agency = agency
    counters = ControlRoomCounters()
    rates = RateLimiter(limits: limits)
    connections = ConnectionRegistry()
    let journal = JournalTap()
    self.journal = journal
    let counters = counters
    writer = JournalWriter(storage: storage) { error in
      counters.noteStorageFailure()
      onStorageFailure(error)
    }
    desk = IncidentDesk(storage: storage, writer: writer, clock: clock, limits: limits) { event, incident in
      counters.noteEvent()
      journal.tell(event, incident)
    }
    audit = try AuditJournal(storage: storage, writer: writer, clock: clock)
    presence = PresenceBoard(desk: desk)
    feeds = IncidentFeeds(limits: limits)
    let (desk, feeds, presence) = (desk, feeds, presence)
    journal.listen { event, incident in
      feeds.publish(event, incident)
      guard Self.changesAccess.contains(event.kind) else { return }
      for actor in desk.reviewSubscriptions(of: incident.id) { presence.remove(actor, from: incident.id) }
    }
  }

  package let agency: String

  /// Brings open incidents into memory; call it once before anybody is let in.
  package func start() async throws(Refusal) {
    try await desk.loadOpen()
  }

  /// Waits for everything accepted to be durable, then ends the writer.
  package func stop() {
    writer.stop()
  }

  /// Calls `observer` with every durable event, in order, on the writer's thread; it must not block.
  package func observe(_ observer: @escaping @Sendable (JournalEvent, Incident) -> Void) {
    journal.listen(observer)
  }

  /// Kinds after which somebody may have lost the right to follow an incident.
  private static let changesAccess: Set<String> = Set(
    [EventKind.unassigned, .unitStoodDown, .unitStatus, .linkRevoked, .merged].map(\.rawValue))

  // MARK: - Wishes

  /// Does what is wished, or says why not; returns when it is durable and known to all.
  package func submit(_ wish: Wish) async throws(Refusal) -> Receipt {
    if !wish.isServer, let wait = rates.delay(for: wish, now: clock.monotonic()) {
      throw Refusal(.tooFast, "Too many messages at once. Go on in \(wait.milliseconds) ms.", retryAfter: wait)
    }
    let receipt = try await desk.submit(wish)
    if wish.kind == .merged { try await absorb(wish) }
    return receipt
  }

  /// Opens an incident as `principal`, who must be allowed to.
  package func open(
    _ drafts: [EventDraft], by principal: Principal, clientID: String? = nil
  ) async throws(Refusal) -> IncidentID {
    guard PermissionTable.allows(.open, role: principal.role, relations: []) else { throw .forbidden }
    return try await desk.open(drafts, id: nil, by: principal, clientID: clientID)
  }

  /// Opens the incident that a signed link names, if it is not open: links may be made before anything else.
  package func ensure(_ id: IncidentID, origin: String) async throws(Refusal) {
    guard id != .audit else { throw .unknownIncident }
    if (try? await desk.load(id)) != nil { return }
    do throws(IncidentError) {
      let drafts = try Incident.openingDrafts(
        agency: agency, priority: .p2, type: nil, place: nil, exercise: false, origin: origin)
      _ = try await openNamed(drafts, id).get()
    } catch {
      throw Refusal(error)
    }
  }

  private func openNamed(_ drafts: [EventDraft], _ id: IncidentID) async -> Result<IncidentID, IncidentError> {
    do throws(Refusal) {
      return .success(try await desk.open(drafts, id: id, by: .system))
    } catch {
      return .failure(IncidentError(.full, error.text))
    }
  }

  /// The other half of a merge: what went into another incident appears there.
  private func absorb(_ wish: Wish) async throws(Refusal) {
    guard let from = desk.current(wish.incident), let into = from.mergedInto else { return }
    _ = try await desk.submit(
      Wish(
        .absorbed, from.absorption(), in: into, by: wish.principal, isServer: true))
  }

  // MARK: - Looking

  /// The incident, if `principal` may do `action` to it; what they may not follow does not exist for them.
  package func incident(
    _ id: IncidentID, for principal: Principal, to action: Action = .follow
  ) async throws(Refusal) -> Incident {
    try await desk.incident(id, for: principal, to: action)
  }

  /// The open incidents that `principal` may know of, newest first.
  package func openIncidents(for principal: Principal) -> [Incident] {
    desk.incidents { incident in
      !incident.state.isClosed
        && PermissionTable.allows(
          .list, role: principal.role, relations: incident.relations(of: principal.facts))
    }
    .sorted { $0.openedAt > $1.openedAt }
  }

  /// Events after `number` that `principal` may see, at most `limit`, and the number to go on from.
  package func events(
    of id: IncidentID, after number: Int, limit: Int, for principal: Principal
  ) async throws(Refusal) -> (events: [JournalEvent], next: Int) {
    _ = try await incident(id, for: principal)
    let page = try await desk.events(of: id, after: number, limit: limit)
    let visible = page.map(\.event).filter { desk.isVisible($0, to: principal.facts) }
    return (visible, page.last?.event.number ?? number)
  }

  /// Whether `principal` may do something that concerns no single incident.
  package func authorize(_ action: Action, _ principal: Principal) throws(Refusal) {
    guard PermissionTable.allows(action, role: principal.role, relations: []) else { throw .forbidden }
  }

  // MARK: - Following

  func subscribe(
    _ id: IncidentID, after number: Int?, as principal: Principal, through sink: any MetadataSink,
    greet: @Sendable (Incident, _ startsAfter: Int) -> Void
  ) async throws(Refusal) -> Subscription {
    let subscription = try await desk.subscribe(id, after: number, as: principal, through: sink, greet: greet)
    presence.add(principal, to: id)
    return subscription
  }

  func end(_ subscription: Subscription, of principal: Principal) {
    desk.end(subscription)
    if subscription.leave() { presence.remove(principal.actor, from: subscription.incident) }
  }

  /// Puts a responder on an incident by their own wish.
  func join(_ incident: IncidentID, _ principal: Principal) async throws(Refusal) {
    let actor = principal.actor
    _ = try await submit(
      Wish(
        .assigned,
        ["account": .string(actor.id), "role": .string(actor.role.rawValue), "name": .string(actor.name)],
        in: incident, by: principal))
  }

  /// Ends every connection of somebody who has lost the right to any.
  package func disconnect(actor: String, because refusal: Refusal) {
    connections.close(actor: actor, because: refusal)
  }

  /// Passes something on that is not stored, to everyone who follows the incident.
  func pass(_ kind: EventKind, _ payload: JSONValue, in incident: IncidentID, by principal: Principal = .system) async {
    _ = try? await desk.submit(Wish(kind, payload, in: incident, by: principal, isServer: true))
  }
}
