import Incidents
import JSON
import Primitives

/// What the server says in the metadata envelope, the same on every carrier; Gateway.docc/WebSocket.md describes each.
package enum ServerMetadata {
  package static let version = 1

  /// A durable event.
  static func event(_ event: JSONValue) -> String {
    // Composed as text: the event's own JSON is canonical and is sent as it was hashed.
    #"{"v":1,"kind":"event","event":\#(event.canonical)}"#
  }

  /// Something that is passed on and not stored; `serial` rises by one with each in an incident.
  static func ephemeral(
    _ incident: IncidentID, serial: Int, at time: UTCTime, actor: Actor, _ draft: EventDraft
  ) -> String {
    let event: JSONValue = [
      "incident": .string(incident.value), "serial": .integer(serial), "time": .string(time.description),
      "actor": actor.json, "kind": .string(draft.kind.rawValue), "payload": draft.payload,
    ]
    return #"{"v":1,"kind":"ephemeral","event":\#(event.canonical)}"#
  }

  /// What a subscription begins with.
  static func subscribed(
    _ snapshot: JSONValue, incident: IncidentID, after number: Int, inReplyTo id: String?
  ) -> String {
    message(
      "subscribed",
      [
        "incident": .string(incident.value), "after": .integer(number), "snapshot": snapshot,
        "inReplyTo": id.map { .string($0) },
      ])
  }

  static func unsubscribed(_ incident: IncidentID, because refusal: Refusal?, inReplyTo id: String?) -> String {
    message(
      "unsubscribed",
      [
        "incident": .string(incident.value), "code": refusal.map { .string($0.code.rawValue) },
        "text": refusal.map { .string($0.text) }, "inReplyTo": id.map { .string($0) },
      ])
  }

  /// How an incident of a list stands; no summary when it no longer belongs there.
  static func listed(_ incident: IncidentID, _ summary: JSONValue?) -> String {
    message("listed", ["incident": .string(incident.value), "summary": summary])
  }

  /// A list begins; `listed` messages follow.
  static func listing(inReplyTo id: String?) -> String {
    message("listing", ["inReplyTo": id.map { .string($0) }])
  }

  /// What a client sent is in the journal, or was passed on.
  static func accepted(_ receipt: Receipt, incident: IncidentID, inReplyTo id: String?) -> String {
    switch receipt {
    case .durable(let number, let isRepeat):
      message(
        "accepted",
        [
          "incident": .string(incident.value), "number": .integer(number), "repeat": isRepeat ? true : nil,
          "inReplyTo": id.map { .string($0) },
        ])
    case .ephemeral:
      message("accepted", ["incident": .string(incident.value), "inReplyTo": id.map { .string($0) }])
    }
  }

  package static func error(_ refusal: Refusal, inReplyTo id: String?) -> String {
    message(
      "error",
      [
        "code": .string(refusal.code.rawValue), "text": .string(refusal.text),
        "retryAfter": refusal.retryAfter.map { .number($0.seconds) }, "inReplyTo": id.map { .string($0) },
      ])
  }

  private static func message(_ kind: String, _ members: KeyValuePairs<String, JSONValue?>) -> String {
    guard case .object(var object) = JSONValue.members(members) else { preconditionFailure("members make an object") }
    object["v"] = .integer(version)
    object["kind"] = .string(kind)
    return JSONValue.object(object).canonical
  }
}
