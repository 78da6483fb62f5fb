import Incidents
import JSON
import Storage
import Synchronization

/// The settings that an admin may change while the node runs: in the store to last, in memory to be asked.
///
/// A change counts at once for everybody; each is an audit event.
package final class SettingsDesk: Sendable {
  private struct State {
    var current: ServiceSettings
    /// What was set here; everything else is as the command line says.
    var stored: [ServiceSettings.Name: JSONValue]
  }

  private let state: Mutex<State>
  private let audit: AuditJournal
  /// What the command line says.
  package let standard: ServiceSettings

  static let collection = "settings"
  static let key = "service"

  /// Reads what was set; what can no longer be, because the rules have changed, counts as not set.
  package init(room: ControlRoom, standard: ServiceSettings) throws(StorageError) {
    audit = room.audit
    self.standard = standard
    let document = try room.storage.document(Self.collection, Self.key)?.object ?? [:]
    var state = State(current: standard, stored: [:])
    for name in ServiceSettings.Name.allCases {
      guard let value = document[name.rawValue], let new = try? state.current.replacing([name: value]) else { continue }
      state.current = new
      state.stored[name] = value
    }
    self.state = Mutex(state)
  }

  /// What counts now.
  package var current: ServiceSettings { state.withLock { $0.current } }

  /// What was set here rather than on the command line.
  package var changed: Set<ServiceSettings.Name> { state.withLock { Set($0.stored.keys) } }

  /// Sets some of the settings; null brings the command line's back.
  ///
  /// It is durable, and in the audit journal, when it returns.
  package func change(_ wish: [ServiceSettings.Name: JSONValue], by principal: Principal) async throws(Refusal) {
    guard !wish.isEmpty else { return }
    let standard = standard
    let (news, document) = try state.withLock { state throws(Refusal) in
      var stored = state.stored
      for (name, value) in wish {
        if value == .null { stored.removeValue(forKey: name) } else { stored[name] = value }
      }
      let new = try standard.replacing(stored)
      let names = ServiceSettings.Name.allCases.filter { state.current[$0] != new[$0] }
      for name in stored.keys { stored[name] = new[name] }
      state = State(current: new, stored: stored)
      let members = stored.map { ($0.key.rawValue, $0.value) }
      return (names.map { ($0, new[$0]) }, JSONValue.object(Dictionary(uniqueKeysWithValues: members)))
    }
    let change = DocumentChange.put(collection: Self.collection, key: Self.key, document)
    // What was set to what it is already leaves no event, and is stored all the same.
    if news.isEmpty { return try await audit.store([change]) }
    for (name, value) in news {
      try await audit.record(
        .settings, ["setting": .string(name.rawValue), "detail": .string(Self.words(for: value))], by: principal.actor,
        changes: [change])
    }
  }

  private static func words(for value: JSONValue) -> String {
    if let number = value.integer { return "\(number)" }
    let text = value.string ?? ""
    return text.isEmpty ? "none" : String(text.prefix(500))
  }
}
