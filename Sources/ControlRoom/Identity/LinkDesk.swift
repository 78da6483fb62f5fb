import Cryptography
import Identity
import Incidents
import JSON
import MediaServer
import Primitives
import Storage
import Synchronization

/// What a genuine link says about its bearer, out of its signed token.
package struct SignedLink: Hashable, Sendable {
  /// The token's own identifier.
  package let id: String
  /// Who its bearer is in the journal; another link of the same subject lets the same person in.
  package let subject: String
  package let incident: IncidentID
  package let role: Role
  package let name: String
  package let directions: MediaPermissions
  package let expiresAt: UTCTime

  package init(
    id: String, subject: String, incident: IncidentID, role: Role, name: String, directions: MediaPermissions,
    expiresAt: UTCTime
  ) {
    self.id = Self.identifier(id)
    self.subject = Self.identifier(subject)
    self.incident = incident
    self.role = role
    self.name = name
    self.directions = directions
    self.expiresAt = expiresAt
  }

  /// The text itself where it is an identifier, else a digest of it.
  private static func identifier(_ text: String) -> String {
    IncidentID(text) != nil ? text : Hex.encode(Digest.sha256(Array(text.utf8)).prefix(16))
  }
}

/// Makes links, knows what became of each, and ends them.
///
/// A link's token is signed, so that it can be made anywhere that has the key, on the command line for example; the desk
/// learns of such a link when it is opened first. From then on it is as good or bad as the desk says.
package final class LinkDesk: Sendable {
  let grants = Mutex<[String: LinkGrant]>([:])
  let room: ControlRoom
  private let storage: any Storage

  static let collection = "links"
  /// Links kept at hand; beyond it those that are over are left to the store.
  static let maximumGrants = 65_536

  package init(room: ControlRoom, storage: any Storage) throws(StorageError) {
    self.room = room
    self.storage = storage
    let now = room.clock.wall()
    for document in try storage.all(Self.collection) {
      guard let grant = LinkGrant(id: document.key, document: document.value) else { continue }
      if grant.isOpen(at: now) { grants.withLock { $0[grant.id] = grant } }
    }
  }

  // MARK: - Making

  /// What a new link is for.
  package struct Draft: Sendable {
    package var role: Role
    package var name: String
    package var phone: String?
    /// Minutes that it can be opened, or, for a guest, that it lasts.
    package var minutes: Int

    package init(role: Role, name: String, phone: String?, minutes: Int) {
      self.role = role
      self.name = name
      self.phone = phone
      self.minutes = minutes
    }
  }

  /// Longest life of a link, minutes.
  package static let minutes = 1...10_080

  /// Makes a link into an incident, if `principal` may.
  package func create(_ draft: Draft, in incident: IncidentID, by principal: Principal) async throws(Refusal)
    -> LinkGrant
  {
    guard [.caller, .guest, .device].contains(draft.role) else {
      throw Refusal(.badPayload, "role: a link is for a caller, a guest or a device. Staff have accounts.")
    }
    let action: Action = draft.role == .caller ? .inviteCaller : .share
    let present = try await room.incident(incident, for: principal, to: action)
    guard !present.state.isClosed else {
      throw Refusal(.wrongState, "The incident is \(present.state.rawValue). Reopen it first.")
    }
    guard Self.minutes.contains(draft.minutes) else {
      throw Refusal(.badPayload, "minutes: 1 to \(Self.minutes.upperBound).")
    }
    var random = RandomSource.system
    let now = room.clock.wall()
    let grant = LinkGrant(
      id: "l-\(Hex.encode(random.bytes(8)))", incident: incident, role: draft.role, name: draft.name,
      phone: draft.phone, createdBy: principal.actor.id, createdAt: now,
      expiresAt: now + .seconds(Double(draft.minutes) * 60))
    try await announce(grant, by: principal)
    return grant
  }

  /// Stores a link with the events that make it known.
  private func announce(_ grant: LinkGrant, by principal: Principal) async throws(Refusal) {
    if grant.role == .caller {
      _ = try await room.submit(
        Wish(
          .callerAdded,
          .members([
            "caller": .string(grant.subject), "name": .string(grant.name), "phone": grant.phone.map { .string($0) },
          ]), in: grant.incident, by: principal, isServer: true))
    }
    _ = try await room.submit(
      Wish(
        .linkCreated,
        .members([
          "link": .string(grant.id), "role": .string(grant.role.rawValue), "name": .string(grant.name),
          "phone": grant.phone.map { .string($0) }, "expires": .string(grant.expiresAt.description),
        ]), in: grant.incident, by: principal, isServer: true, changes: [grant.change]))
    remember(grant)
  }

  // MARK: - Opening

  /// Lets the bearer of a genuine link in.
  ///
  /// - Parameters:
  ///   - key: What their page made up when it opened first: a caller's link is for one page.
  ///   - starts: Whether a session starts with it, rather than a look at something.
  package func admit(_ link: SignedLink, key: String?, starts: Bool) async throws(Refusal) -> Principal {
    var grant = try await known(link.id)
    if grant == nil, starts { grant = try await adopt(link) }
    let now = room.clock.wall()
    guard var grant else {
      guard now < link.expiresAt else { throw .linkExpired }
      return Principal(link)
    }
    var isStarting = false
    do throws(LinkGrant.Refusal) {
      if starts { isStarting = try grant.start(key: key ?? Self.noKey, now: now) }
      try grant.check(key: starts ? key ?? Self.noKey : key, now: now)
    } catch {
      throw Refusal(error)
    }
    if isStarting { try await noteStart(grant) }
    return Principal(link, grant)
  }

  /// Lets the bearer of a link in whose call ended less than ``afterCallTime`` ago; nil for any other link.
  ///
  /// Their page may still have something to hand over: what it recorded while it was offline.
  package func admit(afterCall link: SignedLink) async throws(Refusal) -> Principal? {
    guard let grant = try await known(link.id), case .ended(let end) = grant.state,
      room.clock.wall() - end <= Self.afterCallTime
    else { return nil }
    return Principal(link, grant)
  }

  /// How long after the end of their call a page may hand over what it has.
  package static let afterCallTime = TimeInterval64.seconds(600)

  /// What the bearers without a key, cameras and players for example, share.
  private static let noKey = "-"

  private func adopt(_ link: SignedLink) async throws(Refusal) -> LinkGrant {
    let now = room.clock.wall()
    guard now < link.expiresAt else { throw .linkExpired }
    try await room.ensure(link.incident, origin: "link")
    let incident = try await room.loaded(link.incident)
    guard !incident.state.isClosed || incident.mergedInto != nil else { throw .linkEnded }
    let grant = LinkGrant(
      id: link.id, subject: link.subject, incident: link.incident, role: link.role, name: link.name, phone: nil,
      createdBy: Actor.system.id, createdAt: now, expiresAt: link.expiresAt)
    if incident.mergedInto != nil {
      remember(grant)
    } else {
      try await announce(grant, by: .system)
    }
    return grants.withLock { $0[grant.id] } ?? grant
  }

  private func noteStart(_ grant: LinkGrant) async throws(Refusal) {
    let isFirst = grants.withLock { grants in
      if case .started? = grants[grant.id]?.state { return false }
      grants[grant.id] = grant
      return true
    }
    guard isFirst else { return }
    try await room.audit.store([grant.change])
    if grant.role == .caller { await room.report(.opened, of: grant.subject, in: grant.incident) }
  }

  // MARK: - Ending

  /// Makes a link worthless; what it opened ends at once.
  package func revoke(_ id: String, in incident: IncidentID, by principal: Principal, reason: String?)
    async throws(Refusal)
  {
    _ = try await room.incident(incident, for: principal, to: .revokeLink)
    guard var grant = try await known(id), grant.incident == incident else {
      throw Refusal(.notFound, "There is no such link in this incident.")
    }
    grant.revoke(now: room.clock.wall())
    // First of all it opens nothing any more; then it is told.
    remember(grant)
    _ = try await room.submit(
      Wish(
        .linkRevoked, .members(["link": .string(id), "reason": reason.map { .string($0) }]), in: incident,
        by: principal, isServer: true, changes: [grant.change]))
    room.disconnect(actor: grant.subject, because: .linkRevoked)
  }

  /// Ends the links of a caller whose session is over.
  package func end(caller: String, in incident: IncidentID) async {
    let now = room.clock.wall()
    let ended = grants.withLock { grants -> [LinkGrant] in
      let own = grants.values.filter { $0.subject == caller && $0.incident == incident && $0.role == .caller }
      return own.compactMap { grant in
        guard case .started = grant.state else { return nil }
        var grant = grant
        grant.end(now: now)
        grants[grant.id] = grant
        return grant
      }
    }
    if !ended.isEmpty { try? await room.audit.store(ended.map(\.change)) }
  }

  /// Ends what is over by the clock: callers' links that nobody opened, guests whose time is up.
  ///
  /// - Returns: Actors whose connections have to end.
  package func sweep() async -> [String] {
    let now = room.clock.wall()
    let over = grants.withLock { grants in
      let over = grants.values.filter { !$0.isOpen(at: now) }
      for grant in over { grants[grant.id] = nil }
      return over
    }
    for grant in over where grant.role == .caller {
      guard case .issued = grant.state else { continue }
      await room.report(.expired, of: grant.subject, in: grant.incident)
    }
    return over.compactMap { grant in
      guard case .started = grant.state, grant.role != .caller else { return nil }
      return grant.subject
    }
  }

  // MARK: - Memory

  func known(_ id: String) async throws(Refusal) -> LinkGrant? {
    if let grant = grants.withLock({ $0[id] }) { return grant }
    let document = try await room.desk.read { (storage) throws(StorageError) in
      try storage.document(Self.collection, id)
    }
    return document.flatMap { LinkGrant(id: id, document: $0) }
  }

  private func remember(_ grant: LinkGrant) {
    let now = room.clock.wall()
    grants.withLock { grants in
      if grants.count >= Self.maximumGrants { grants = grants.filter { $0.value.isOpen(at: now) } }
      grants[grant.id] = grant
    }
  }
}

extension LinkGrant {
  var change: DocumentChange { .put(collection: LinkDesk.collection, key: id, document) }

  /// Whether it can still open something, or keeps something open.
  func isOpen(at now: UTCTime) -> Bool {
    switch state {
    case .issued: now < expiresAt
    case .started: role == .caller || role == .device || now < expiresAt
    case .ended, .revoked: false
    }
  }
}

extension Principal {
  /// The bearer of a link.
  init(_ link: SignedLink, _ grant: LinkGrant? = nil) {
    let role = grant?.role ?? link.role
    let subject = grant?.subject ?? link.subject
    self.init(
      actor: Actor(id: subject, role: role, name: grant?.name ?? link.name),
      facts: PrincipalFacts(
        actorID: subject, role: role, agency: "", linkedIncident: link.incident, unit: nil, desk: nil),
      directions: link.directions, link: link.id)
  }
}

extension Refusal {
  package static let linkExpired = Refusal(.linkExpired, "The link is no longer valid. Ask for a new one.")
  package static let linkRevoked = Refusal(.linkRevoked, "The link was withdrawn. Ask for a new one if you need it.")
  package static let linkEnded = Refusal(.linkEnded, "The call is over. Ask for a new link if you need to go on.")
  package static let linkUsed = Refusal(
    .linkUsed, "The link was opened on another page already. Use that page, or ask for a new link.")

  init(_ refusal: LinkGrant.Refusal) {
    switch refusal {
    case .expired: self = .linkExpired
    case .alreadyUsed: self = .linkUsed
    case .ended: self = .linkEnded
    case .revoked: self = .linkRevoked
    }
  }
}
