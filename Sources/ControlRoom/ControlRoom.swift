import Cryptography
import Identity
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
  package let accounts: AccountDirectory
  package let signIns: SignInDesk
  let outbox = EventOutbox()
  private let sessions: SessionEnder
  private let openings: OpeningDesk
  private let rates: RateLimiter
  private let journal: JournalTap

  /// - Parameters:
  ///   - agency: The agency that incidents opened on this node belong to, unless said otherwise.
  ///   - secrets: Keeps second factors sealed in the store.
  package init(
    storage: any Storage, agency: String, secrets: SecretBox, limits: ControlRoomLimits = .init(),
    identity: IdentityLimits = .init(), clock: ControlRoomClock = .system,
    onStorageFailure: @escaping @Sendable (StorageError) -> Void
  ) throws(StorageError) {
    self.storage = storage
    self.limits = limits
    self.clock = clock
    self.agency = agency
    counters = ControlRoomCounters()
    rates = RateLimiter(limits: limits)
    let connections = ConnectionRegistry()
    self.connections = connections
    let journal = JournalTap()
    self.journal = journal
    let counters = counters
    writer = JournalWriter(storage: storage) { error in
      counters.noteStorageFailure()
      onStorageFailure(error)
    }
    desk = IncidentDesk(storage: storage, writer: writer, clock: clock, limits: limits, outbox: outbox) {
      event, incident in
      counters.noteEvent()
      journal.tell(event, incident)
    }
    audit = try AuditJournal(storage: storage, writer: writer, clock: clock)
    let passwords = PasswordWorker()
    let sessions = SessionEnder()
    self.sessions = sessions
    accounts = try AccountDirectory(
      storage: storage, audit: audit, passwords: passwords, clock: clock, maximumAccounts: identity.maximumAccounts
    ) { account, change in sessions.changed(account, change, connections) }
    let signIns = try SignInDesk(
      storage: storage, accounts: accounts, audit: audit, passwords: passwords, secrets: secrets, clock: clock,
      limits: identity
    ) { connections.close(credential: $0, because: .signInRequired) }
    self.signIns = signIns
    sessions.desk.withLock { $0 = signIns }
    openings = OpeningDesk(reader: desk.reader)
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

  /// Open incidents that are not served because their journal cannot be read, with the reason.
  package var unreadableIncidents: [IncidentID: String] { desk.state.withLock { $0.unreadable } }

  /// Waits for everything accepted to be durable, then ends the writer; nobody is told of anything any more.
  package func stop() {
    writer.stop()
    journal.clear()
    connections.clear()
    sessions.desk.withLock { $0 = nil }
  }

  /// Calls `observer` with every durable event, in order, on the writer's thread; it must not block.
  package func observe(_ observer: @escaping @Sendable (JournalEvent, Incident) -> Void) {
    journal.listen(observer)
  }

  /// As ``observe(_:)``, until ``stopObserving(_:)`` is called with the name that comes back.
  package func observeWhile(_ observer: @escaping @Sendable (JournalEvent, Incident) -> Void) -> Int {
    journal.listen(observer)
  }

  package func stopObserving(_ id: Int) { journal.remove(id) }

  /// Kinds after which somebody may have lost the right to follow an incident.
  private static let changesAccess: Set<String> = Set(
    [EventKind.unassigned, .unitStoodDown, .unitStatus, .linkRevoked, .merged].map(\.rawValue))

  /// Whether the store can be written and read.
  package var isHealthy: Bool {
    get async {
      guard writer.hasRoom else { return false }
      do throws(Refusal) {
        try await desk.read { (storage) throws(StorageError) in try storage.checkHealth() }
        return true
      } catch {
        return false
      }
    }
  }

  /// Incidents in memory.
  package var incidentCount: Int { desk.state.withLock { $0.entries.count } }

  /// Carriers of the metadata channel that are open.
  package var connectionCount: Int { connections.count }

  /// Everybody who is connected now, by who they are in the journal.
  package var presentActors: Set<String> { connections.actors }

  package var journalStatistics: JournalWriter.Statistics { writer.statistics }

  // MARK: - Wishes

  /// Does what is wished, or says why not; returns when it is durable and known to all.
  package func submit(_ wish: Wish) async throws(Refusal) -> Receipt {
    try checkRate(wish)
    return try await perform(wish)
  }

  private func checkRate(_ wish: Wish) throws(Refusal) {
    if !wish.isServer, let wait = rates.delay(for: wish, now: clock.monotonic()) {
      throw Refusal(.tooFast, "Too many messages at once. Go on in \(wait.milliseconds) ms.", retryAfter: wait)
    }
  }

  /// As ``submit(_:)``, for clients that send one wish after the other: each is decided in its turn, the answers come when
  /// they come, so that many wishes share a commit.
  func submitInTurn(_ wish: Wish, _ answer: @escaping @Sendable (Result<Receipt, Refusal>) -> Void) async {
    do throws(Refusal) {
      try checkRate(wish)
      if wish.kind != .merged, desk.submitAtOnce(wish, answer) { return }
      answer(.success(try await perform(wish)))
    } catch {
      answer(.failure(error))
    }
  }

  private func perform(_ wish: Wish) async throws(Refusal) -> Receipt {
    let receipt = try await desk.submit(wish)
    if wish.kind == .merged { try await absorb(wish) }
    return receipt
  }

  /// Opens an incident as `principal`, who must be allowed to.
  package func open(
    _ drafts: [EventDraft], by principal: Principal, clientID: String? = nil
  ) async throws(Refusal) -> IncidentID {
    guard PermissionTable.allows(.open, role: principal.role, relations: []) else { throw .forbidden }
    guard let clientID else { return try await desk.open(drafts, id: nil, by: principal) }
    return try await openings.once(ClientKey(actor: principal.actor.id, clientID: clientID)) {
      [desk] (alsoStore) throws(Refusal) in
      try await desk.open(drafts, id: nil, by: principal, clientID: clientID, alsoStore: alsoStore)
    }
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
  package func join(_ incident: IncidentID, _ principal: Principal) async throws(Refusal) {
    let actor = principal.actor
    _ = try await submit(
      Wish(
        .assigned,
        ["account": .string(actor.id), "role": .string(actor.role.rawValue), "name": .string(actor.name)],
        in: incident, by: principal))
  }

  /// Calls `observer` when everything that an actor, or a session or token, holds open has to end.
  package func observeDisconnections(_ observer: @escaping @Sendable (ConnectionOwner, Refusal) -> Void) {
    connections.listen(observer)
  }

  /// Has a carrier closed when its owner loses the right to any; ``leave(_:)`` takes it off the list.
  package func enter(_ sink: any MetadataSink, as principal: Principal) { connections.add(sink, of: principal) }

  package func leave(_ sink: any MetadataSink) { connections.remove(sink) }

  /// Ends every connection of somebody who has lost the right to any.
  package func disconnect(actor: String, because refusal: Refusal) {
    connections.close(actor: actor, because: refusal)
  }

  /// Passes something on that is not stored, to everyone who follows the incident.
  func pass(_ kind: EventKind, _ payload: JSONValue, in incident: IncidentID, by principal: Principal = .system) async {
    _ = try? await desk.submit(Wish(kind, payload, in: incident, by: principal, isServer: true))
  }
}

/// Ends what an account holds open when its rights change; closes the circle between accounts and sessions.
private final class SessionEnder: Sendable {
  let desk = Mutex<SignInDesk?>(nil)

  func changed(_ account: Account, _ change: String, _ connections: ConnectionRegistry) -> [DocumentChange] {
    guard ["role", "suspended", "password"].contains(change) else { return [] }
    connections.close(actor: account.id, because: .signInRequired)
    return change == "role" ? [] : desk.withLock { $0 }?.endSessions(of: account) ?? []
  }
}
