import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// The receivers there are, and how many deliveries wait for each.
package final class WebhookRegistry: Sendable {
  private struct State {
    var webhooks: [String: Webhook] = [:]
    var pending: [String: Int] = [:]
    var overflowed = 0
  }

  private let state = Mutex(State())

  /// Receivers of one node; each may have ``DeliverySchedule/callsPerWebhook`` calls under way.
  package static let maximumWebhooks = 32
  /// Deliveries that may wait for one receiver; further events are counted, and only the journal has them.
  package static let maximumPending = 100_000

  package init() {}

  /// Receivers in order of their ids.
  package var webhooks: [Webhook] { state.withLock { $0.webhooks.values.sorted { $0.id < $1.id } } }

  package subscript(_ id: String) -> Webhook? { state.withLock { $0.webhooks[id] } }

  /// Reads the receivers out of the store.
  package func load(from storage: any Storage) throws(StorageError) {
    let documents = try storage.documents(Webhook.collection, after: nil, limit: Self.maximumWebhooks)
    let webhooks = documents.compactMap { Webhook(json: $0.value) }
    state.withLock { $0.webhooks = Dictionary(webhooks.map { ($0.id, $0) }, uniquingKeysWith: { $1 }) }
  }

  /// Adds a receiver, or changes it; returns what has to be stored.
  ///
  /// Throws `busy` when there are ``maximumWebhooks``.
  package func put(_ webhook: Webhook) throws(OutgoingError) -> [DocumentChange] {
    let hasRoom = state.withLock { state in
      guard state.webhooks[webhook.id] != nil || state.webhooks.count < Self.maximumWebhooks else { return false }
      state.webhooks[webhook.id] = webhook
      return true
    }
    guard hasRoom else {
      throw OutgoingError(.busy, "There are \(Self.maximumWebhooks) webhooks already. Remove one first.")
    }
    return [.put(collection: Webhook.collection, key: webhook.id, webhook.json)]
  }

  /// Forgets a receiver; returns what has to be stored.
  ///
  /// The dispatcher throws away what waits for it.
  package func remove(_ id: String) -> [DocumentChange] {
    state.withLock { state in
      state.webhooks[id] = nil
      state.pending[id] = nil
    }
    return [.delete(collection: Webhook.collection, key: id)]
  }

  /// Deliveries that wait for a receiver.
  package func pending(_ id: String) -> Int { state.withLock { $0.pending[id] ?? 0 } }

  /// Events that were not kept for a receiver, because ``maximumPending`` waited already.
  package var overflowed: Int { state.withLock { $0.overflowed } }

  func setPending(_ counts: [String: Int]) { state.withLock { $0.pending = counts } }

  func addPending(_ id: String, _ count: Int) {
    state.withLock { state in
      guard state.webhooks[id] != nil else { return }
      state.pending[id] = max(0, (state.pending[id] ?? 0) + count)
    }
  }

  /// Receivers that want an event and have room for it; counts it as waiting.
  fileprivate func receivers(kind: String, agency: String) -> [String] {
    state.withLock { state in
      var receivers: [String] = []
      for webhook in state.webhooks.values where webhook.wants(kind: kind, agency: agency) {
        let pending = state.pending[webhook.id] ?? 0
        guard pending < Self.maximumPending else {
          state.overflowed += 1
          continue
        }
        state.pending[webhook.id] = pending + 1
        receivers.append(webhook.id)
      }
      return receivers.sorted()
    }
  }
}

/// Writes down who has to get an event, in the transaction of the event itself: either both are stored or neither.
package struct WebhookOutbox: Sendable {
  private let registry: WebhookRegistry

  package init(registry: WebhookRegistry) {
    self.registry = registry
  }

  /// What has to be stored together with `event`: one document for each receiver.
  ///
  /// Hand the changes to ``WebhookDispatcher/wake(for:)`` when they are durable.
  package func changes(for event: JournalEvent, agency: String) -> [DocumentChange] {
    registry.receivers(kind: event.kind, agency: agency).map { webhook in
      WebhookDelivery(webhook: webhook, incident: event.incident, number: event.number, createdAt: event.time).putting
    }
  }
}
