import Incidents
import JSON
import Outgoing
import Primitives
import Storage

/// Events for computer-aided dispatch and other systems: who gets them, and what became of those that could not be delivered.
package final class WebhookDesk: Sendable {
  private let room: ControlRoom
  private let registry: WebhookRegistry
  private let dispatcher: WebhookDispatcher
  private let caller: HTTPCaller

  package init(room: ControlRoom, storage: any Storage, options: TransferOptions = .init()) throws(StorageError) {
    self.room = room
    let registry = WebhookRegistry()
    try registry.load(from: storage)
    self.registry = registry
    let caller = HTTPCaller(options: options)
    self.caller = caller
    let audit = room.audit
    dispatcher = WebhookDispatcher(
      storage: storage, registry: registry, send: { (request) throws(OutgoingError) in try await caller.send(request) },
      store: { try await audit.store($0) })
  }

  /// Takes up what an earlier run left, then delivers; call it once, before anybody is let in.
  package func start() throws(StorageError) {
    let (outbox, dispatcher) = (WebhookOutbox(registry: registry), dispatcher)
    try dispatcher.start()
    room.outbox.set(
      EventOutbox.Handler(
        changes: { outbox.changes(for: $0, agency: $1) }, stored: { dispatcher.wake(for: $0) }))
  }

  package func stop() async {
    await dispatcher.stop()
    caller.stop()
  }

  package var statistics: WebhookDispatcher.Statistics { dispatcher.statistics }

  package var deadLetterCount: Int { dispatcher.deadLetterCount }

  // MARK: - Receivers

  /// Adds a receiver; its secret signs every delivery.
  package func add(
    url: String, secret: String, kinds: Set<String>, by principal: Principal
  ) async throws(Refusal) -> Webhook {
    var random = RandomSource.system
    let webhook: Webhook
    let changes: [DocumentChange]
    do {
      webhook = try Webhook(
        id: "w-\(Hex.encode(random.bytes(6)))", url: url, secret: secret, agency: principal.facts.agency, kinds: kinds,
        createdAt: room.clock.wall())
      changes = try registry.put(webhook)
    } catch {
      throw Refusal(.badPayload, error.text)
    }
    try await room.audit.record(
      .settings, ["setting": "webhook added", "detail": .string("\(webhook.id) to \(Self.host(of: url))")],
      by: principal.actor, changes: changes)
    return webhook
  }

  package func remove(_ id: String, by principal: Principal) async throws(Refusal) {
    guard webhooks(for: principal).contains(where: { $0.id == id }) else { throw .unknownWebhook }
    try await room.audit.record(
      .settings, ["setting": "webhook removed", "detail": .string(id)], by: principal.actor,
      changes: registry.remove(id))
  }

  package func webhooks(for principal: Principal) -> [Webhook] {
    registry.webhooks.filter { $0.agency == principal.facts.agency }
  }

  package func pending(_ id: String) -> Int { registry.pending(id) }

  // MARK: - Dead letters

  package func deadLetters(after key: String?, limit: Int) async throws(Refusal) -> [WebhookDeadLetter] {
    do {
      return try dispatcher.deadLetters(after: key, limit: limit)
    } catch {
      throw Refusal(.unavailable, error.text)
    }
  }

  /// Tries a dead letter again, or throws it away.
  package func settle(_ key: String, retrying: Bool, by principal: Principal) async throws(Refusal) {
    let isKnown: Bool
    do {
      isKnown = try await retrying ? dispatcher.retry(key) : dispatcher.drop(key)
    } catch {
      throw .unavailable
    }
    guard isKnown else { throw Refusal(.notFound, "There is no such dead letter.") }
    try await room.audit.record(
      .settings,
      ["setting": .string(retrying ? "dead letter tried again" : "dead letter dropped"), "detail": .string(key)],
      by: principal.actor)
  }

  /// Addresses may carry secrets: events name the host alone.
  private static func host(of url: String) -> String { OutgoingRequest.host(of: url) ?? "-" }
}

extension Refusal {
  fileprivate static let unknownWebhook = Refusal(.notFound, "There is no such webhook.")
}
