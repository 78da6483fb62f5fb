import Synchronization

/// Which carriers belong to whom, so that losing a right ends them at once.
final class ConnectionRegistry: Sendable {
  private struct State {
    var sinks: [String: [ObjectIdentifier: any MetadataSink]] = [:]
    var observers: [@Sendable (String, Refusal) -> Void] = []
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.sinks.values.reduce(0) { $0 + $1.count } } }

  func add(_ sink: any MetadataSink, of actor: String) {
    state.withLock { $0.sinks[actor, default: [:]][ObjectIdentifier(sink)] = sink }
  }

  func remove(_ sink: any MetadataSink, of actor: String) {
    state.withLock { state in
      state.sinks[actor]?[ObjectIdentifier(sink)] = nil
      if state.sinks[actor]?.isEmpty == true { state.sinks[actor] = nil }
    }
  }

  /// Calls `observer` whenever the connections of an actor are closed.
  func listen(_ observer: @escaping @Sendable (String, Refusal) -> Void) {
    state.withLock { $0.observers.append(observer) }
  }

  func close(actor: String, because refusal: Refusal) {
    let (closing, observers) = state.withLock { ($0.sinks[actor] ?? [:], $0.observers) }
    for sink in closing.values { sink.close(refusal) }
    for observer in observers { observer(actor, refusal) }
  }
}
