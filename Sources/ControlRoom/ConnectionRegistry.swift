import Synchronization

/// Which carriers belong to whom, so that losing a right ends them at once.
final class ConnectionRegistry: Sendable {
  typealias Observer = @Sendable (ConnectionOwner, Refusal) -> Void

  private struct State {
    var sinks: [ObjectIdentifier: (sink: any MetadataSink, principal: Principal)] = [:]
    var observers: [Observer] = []
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.sinks.count } }

  /// Everybody who has a connection, by who they are in the journal.
  var actors: Set<String> { state.withLock { Set($0.sinks.values.map(\.principal.actor.id)) } }

  func add(_ sink: any MetadataSink, of principal: Principal) {
    state.withLock { $0.sinks[ObjectIdentifier(sink)] = (sink, principal) }
  }

  func remove(_ sink: any MetadataSink) {
    state.withLock { $0.sinks[ObjectIdentifier(sink)] = nil }
  }

  /// Calls `observer` whenever connections are closed.
  func listen(_ observer: @escaping Observer) {
    state.withLock { $0.observers.append(observer) }
  }

  /// Lets go of all carriers and observers.
  func clear() {
    state.withLock { $0 = State() }
  }

  /// Ends everything of an actor.
  func close(actor: String, because refusal: Refusal) { close(.actor(actor), because: refusal) }

  /// Ends what was opened with one session or token.
  func close(credential: String, because refusal: Refusal) { close(.credential(credential), because: refusal) }

  private func close(_ owner: ConnectionOwner, because refusal: Refusal) {
    let (closing, observers) = state.withLock { state in
      (state.sinks.values.filter { owner.owns($0.principal) }.map(\.sink), state.observers)
    }
    for sink in closing { sink.close(refusal) }
    for observer in observers { observer(owner, refusal) }
  }
}

/// Whose connections have to end.
package enum ConnectionOwner: Hashable, Sendable {
  case actor(String)
  /// A session or bearer token.
  case credential(String)

  package func owns(_ principal: Principal) -> Bool {
    switch self {
    case .actor(let id): principal.actor.id == id
    case .credential(let id): principal.credential == id
    }
  }
}
