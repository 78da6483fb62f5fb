import ControlRoom
import Incidents
import Interchange
import JSON
import Primitives
import Synchronization

/// One WebSocket on which another system follows incidents as EIDOs (NENA-STA-024): it subscribes, we notify, it answers.
struct EIDOSession: Sendable {
  let services: GatewayServices
  let connection: WebSocketConnection
  let remoteAddress: String

  /// Where it is served.
  static let path = "/EIDO"
  /// Subscriptions of one connection.
  static let maximumSubscriptions = 64
  /// Least seconds between two notifications of a subscription, whatever it wishes.
  static let leastInterval = 0.25

  /// Serves the connection until it ends.
  func run(_ request: UpgradeRequest) async {
    let principal: Principal
    do {
      principal = try await services.gatekeeper.admit(request.credentials, from: remoteAddress, starts: true)
    } catch {
      connection.send(ServerMessage.error(error))
      connection.close(.refused(error))
      return
    }
    let base = request.base(usesTLS: services.usesTLS)
    let context = { @Sendable in services.interchange(base: services.publicBaseURL ?? base) }
    let sink = WebSocketSink(connection)
    services.room.enter(sink, as: principal)
    let table = Table()
    let observer = services.room.observeWhile { _, incident in table.note(incident.id) }
    await withDiscardingTaskGroup { group in
      group.addTask {
        while !Task.isCancelled {
          try? await Task.sleep(for: .milliseconds(100))
          await notify(principal, table, context)
        }
      }
      for await text in connection.messages { await handle(text, principal, table, context) }
      group.cancelAll()
    }
    services.room.stopObserving(observer)
    services.room.leave(sink)
  }

  // MARK: - Requests

  private func handle(
    _ text: String, _ principal: Principal, _ table: Table, _ context: @Sendable () -> InterchangeContext
  ) async {
    do throws(EIDORequestError) {
      switch try EIDORequest(parsing: text) {
      case .subscribe(let request): await subscribe(request, principal, table, context())
      case .renew(let request):
        send(
          table.renew(request)
            ? EIDOMessage.accepted(request)
            : EIDOMessage.refusedSubscription(requestID: request.requestID, .subscriptionDoesNotExist))
      case .unsubscribe(let request):
        send(EIDOMessage.unsubscribed(request, table.remove(request.subscriptionID) ? .ok : .subscriptionDoesNotExist))
      case .eventResponse, .terminateResponse: break
      }
    } catch {
      guard let reply = error.reply else { return connection.close(.protocolError) }
      send(reply)
    }
  }

  private func subscribe(
    _ request: EIDORequest.Subscribe, _ principal: Principal, _ table: Table, _ context: InterchangeContext
  ) async {
    var only: IncidentID?
    if case .single(let text) = request.scope {
      let id = EIDO.incidentID(text, context: context)
      guard let id, (try? await services.room.incident(id, for: principal, to: .export)) != nil else {
        return send(EIDOMessage.refusedSubscription(requestID: request.requestID, .notFound))
      }
      only = id
    }
    guard let id = table.add(request, only: only) else {
      return send(EIDOMessage.refusedSubscription(requestID: request.requestID, .serviceUnavailable))
    }
    send(EIDOMessage.accepted(request, subscriptionID: id))
    if let only { table.note(only, for: id) }
  }

  // MARK: - Notifications

  /// Sends what is due, and ends what has expired.
  private func notify(_ principal: Principal, _ table: Table, _ context: @Sendable () -> InterchangeContext) async {
    for id in table.takeExpired() {
      send(EIDOMessage.terminate(requestID: table.makeID(), subscriptionID: id))
    }
    for (subscription, incidents) in table.takeDue() {
      var documents: [JSONValue] = []
      for id in incidents {
        guard let incident = try? await services.room.incident(id, for: principal, to: .export) else { continue }
        let notes = (try? await services.room.notes(of: id)) ?? []
        documents.append(EIDO.document(for: incident, context: context(), notes: notes))
      }
      guard !documents.isEmpty else { continue }
      send(
        EIDOMessage.event(subscriptionID: subscription, transactionID: table.makeID(), documents: documents))
    }
  }

  private func send(_ message: JSONValue) {
    connection.send(message.canonical, taken: { _ in })
  }
}

/// The subscriptions of one connection: what changed since each was last told, and when it may be told again.
private final class Table: Sendable {
  private struct Subscription {
    let only: IncidentID?
    let interval: Double
    var expires: ContinuousClock.Instant
    var changed: Set<IncidentID> = []
    var nextAt: ContinuousClock.Instant
  }

  private let state = Mutex<[String: Subscription]>([:])
  /// Incidents that wait for one subscription; the rest are told when they change again.
  private static let maximumChanged = 1_024

  func makeID() -> String {
    var random = RandomSource.system
    return Hex.encode(random.bytes(8))
  }

  func add(_ request: EIDORequest.Subscribe, only: IncidentID?) -> String? {
    let id = makeID()
    let now = ContinuousClock.now
    return state.withLock { table in
      guard table.count < EIDOSession.maximumSubscriptions else { return nil }
      table[id] = Subscription(
        only: only, interval: max(EIDOSession.leastInterval, Double(request.maximumRate ?? 0)),
        expires: now + .seconds(EIDOMessage.grantedExpiry(request.expires)), nextAt: now)
      return id
    }
  }

  func renew(_ request: EIDORequest.Renew) -> Bool {
    state.withLock { table in
      guard table[request.subscriptionID] != nil else { return false }
      table[request.subscriptionID]?.expires = .now + .seconds(EIDOMessage.grantedExpiry(request.expires))
      return true
    }
  }

  func remove(_ id: String) -> Bool { state.withLock { $0.removeValue(forKey: id) != nil } }

  /// Notes a change, for every subscription that it is for, or for one of them alone.
  func note(_ incident: IncidentID, for subscription: String? = nil) {
    state.withLock { table in
      for id in table.keys where subscription == nil || id == subscription {
        guard table[id]?.only == nil || table[id]?.only == incident else { continue }
        if (table[id]?.changed.count ?? 0) < Self.maximumChanged { table[id]?.changed.insert(incident) }
      }
    }
  }

  func takeExpired() -> [String] {
    let now = ContinuousClock.now
    return state.withLock { table in
      let expired = table.filter { $0.value.expires <= now }.map(\.key)
      for id in expired { table[id] = nil }
      return expired
    }
  }

  func takeDue() -> [(String, Set<IncidentID>)] {
    let now = ContinuousClock.now
    return state.withLock { table in
      let due = table.filter { !$0.value.changed.isEmpty && $0.value.nextAt <= now }
      for (id, subscription) in due {
        table[id]?.changed = []
        table[id]?.nextAt = now + .seconds(subscription.interval)
      }
      return due.map { ($0.key, $0.value.changed) }
    }
  }
}
