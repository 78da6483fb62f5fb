import Cryptography
import JSON
import Primitives

/// Something that happened to an incident: numbered, stamped, attributed and chained to what came before.
///
/// Its content is fixed when it is accepted; nothing is acknowledged or shown before it is durable.
package struct JournalEvent: Hashable, Sendable {
  /// The incident, or ``IncidentID/audit`` for what concerns none.
  package let incident: IncidentID
  /// 1, 2, 3 … within the incident, without gaps.
  package let number: Int
  package let time: UTCTime
  package let actor: Actor
  /// A name out of ``EventKind``; kept as text so that an older program can carry what a newer one wrote.
  package let kind: String
  package let payload: JSONValue
  /// The client's own name for it, unique for the actor within the incident: a retry never doubles.
  package let clientID: String?
  /// SHA-256 of the event before, 32 bytes; zeros before the first.
  package let previousHash: [UInt8]
  /// SHA-256 over the canonical JSON (RFC 8785) of everything above, 32 bytes.
  package let hash: [UInt8]

  /// Longest client identifier, in characters.
  package static let maximumClientIDLength = 64
  /// What the first event of an incident is chained to.
  package static let genesisHash = [UInt8](repeating: 0, count: 32)

  /// Makes the event that follows the one with `previousHash`.
  package init(
    incident: IncidentID, number: Int, time: UTCTime, actor: Actor, kind: String, payload: JSONValue,
    clientID: String?, previousHash: [UInt8]
  ) {
    self.incident = incident
    self.number = number
    self.time = time
    self.actor = actor
    self.kind = kind
    self.payload = payload
    self.clientID = clientID
    self.previousHash = previousHash
    let content = Self.content(
      incident: incident, number: number, time: time, actor: actor, kind: kind, payload: payload, clientID: clientID,
      previousHash: previousHash)
    hash = Digest.sha256(content.canonicalBytes)
  }

  /// The event as it is written out: the hashed content and the hash.
  package var json: JSONValue {
    guard case .object(var members) = content else { preconditionFailure("content is an object") }
    members["hash"] = .string(Hex.encode(hash))
    return .object(members)
  }

  /// The event as an audience sees it: whole, or without what is not for callers and guests, and then marked as
  /// `redacted`, since its hash is that of the whole.
  package func json(for audience: Audience) -> JSONValue {
    guard audience.isDisjoint(with: .team), let payload = EventKind(rawValue: kind)?.redacted(payload),
      case .object(var members) = json
    else { return json }
    members["payload"] = payload
    members["redacted"] = true
    return .object(members)
  }

  /// Reads what ``json`` wrote; nil when a part is missing or the hash is not that of the content.
  package init?(json: JSONValue) {
    guard let incident = json["incident"]?.string.flatMap({ IncidentID($0) }), let number = json["number"]?.integer,
      let time = json["time"]?.string.flatMap({ UTCTime($0) }), let actor = json["actor"].flatMap(Actor.init(json:)),
      let kind = json["kind"]?.string, let payload = json["payload"],
      let previousHash = json["previousHash"]?.string.flatMap({ Hex.decode($0) })
    else { return nil }
    self.init(
      incident: incident, number: number, time: time, actor: actor, kind: kind, payload: payload,
      clientID: json["clientID"]?.string, previousHash: previousHash)
    guard json["hash"]?.string == Hex.encode(hash) else { return nil }
  }

  private var content: JSONValue {
    Self.content(
      incident: incident, number: number, time: time, actor: actor, kind: kind, payload: payload, clientID: clientID,
      previousHash: previousHash)
  }

  private static func content(
    incident: IncidentID, number: Int, time: UTCTime, actor: Actor, kind: String, payload: JSONValue,
    clientID: String?, previousHash: [UInt8]
  ) -> JSONValue {
    .members([
      "incident": .string(incident.value), "number": .integer(number), "time": .string(time.description),
      "actor": actor.json, "kind": .string(kind), "payload": payload, "clientID": clientID.map { .string($0) },
      "previousHash": .string(Hex.encode(previousHash)),
    ])
  }
}

extension IncidentID {
  /// The journal of what concerns no single incident: accounts, settings, sign-ins.
  package static let audit: IncidentID = {
    guard let id = IncidentID("_audit") else { preconditionFailure("a valid identifier") }
    return id
  }()
}
