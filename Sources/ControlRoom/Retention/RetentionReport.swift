import Archive
import JSON
import Primitives

/// What is to be deleted, or was.
package struct RetentionReport: Hashable, Sendable {
  /// The files of one class of one incident.
  package struct Item: Hashable, Sendable {
    package let incident: IncidentID
    package let agency: String
    package let kind: RetentionClass
    package let endedAt: UTCTime
    package let rule: String
    package let files: Int
    package let bytes: Int
    /// Whether the incident's key goes with them, after which nothing of it can be read anywhere.
    package let destroysKey: Bool

    package var json: JSONValue {
      [
        "incident": .string(incident.value), "class": .string(kind.rawValue), "endedAt": .string(endedAt.description),
        "rule": .string(rule), "files": .integer(files), "bytes": .integer(bytes), "destroysKey": .bool(destroysKey),
      ]
    }
  }

  /// What could not be deleted, and why.
  package struct Failure: Hashable, Sendable {
    package let incident: IncidentID
    package let text: String

    package var json: JSONValue { ["incident": .string(incident.value), "error": .string(text)] }
  }

  /// Oldest first; at most ``maximumItems``, of which the rest is counted.
  package var items: [Item] = []
  /// All of them.
  package var count = 0
  package var files = 0
  package var bytes = 0
  /// Incidents whose time is over and that a hold keeps.
  package var held: [IncidentID] = []
  package var failures: [Failure] = []

  package static let maximumItems = 10_000
  /// Rows in an answer of the interface.
  package static let maximumRows = 1_000

  package init() {}

  /// Notes that a hold keeps an incident.
  mutating func keep(_ incident: IncidentID) {
    if held.last != incident { held.append(incident) }
  }

  mutating func add(_ item: Item) {
    count += 1
    files += item.files
    bytes += item.bytes
    if items.count < Self.maximumItems { items.append(item) }
  }

  package var json: JSONValue {
    [
      "count": .integer(count), "files": .integer(files), "bytes": .integer(bytes),
      "items": .array(items.prefix(Self.maximumRows).map(\.json)),
      "held": .array(held.prefix(Self.maximumRows).map { .string($0.value) }),
      "failures": .array(failures.prefix(Self.maximumRows).map(\.json)),
    ]
  }
}
