import JSON
import Primitives
import Storage

/// One event that one receiver has still to get, as the outbox stores it.
///
/// It names the event; the journal holds it.
package struct WebhookDelivery: Hashable, Sendable {
  package let webhook: String
  package let incident: IncidentID
  /// The event's number in the incident's journal.
  package let number: Int
  package let createdAt: UTCTime
  package var tries = 0
  /// Not before this time.
  package var nextAt: UTCTime
  /// Why the last try failed.
  package var lastError: String?

  /// Deliveries that wait.
  package static let collection = "webhook-deliveries"

  package init(webhook: String, incident: IncidentID, number: Int, createdAt: UTCTime) {
    self.webhook = webhook
    self.incident = incident
    self.number = number
    self.createdAt = createdAt
    nextAt = createdAt
  }

  /// Sorts by webhook, incident and number, so that the first key of a chain is what goes out next.
  package var key: String {
    let digits = String(number)
    let padding = String(repeating: "0", count: max(0, Self.numberDigits - digits.count))
    return DeliveryChain(webhook: webhook, incident: incident.value).prefix + padding + digits
  }

  /// The receiver sees the same name at every try.
  package var id: String { "\(webhook).\(incident).\(number)" }

  package var json: JSONValue {
    .members([
      "webhook": .string(webhook), "incident": .string(incident.value), "number": .integer(number),
      "createdAt": .string(createdAt.description), "tries": .integer(tries), "nextAt": .string(nextAt.description),
      "lastError": lastError.map { .string($0) },
    ])
  }

  package init?(json: JSONValue) {
    guard let webhook = json["webhook"]?.string, let number = json["number"]?.integer,
      let incident = json["incident"]?.string.flatMap({ IncidentID($0) }), let tries = json["tries"]?.integer,
      let createdAt = json["createdAt"]?.string.flatMap({ UTCTime($0) }),
      let nextAt = json["nextAt"]?.string.flatMap({ UTCTime($0) })
    else { return nil }
    self.init(webhook: webhook, incident: incident, number: number, createdAt: createdAt)
    self.tries = tries
    self.nextAt = nextAt
    lastError = json["lastError"]?.string
  }

  var putting: DocumentChange { .put(collection: Self.collection, key: key, json) }
  var deleting: DocumentChange { .delete(collection: Self.collection, key: key) }

  /// Digits of a number in a key.
  private static let numberDigits = 12
}

/// A delivery that was given up.
package struct WebhookDeadLetter: Hashable, Sendable {
  package let delivery: WebhookDelivery
  package let diedAt: UTCTime

  package static let collection = "webhook-dead-letters"

  package init(delivery: WebhookDelivery, diedAt: UTCTime) {
    self.delivery = delivery
    self.diedAt = diedAt
  }

  package var key: String { delivery.key }

  package var json: JSONValue { ["delivery": delivery.json, "diedAt": .string(diedAt.description)] }

  package init?(json: JSONValue) {
    guard let delivery = json["delivery"].flatMap(WebhookDelivery.init(json:)),
      let diedAt = json["diedAt"]?.string.flatMap({ UTCTime($0) })
    else { return nil }
    self.init(delivery: delivery, diedAt: diedAt)
  }

  var putting: DocumentChange { .put(collection: Self.collection, key: key, json) }
  var deleting: DocumentChange { .delete(collection: Self.collection, key: key) }
}

/// Deliveries of one incident to one receiver, which go out one after the other.
package struct DeliveryChain: Hashable, Sendable {
  package let webhook: String
  package let incident: String

  /// What all keys of the chain begin with; neither part holds a slash.
  var prefix: String { "\(webhook)/\(incident)/" }

  /// Sorts after all keys of the chain: `~` comes after whatever an identifier may hold.
  var end: String { prefix + "~" }

  package init(webhook: String, incident: String) {
    self.webhook = webhook
    self.incident = incident
  }

  /// The chain that a key belongs to.
  init?(key: String) {
    let parts = key.split(separator: "/")
    guard parts.count == 3 else { return nil }
    self.init(webhook: String(parts[0]), incident: String(parts[1]))
  }
}
