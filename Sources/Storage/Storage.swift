import Incidents
import JSON
import Primitives

/// Where a node keeps what must not be lost: journals, and documents for the current state of things.
///
/// Calls block and may come from any thread. Every implementation passes the conformance suite in Tests/StorageTests.
package protocol Storage: Sendable {
  /// Writes all of `transaction` or nothing of it; it is durable when this returns.
  ///
  /// Throws `conflict` when an event does not follow its journal's head, or its client's id was used before.
  func append(_ transaction: StorageTransaction) throws(StorageError)

  /// Events after `number`, in order, at most `limit`.
  func events(of incident: IncidentID, after number: Int, limit: Int) throws(StorageError) -> [JournalEvent]

  /// The last event of a journal; nil when there is none.
  func head(of incident: IncidentID) throws(StorageError) -> JournalHead?

  /// The last events of all journals, in order of their identifiers, after `incident`.
  func heads(after incident: IncidentID?, limit: Int) throws(StorageError) -> [JournalHead]

  func document(_ collection: String, _ key: String) throws(StorageError) -> JSONValue?

  /// Documents of a collection in order of their keys, after `key`.
  func documents(_ collection: String, after key: String?, limit: Int) throws(StorageError) -> [StoredDocument]

  /// Throws when nothing can be read or written.
  func checkHealth() throws(StorageError)

  /// Ends the use of files and locks.
  func close()
}

/// What is written at once.
package struct StorageTransaction: Sendable {
  package var events: [JournalEvent]
  package var changes: [DocumentChange]

  package init(events: [JournalEvent] = [], changes: [DocumentChange] = []) {
    self.events = events
    self.changes = changes
  }

  package var isEmpty: Bool { events.isEmpty && changes.isEmpty }
}

package enum DocumentChange: Hashable, Sendable {
  case put(collection: String, key: String, JSONValue)
  case delete(collection: String, key: String)
}

package struct StoredDocument: Hashable, Sendable {
  package let key: String
  package let value: JSONValue

  package init(key: String, value: JSONValue) {
    self.key = key
    self.value = value
  }
}

package struct JournalHead: Hashable, Sendable {
  package let incident: IncidentID
  package let number: Int
  /// SHA-256, 32 bytes.
  package let hash: [UInt8]

  package init(incident: IncidentID, number: Int, hash: [UInt8]) {
    self.incident = incident
    self.number = number
    self.hash = hash
  }
}

/// What went wrong with the store, and what to do about it.
package struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Hashable, Sendable {
    /// The write does not follow what is stored.
    case conflict
    /// No room on the disk.
    case full
    /// Another process holds the store.
    case locked
    /// What is stored is not what was written.
    case corrupt
    case unavailable
  }

  package let code: Code
  package let text: String

  package init(_ code: Code, _ text: String) {
    self.code = code
    self.text = String(text.prefix(300))
  }

  package var description: String { "\(code.rawValue): \(text)" }
}
