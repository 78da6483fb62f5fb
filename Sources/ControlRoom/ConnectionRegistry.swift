import Synchronization

/// Which carriers belong to whom, so that losing a right ends them at once.
final class ConnectionRegistry: Sendable {
  private let sinks = Mutex<[String: [ObjectIdentifier: any MetadataSink]]>([:])

  var count: Int { sinks.withLock { $0.values.reduce(0) { $0 + $1.count } } }

  func add(_ sink: any MetadataSink, of actor: String) {
    sinks.withLock { $0[actor, default: [:]][ObjectIdentifier(sink)] = sink }
  }

  func remove(_ sink: any MetadataSink, of actor: String) {
    sinks.withLock { sinks in
      sinks[actor]?[ObjectIdentifier(sink)] = nil
      if sinks[actor]?.isEmpty == true { sinks[actor] = nil }
    }
  }

  func close(actor: String, because refusal: Refusal) {
    let closing = sinks.withLock { $0[actor] ?? [:] }
    for sink in closing.values { sink.close(refusal) }
  }
}
