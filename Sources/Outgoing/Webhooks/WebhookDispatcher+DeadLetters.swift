import Storage

extension WebhookDispatcher {
  /// Deliveries that were given up, in order of their keys, after `key`; of one webhook, or of all.
  package func deadLetters(
    of webhook: String? = nil, after key: String? = nil, limit: Int
  ) throws(StorageError) -> [WebhookDeadLetter] {
    let start = max(key ?? "", webhook.map { "\($0)/" } ?? "")
    let documents = try storage.documents(WebhookDeadLetter.collection, after: start, limit: limit)
    return documents.compactMap { WebhookDeadLetter(json: $0.value) }
      .filter { webhook == nil || $0.delivery.webhook == webhook }
  }

  package var deadLetterCount: Int { state.withLock { $0.deadLetters } }

  /// Tries a dead letter anew, at once and with all its tries; false when there is none of that key.
  ///
  /// It reaches the receiver after what was delivered since: the event's number tells where it belongs.
  package func retry(_ key: String) async throws -> Bool {
    guard let letter = try letter(key) else { return false }
    var delivery = letter.delivery
    delivery.tries = 0
    delivery.nextAt = clock.now()
    try await store([letter.deleting, delivery.putting])
    registry.addPending(delivery.webhook, 1)
    state.withLock { state in
      state.deadLetters = max(0, state.deadLetters - 1)
      state.schedule.hurry(DeliveryChain(webhook: delivery.webhook, incident: delivery.incident.value))
    }
    wake(for: [delivery.putting])
    return true
  }

  /// Throws a dead letter away; false when there is none of that key.
  package func drop(_ key: String) async throws -> Bool {
    guard let letter = try letter(key) else { return false }
    try await store([letter.deleting])
    state.withLock { state in
      state.deadLetters = max(0, state.deadLetters - 1)
    }
    return true
  }

  private func letter(_ key: String) throws(StorageError) -> WebhookDeadLetter? {
    try storage.document(WebhookDeadLetter.collection, key).flatMap(WebhookDeadLetter.init(json:))
  }
}
