import MediaServer
import Primitives
import Synchronization

/// A media plane in memory: answers as told, remembers what it was asked.
final class ScriptedMediaPlane: MediaPlane {
  enum Call: Hashable, Sendable {
    case connect(incident: String, permissions: MediaPermissions, name: String, offer: String)
    case trickle(PeerID, String)
    case restart(PeerID, String)
    case select(SourceID?, slot: String, PeerID)
    case limit(String, PeerID, height: Int?)
    case setPriority(Int, incident: String)
    case disconnect(PeerID, reason: String)
    case enqueue([String], channel: String, PeerID)
  }

  private struct State {
    var calls: [Call] = []
    var failure: MediaError?
    var overview = IncidentMedia(peers: [], sources: [])
    var readers: [AsyncStream<MediaEvent>.Continuation] = []
    var readerWaiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    var random = RandomSource.seeded(7)
    var restarts = 0
    var slots: [String: SlotView] = [:]
    var priorities: [Int] = []
    var channelHandler: (@Sendable (ChannelEvent) -> Void)?
    var waiters: [(condition: @Sendable (Call) -> Bool, continuation: CheckedContinuation<Call, Never>)] = []
  }

  private let state = Mutex(State())

  var calls: [Call] { state.withLock { $0.calls } }

  /// Every call from now on is refused with `error`; nil lets them pass.
  func fail(with error: MediaError?) {
    state.withLock { $0.failure = error }
  }

  func setOverview(_ overview: IncidentMedia) {
    state.withLock { $0.overview = overview }
  }

  func setSlots(_ slots: [String: SlotView]) {
    state.withLock { $0.slots = slots }
  }

  /// The priorities that peers came with, in order.
  var prioritiesOfPeers: [Int] { state.withLock { $0.priorities } }

  func emit(_ event: MediaEvent) {
    for reader in state.withLock({ $0.readers }) { reader.yield(event) }
  }

  /// Tells the channel handler of `event`, as a shard does.
  func emit(_ event: ChannelEvent) {
    state.withLock { $0.channelHandler }?(event)
  }

  /// Returns once so many readers follow the events.
  func readers(atLeast count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.readers.count >= count { return true }
        state.readerWaiters.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// The first call that fulfils `condition`, now or later.
  func call(where condition: @escaping @Sendable (Call) -> Bool) async -> Call {
    await withCheckedContinuation { continuation in
      let found: Call? = state.withLock { state in
        if let call = state.calls.first(where: condition) { return call }
        state.waiters.append((condition, continuation))
        return nil
      }
      if let found { continuation.resume(returning: found) }
    }
  }

  private func note(_ call: Call) throws(MediaError) {
    let failure: MediaError? = state.withLock { state in
      state.calls.append(call)
      let served = state.waiters.filter { $0.condition(call) }
      state.waiters.removeAll { $0.condition(call) }
      for waiter in served { waiter.continuation.resume(returning: call) }
      return state.failure
    }
    if let failure { throw failure }
  }

  func connect(_ request: PeerRequest) async throws(MediaError) -> PeerAnswer {
    try note(
      .connect(
        incident: request.incident.value, permissions: request.permissions, name: request.name, offer: request.offer))
    let peer = state.withLock { state in
      state.priorities.append(request.priority)
      return PeerID(using: &state.random)
    }
    return PeerAnswer(peer: peer, sdp: "v=0\r\no=answer\r\n", iceSession: "ice-0")
  }

  func trickle(_ peer: PeerID, fragment: String) async throws(MediaError) {
    try note(.trickle(peer, fragment))
  }

  func restart(_ peer: PeerID, fragment: String) async throws(MediaError) -> RestartAnswer {
    try note(.restart(peer, fragment))
    let number = state.withLock { state in
      state.restarts += 1
      return state.restarts
    }
    return RestartAnswer(fragment: "a=ice-ufrag:new\r\n", iceSession: "ice-\(number)")
  }

  func select(_ source: SourceID?, on slot: String, of peer: PeerID) async throws(MediaError) {
    try note(.select(source, slot: slot, peer))
  }

  func slots(of peer: PeerID) async -> [String: SlotView] { state.withLock { $0.slots } }

  func limit(_ slot: String, of peer: PeerID, toHeight height: Int?) async throws(MediaError) {
    try note(.limit(slot, peer, height: height))
  }

  func setPriority(_ priority: Int, of incident: IncidentID) async {
    try? note(.setPriority(priority, incident: incident.value))
  }

  func disconnect(_ peer: PeerID, reason: String) async {
    try? note(.disconnect(peer, reason: reason))
  }

  func overview(of incident: IncidentID) async -> IncidentMedia {
    state.withLock { $0.overview }
  }

  func events(of incident: IncidentID) async -> AsyncStream<MediaEvent> {
    let (stream, continuation) = AsyncStream.makeStream(of: MediaEvent.self)
    let served = state.withLock { state in
      state.readers.append(continuation)
      let served = state.readerWaiters.filter { $0.count <= state.readers.count }
      state.readerWaiters.removeAll { $0.count <= state.readers.count }
      return served
    }
    for waiter in served { waiter.continuation.resume() }
    return stream
  }

  func setChannelHandler(_ handler: @escaping @Sendable (ChannelEvent) -> Void) {
    state.withLock { $0.channelHandler = handler }
  }

  /// Takes everything, or nothing after ``fail(with:)``.
  func enqueue(
    _ texts: [String], on channel: String, stream: UInt16?, of peer: PeerID,
    done: @escaping @Sendable (Result<Int, ChannelSendError>) -> Void
  ) {
    do throws(MediaError) {
      try note(.enqueue(texts, channel: channel, peer))
      done(.success(texts.count))
    } catch {
      done(error.code == .full ? .success(0) : .failure(error.code == .unavailable ? .unavailable : .gone))
    }
  }

  func closeChannel(_ stream: UInt16, of peer: PeerID) {}

  func statistics() async -> MediaStatistics {
    MediaStatistics(
      counters: [.init(name: "sightline_packets_received_total", help: "RTP packets in.", value: 42)],
      gauges: [.init(name: "sightline_peers", help: "Peers now.", value: 3)])
  }
}
