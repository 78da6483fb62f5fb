import JSON
import Primitives

/// A receiver of events: an agency's CAD or record system.
package struct Webhook: Hashable, Sendable, CustomStringConvertible {
  /// 1 to 64 letters, digits, `-` and `_`.
  package let id: String
  package let url: String
  /// Signs each delivery; both sides know it.
  package let secret: String
  package let agency: String
  /// Kinds of events that are sent; empty for all that happen to incidents.
  package let kinds: Set<String>
  package let createdAt: UTCTime

  /// The collection that webhooks are stored in.
  package static let collection = "webhooks"
  /// Shortest secret, in bytes.
  package static let minimumSecretLength = 16
  /// Longest secret, in bytes.
  package static let maximumSecretLength = 256
  package static let maximumKinds = 100

  /// Throws `invalid` with what is wrong.
  package init(
    id: String, url: String, secret: String, agency: String, kinds: Set<String> = [], createdAt: UTCTime
  ) throws(OutgoingError) {
    guard IncidentID(id) != nil else {
      throw OutgoingError(.invalid, "A webhook's id has 1 to 64 letters, digits, - and _.")
    }
    guard OutgoingRequest.host(of: url) != nil else {
      throw OutgoingError(.invalid, "A webhook's url has to be http:// or https:// with a host, without a password.")
    }
    guard (Self.minimumSecretLength...Self.maximumSecretLength).contains(secret.utf8.count) else {
      throw OutgoingError(
        .invalid, "A webhook's secret has \(Self.minimumSecretLength) to \(Self.maximumSecretLength) bytes.")
    }
    guard kinds.count <= Self.maximumKinds else {
      throw OutgoingError(.invalid, "A webhook names at most \(Self.maximumKinds) kinds of events.")
    }
    self.id = id
    self.url = url
    self.secret = secret
    self.agency = agency
    self.kinds = kinds
    self.createdAt = createdAt
  }

  /// Whether an event is for this receiver.
  ///
  /// What is audited (accounts, sign-ins, settings) goes out only where its kind is named.
  package func wants(kind: String, agency: String) -> Bool {
    self.agency == agency && (kinds.isEmpty ? !kind.hasPrefix("audit.") : kinds.contains(kind))
  }

  /// All of it, the secret too: for the store.
  package var json: JSONValue {
    [
      "id": .string(id), "url": .string(url), "secret": .string(secret), "agency": .string(agency),
      "kinds": .array(kinds.sorted().map { .string($0) }), "createdAt": .string(createdAt.description),
    ]
  }

  /// Reads what ``json`` wrote.
  package init?(json: JSONValue) {
    guard let id = json["id"]?.string, let url = json["url"]?.string, let secret = json["secret"]?.string,
      let agency = json["agency"]?.string, let createdAt = json["createdAt"]?.string.flatMap({ UTCTime($0) }),
      let webhook = try? Webhook(
        id: id, url: url, secret: secret, agency: agency,
        kinds: Set(json["kinds"]?.array?.compactMap(\.string) ?? []), createdAt: createdAt)
    else { return nil }
    self = webhook
  }

  package var description: String { "webhook \(id)" }
}
