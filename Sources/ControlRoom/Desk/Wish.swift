import Cryptography
import Incidents
import JSON
import Primitives
import Storage

/// Something that somebody wants to happen to an incident.
package struct Wish: Sendable {
  package var incident: IncidentID
  package var kind: EventKind
  package var payload: JSONValue
  package var principal: Principal
  /// The client's own name for it; a retry with the same name does nothing again.
  package var clientID: String?
  /// Whether the server itself wants it, on the principal's behalf: rights were checked, or there is none to check.
  package var isServer: Bool
  /// The right that is needed, when it is not the one of the kind's row.
  package var action: Action?
  /// Documents that change in the same transaction.
  package var changes: [DocumentChange] = []

  package init(
    _ kind: EventKind, _ payload: JSONValue, in incident: IncidentID, by principal: Principal, clientID: String? = nil,
    isServer: Bool = false, action: Action? = nil, changes: [DocumentChange] = []
  ) {
    self.incident = incident
    self.kind = kind
    self.payload = payload
    self.principal = principal
    self.clientID = clientID
    self.isServer = isServer
    self.action = action
    self.changes = changes
  }

  var key: ClientKey? { clientID.map { ClientKey(actor: principal.actor.id, clientID: $0) } }

  /// The right that is needed instead of the one of the kind's row.
  ///
  /// Responders may put themselves, and nobody else, on an incident.
  var neededAction: Action? {
    if let action { return action }
    let isOwn = payload["account"]?.string == principal.actor.id
    return kind == .assigned && isOwn && principal.role == .responder ? .subscribe : nil
  }

  /// The incident that is to go on, when this is the wish to merge.
  var mergeTarget: IncidentID? {
    kind == .merged ? payload["into"]?.string.flatMap { IncidentID($0) } : nil
  }

  /// SHA-256 of the payload as it was sent.
  var digest: [UInt8] { Digest.sha256(payload.canonicalBytes) }
}

/// That a wish was granted.
package enum Receipt: Hashable, Sendable {
  /// It is in the journal under this number; `isRepeat` when it had been before.
  case durable(number: Int, isRepeat: Bool)
  /// It was passed on to whoever listens.
  case ephemeral
}
