import JSON
import Primitives
import Storage
import Synchronization

/// Delivers what the outbox holds: at least once, in order for each receiver and incident.
///
/// A delivery leaves the store when its receiver has answered 2xx; a crash in between repeats it under the same
/// `Sightline-Delivery`. After ``BackoffPolicy`` has run out it becomes a dead letter, which people list, retry or drop.
package final class WebhookDispatcher: Sendable {
  package typealias Send = @Sendable (OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse
  package typealias Store = @Sendable ([DocumentChange]) async throws -> Void

  struct State {
    var schedule = DeliverySchedule()
    var random: RandomSource
    var deadLetters = 0
    var statistics = Statistics()
    var running: Task<Void, Never>?
    var timer: (deadline: UTCTime, task: Task<Void, Never>)?
  }

  /// What was done since the start.
  package struct Statistics: Hashable, Sendable {
    package var delivered = 0
    package var failedTries = 0
    package var died = 0
    /// Dead letters that found no room and were thrown away.
    package var lost = 0
  }

  let storage: any Storage
  let registry: WebhookRegistry
  let send: Send
  let store: Store
  let clock: OutgoingClock
  let policy: BackoffPolicy
  let state: Mutex<State>
  private let signals: AsyncStream<Void>
  private let signal: AsyncStream<Void>.Continuation

  /// Dead letters that are kept; further deliveries that fail for good are thrown away and counted.
  package static let maximumDeadLetters = 10_000
  /// Documents read or deleted in one step.
  static let page = 500
  /// Time for one call.
  package static let callLimit = TimeInterval64.seconds(10)
  /// Pause of a chain after the store, or our own side of the network, had no room for it.
  static let pauseAfterTrouble = TimeInterval64.seconds(5)

  /// Longest wait without a look at the clock.
  static let longestPause = TimeInterval64.seconds(60)

  /// `send` is usually ``HTTPCaller/send(_:)`` of a caller of its own; `store` returns when the changes are durable.
  package init(
    storage: any Storage, registry: WebhookRegistry, send: @escaping Send, store: @escaping Store,
    clock: OutgoingClock = .system, random: RandomSource = .system, policy: BackoffPolicy = BackoffPolicy()
  ) {
    self.storage = storage
    self.registry = registry
    self.send = send
    self.store = store
    self.clock = clock
    self.policy = policy
    state = Mutex(State(random: random))
    (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Counts and takes up what an earlier run left, then delivers until ``stop()``.
  ///
  /// Call it once, before the first event.
  package func start() throws(StorageError) {
    try recover()
    state.withLock { state in
      guard state.running == nil else { return }
      state.running = Task { await run() }
    }
    signal.yield()
  }

  /// Gives up what is under way, to be repeated after the next start; returns when all has ended.
  package func stop() async {
    let running = state.withLock { $0.running }
    running?.cancel()
    signal.finish()
    await running?.value
    state.withLock { $0.timer?.task.cancel() }
  }

  /// Takes up the deliveries that ``WebhookOutbox/changes(for:agency:)`` made, which are durable now.
  package func wake(for changes: [DocumentChange]) {
    let chains = changes.compactMap { change -> DeliveryChain? in
      guard case .put(WebhookDelivery.collection, let key, _) = change else { return nil }
      return DeliveryChain(key: key)
    }
    guard !chains.isEmpty else { return }
    state.withLock { state in
      for chain in chains { state.schedule.note(chain) }
    }
    signal.yield()
  }

  /// Looks through the store for deliveries: for those who changed it behind the dispatcher's back.
  package func wake() {
    for webhook in registry.webhooks { try? scan(webhook.id) }
    signal.yield()
  }

  package var statistics: Statistics { state.withLock { $0.statistics } }

  // MARK: - Running

  private func run() async {
    await withDiscardingTaskGroup { group in
      for await _ in signals {
        if Task.isCancelled { break }
        for webhook in state.withLock({ $0.schedule.takeScans() }) { try? scan(webhook) }
        while let chain = state.withLock({ $0.schedule.next(now: clock.now()) }) {
          group.addTask {
            let outcome = await self.attempt(chain)
            self.state.withLock { $0.schedule.finish(chain, outcome) }
            self.signal.yield()
          }
        }
        setTimer()
      }
      group.cancelAll()
    }
  }

  /// Has one timer run towards the schedule's deadline.
  ///
  /// It looks up at least every ``longestPause``: the wall clock may be set while it waits.
  private func setTimer() {
    state.withLock { state in
      guard let deadline = state.schedule.deadline else { return }
      let now = clock.now()
      let next = min(max(deadline, now), now + Self.longestPause)
      if let timer = state.timer, timer.deadline <= next { return }
      state.timer?.task.cancel()
      let task = Task { [weak self, clock] in
        guard (try? await clock.wait(next - now)) != nil, let self else { return }
        self.state.withLock { $0.timer = nil }
        signal.yield()
      }
      state.timer = (next, task)
    }
  }

  // MARK: - The store

  /// Counts what waits and what died, and notes every chain.
  private func recover() throws(StorageError) {
    var pending: [String: Int] = [:]
    try forEach(in: WebhookDelivery.collection) { document in
      guard let chain = DeliveryChain(key: document.key) else { return }
      pending[chain.webhook, default: 0] += 1
      state.withLock { $0.schedule.note(chain) }
    }
    registry.setPending(pending)
    var dead = 0
    try forEach(in: WebhookDeadLetter.collection) { _ in dead += 1 }
    state.withLock { $0.deadLetters = dead }
  }

  private func forEach(in collection: String, _ body: (StoredDocument) -> Void) throws(StorageError) {
    var last: String?
    while true {
      let documents = try storage.documents(collection, after: last, limit: Self.page)
      for document in documents { body(document) }
      guard documents.count == Self.page, let final = documents.last else { return }
      last = final.key
    }
  }

  /// Notes a receiver's chains, leaping from one to the next.
  private func scan(_ webhook: String) throws(StorageError) {
    var last = "\(webhook)/"
    // One more than fits: the schedule then knows that there are others.
    for _ in 0...DeliverySchedule.chainsPerWebhook {
      guard let key = try storage.documents(WebhookDelivery.collection, after: last, limit: 1).first?.key,
        let chain = DeliveryChain(key: key), chain.webhook == webhook
      else { return }
      state.withLock { $0.schedule.note(chain) }
      last = chain.end
    }
  }
}
