import Incidents
import Outgoing
import Primitives
import Storage
import Synchronization

/// A dispatcher between an incident desk and receivers that answer when a test says so.
final class Desk: Sendable {
  /// A request that waits for its answer.
  struct Call: Sendable {
    let request: OutgoingRequest
    fileprivate let reply: @Sendable (Result<OutgoingResponse, OutgoingError>) -> Void

    func answer(_ status: Int, headers: [OutgoingRequest.Header] = []) {
      reply(.success(OutgoingResponse(status: status, headers: headers)))
    }

    func fail(_ error: OutgoingError) { reply(.failure(error)) }

    func header(_ name: String) -> String? { request.headers.first { $0.name == name }?.value }
  }

  let storage = MemoryStorage()
  let registry = WebhookRegistry()
  let time = ManualClock()
  let dispatcher: WebhookDispatcher
  private let calls: AsyncStream<Call>

  /// Pauses without jitter, so that tests can name them.
  init(_ webhooks: [String]) throws {
    let (calls, arrive) = AsyncStream<Call>.makeStream()
    self.calls = calls
    for webhook in webhooks { _ = try registry.put(WebhookTests.webhook(webhook)) }
    var policy = BackoffPolicy()
    policy.jitter = 0
    dispatcher = WebhookDispatcher(
      storage: storage, registry: registry,
      send: { request throws(OutgoingError) in try await Self.send(request, arrive) },
      store: { [storage] in try storage.store($0) }, clock: time.clock, random: .seeded(1), policy: policy)
  }

  /// Stores an event with its deliveries, as the incident desk does, and wakes the dispatcher.
  @discardableResult
  func record(_ incident: String, _ number: Int, wakes: Bool = true) throws -> JournalEvent {
    let event = WebhookTests.event(incident, number)
    let changes = WebhookOutbox(registry: registry).changes(for: event, agency: "demo")
    try storage.append(StorageTransaction(events: [event], changes: changes))
    if wakes { dispatcher.wake(for: changes) }
    return event
  }

  var pending: [String] { storage.keys(WebhookDelivery.collection) }

  func nextCall() async -> Call { await Self.next(calls) }

  func nextPause() async -> TimeInterval64 { await Self.next(time.pauses) }

  func nextWrite() async { _ = await Self.next(storage.writes) }

  /// Moves the clock, in the steps in which the dispatcher waits, to the next try of a delivery.
  func passTime(until key: String) async throws {
    while true {
      time.advance(await nextPause())
      guard let delivery = try storage.document(WebhookDelivery.collection, key).flatMap(WebhookDelivery.init(json:)),
        delivery.nextAt > time.now
      else { return }
    }
  }

  private static func next<Element: Sendable>(_ stream: AsyncStream<Element>) async -> Element {
    for await element in stream { return element }
    preconditionFailure("the stream ends only when the test does")
  }

  /// Ends when the receiver answers, or when the task is cancelled, as ``HTTPCaller`` does.
  private static func send(
    _ request: OutgoingRequest, _ arrive: AsyncStream<Call>.Continuation
  ) async throws(OutgoingError) -> OutgoingResponse {
    let (answers, answer) = AsyncStream<Result<OutgoingResponse, OutgoingError>>.makeStream()
    arrive.yield(
      Call(
        request: request,
        reply: { result in
          answer.yield(result)
          answer.finish()
        }))
    for await result in answers { return try result.get() }
    throw OutgoingError(.cancelled, "The call was given up.")
  }
}
