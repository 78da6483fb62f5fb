import Incidents
import JSON
import Primitives

/// A link to one incident: for a caller, a guest, a responder without an account, or a device.
///
/// Its address carries a signed token of the same identifier; whether it still opens anything is decided here.
package struct LinkGrant: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    case issued
    /// A session was started by the holder of this key; only they may go on.
    case started(key: String, at: UTCTime)
    case ended(at: UTCTime)
    case revoked(at: UTCTime)
  }

  /// Why a link opens nothing.
  package enum Refusal: String, Error, Hashable, Sendable {
    case expired
    case alreadyUsed
    case ended
    case revoked
  }

  package let id: String
  /// Who its bearer is in the journal.
  package let subject: String
  package let incident: IncidentID
  package let role: Role
  package let name: String
  package let phone: String?
  package let createdBy: String
  package let createdAt: UTCTime
  package let expiresAt: UTCTime
  package private(set) var state = State.issued

  package init(
    id: String, subject: String? = nil, incident: IncidentID, role: Role, name: String, phone: String?,
    createdBy: String, createdAt: UTCTime, expiresAt: UTCTime
  ) {
    self.id = id
    self.subject = subject ?? id
    self.incident = incident
    self.role = role
    self.name = name
    self.phone = phone
    self.createdBy = createdBy
    self.createdAt = createdAt
    self.expiresAt = expiresAt
  }

  /// Whether the first to start a session keeps the others out: a caller's link is for one person.
  package var isSingleStart: Bool { role == .caller }

  /// Whether a session that runs outlives the link: a call must not end because a quarter of an hour is over, but a guest's
  /// look does.
  private var outlivesExpiry: Bool { role == .caller || role == .device }

  /// Whether the bearer may look around; `key` is what their page made up when it opened first.
  package func check(key: String?, now: UTCTime) throws(Refusal) {
    switch state {
    case .issued:
      guard now < expiresAt else { throw .expired }
    case .started(let holder, _):
      if isSingleStart, let key, key != holder { throw .alreadyUsed }
      guard outlivesExpiry || now < expiresAt else { throw .expired }
    case .ended: throw .ended
    case .revoked: throw .revoked
    }
  }

  /// A session starts, or goes on after a reload; whether the state changed.
  package mutating func start(key: String, now: UTCTime) throws(Refusal) -> Bool {
    try check(key: key, now: now)
    guard case .issued = state else { return false }
    state = .started(key: key, at: now)
    return true
  }

  /// The session is over for good; opening it again needs a new link.
  package mutating func end(now: UTCTime) {
    if case .revoked = state { return }
    state = .ended(at: now)
  }

  package mutating func revoke(now: UTCTime) {
    state = .revoked(at: now)
  }

  package var actor: Actor { Actor(id: subject, role: role, name: name) }

  package var facts: PrincipalFacts {
    PrincipalFacts(actorID: subject, role: role, agency: "", linkedIncident: incident, unit: nil, desk: nil)
  }

  package var document: JSONValue {
    var (word, key, at): (String, String?, UTCTime?) = ("issued", nil, nil)
    switch state {
    case .issued: break
    case .started(let holder, let time): (word, key, at) = ("started", holder, time)
    case .ended(let time): (word, at) = ("ended", time)
    case .revoked(let time): (word, at) = ("revoked", time)
    }
    return .members([
      "subject": .string(subject), "incident": .string(incident.value), "role": .string(role.rawValue),
      "name": .string(name),
      "phone": phone.map { .string($0) }, "createdBy": .string(createdBy),
      "createdAt": .string(createdAt.description), "expiresAt": .string(expiresAt.description), "state": .string(word),
      "key": key.map { .string($0) }, "at": at.map { .string($0.description) },
    ])
  }

  package init?(id: String, document: JSONValue) {
    guard let incident = document["incident"]?.string.flatMap({ IncidentID($0) }),
      let role = document["role"]?.string.flatMap(Role.init), let name = document["name"]?.string,
      let createdBy = document["createdBy"]?.string,
      let createdAt = document["createdAt"]?.string.flatMap({ UTCTime($0) }),
      let expiresAt = document["expiresAt"]?.string.flatMap({ UTCTime($0) })
    else { return nil }
    self.init(
      id: id, subject: document["subject"]?.string, incident: incident, role: role, name: name,
      phone: document["phone"]?.string, createdBy: createdBy, createdAt: createdAt, expiresAt: expiresAt)
    let at = document["at"]?.string.flatMap { UTCTime($0) } ?? createdAt
    switch document["state"]?.string {
    case "started": state = .started(key: document["key"]?.string ?? "", at: at)
    case "ended": state = .ended(at: at)
    case "revoked": state = .revoked(at: at)
    case "issued": state = .issued
    default: return nil
    }
  }
}
