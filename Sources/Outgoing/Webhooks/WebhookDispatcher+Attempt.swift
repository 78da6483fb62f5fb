import Incidents
import JSON
import Primitives
import Storage

extension WebhookDispatcher {
  /// Does what is next in a chain.
  func attempt(_ chain: DeliveryChain) async -> DeliverySchedule.Outcome {
    do {
      let first = try storage.documents(WebhookDelivery.collection, after: chain.prefix, limit: 1).first
      guard let first, first.key.hasPrefix(chain.prefix) else { return .empty }
      guard let delivery = WebhookDelivery(json: first.value), delivery.key == first.key else {
        // Nobody can tell what it was; the journal still has all events.
        try await store([.delete(collection: WebhookDelivery.collection, key: first.key)])
        return .more
      }
      guard let webhook = registry[chain.webhook] else {
        try await discard(chain)
        return .empty
      }
      guard delivery.nextAt <= clock.now() else { return .wait(until: delivery.nextAt) }
      let events = try storage.events(of: delivery.incident, after: delivery.number - 1, limit: 1)
      guard let event = events.first, event.number == delivery.number else {
        return try await bury(delivery, error: "The journal has no event \(delivery.number).")
      }
      return try await deliver(delivery, event, to: webhook)
    } catch {
      return .wait(until: clock.now() + Self.pauseAfterTrouble)
    }
  }

  private func deliver(
    _ delivery: WebhookDelivery, _ event: JournalEvent, to webhook: Webhook
  ) async throws -> DeliverySchedule.Outcome {
    let response: OutgoingResponse
    do throws(OutgoingError) {
      response = try await send(request(delivery, event, to: webhook))
    } catch {
      switch error.code {
      // Nothing was wrong with the receiver.
      case .busy, .cancelled, .stopped: return .wait(until: clock.now() + Self.pauseAfterTrouble)
      case .invalid, .unreachable, .timedOut, .insecure, .refused, .badAnswer:
        return try await fail(delivery, error: error.text, isRejected: false, retryAfter: nil)
      }
    }
    if response.isSuccess { return try await succeed(delivery) }
    let wish = response.header("Retry-After").flatMap { Int64($0) }.map { min(max($0, 0), 1_000_000) }
    return try await fail(
      delivery, error: "The receiver answered \(response.status).",
      isRejected: [400, 413, 415, 422].contains(response.status), retryAfter: wish.map { .seconds(Double($0)) })
  }

  private func request(
    _ delivery: WebhookDelivery, _ event: JournalEvent, to webhook: Webhook
  ) throws(OutgoingError) -> OutgoingRequest {
    let body = JSONValue.object(["event": event.json]).canonicalBytes
    let timestamp = String(clock.now().seconds)
    let signature = WebhookSignature.value(secret: webhook.secret, timestamp: timestamp, body: body)
    return try OutgoingRequest(
      url: webhook.url,
      headers: [
        .init("Content-Type", "application/json"), .init("Sightline-Webhook-Id", webhook.id),
        .init("Sightline-Delivery", delivery.id), .init("Sightline-Timestamp", timestamp),
        .init("Sightline-Signature", signature),
      ], body: body, timeLimit: Self.callLimit)
  }

  private func succeed(_ delivery: WebhookDelivery) async throws -> DeliverySchedule.Outcome {
    try await store([delivery.deleting])
    registry.addPending(delivery.webhook, -1)
    state.withLock { $0.statistics.delivered += 1 }
    return .more
  }

  private func fail(
    _ delivery: WebhookDelivery, error: String, isRejected: Bool, retryAfter: TimeInterval64?
  ) async throws -> DeliverySchedule.Outcome {
    var delivery = delivery
    delivery.tries += 1
    delivery.lastError = error
    let delay = state.withLock { state in
      state.statistics.failedTries += 1
      return policy.delay(
        afterTries: delivery.tries, isRejected: isRejected, retryAfter: retryAfter, random: &state.random)
    }
    guard let delay else { return try await bury(delivery, error: error) }
    delivery.nextAt = clock.now() + delay
    try await store([delivery.putting])
    return .wait(until: delivery.nextAt)
  }

  /// Puts a delivery aside, so that those after it go on.
  private func bury(_ delivery: WebhookDelivery, error: String) async throws -> DeliverySchedule.Outcome {
    var delivery = delivery
    delivery.lastError = error
    // The place is taken before the write, so that many at once do not overrun the limit.
    let hasRoom = state.withLock { state in
      guard state.deadLetters < Self.maximumDeadLetters else { return false }
      state.deadLetters += 1
      return true
    }
    do {
      let letter = hasRoom ? [WebhookDeadLetter(delivery: delivery, diedAt: clock.now()).putting] : []
      try await store([delivery.deleting] + letter)
    } catch {
      if hasRoom { state.withLock { $0.deadLetters -= 1 } }
      throw error
    }
    registry.addPending(delivery.webhook, -1)
    state.withLock { state in
      if hasRoom { state.statistics.died += 1 } else { state.statistics.lost += 1 }
    }
    return .more
  }

  /// Throws away a chain whose webhook was removed.
  private func discard(_ chain: DeliveryChain) async throws {
    while true {
      let keys = try storage.documents(WebhookDelivery.collection, after: chain.prefix, limit: Self.page).map(\.key)
        .filter { $0.hasPrefix(chain.prefix) }
      if keys.isEmpty { return }
      try await store(keys.map { .delete(collection: WebhookDelivery.collection, key: $0) })
    }
  }
}
