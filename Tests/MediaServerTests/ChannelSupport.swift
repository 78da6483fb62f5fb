import DataChannel
import Dispatch
import MediaClient
import MediaServer
import PeerSession
import Primitives
import SDP
import Synchronization
import Testing

/// Keeps what the server's channel handler hears.
final class ChannelLog: Sendable {
  private let entries = Mutex<[ChannelEvent]>([])

  var events: [ChannelEvent] { entries.withLock { $0 } }

  func append(_ event: ChannelEvent) {
    entries.withLock { $0.append(event) }
  }

  func count(_ kind: ChannelEvent.Kind, on channel: String) -> Int {
    events.count { $0.channel == channel && $0.kind == kind }
  }

  func texts(on channel: String) -> [String] {
    events.compactMap { event in
      guard event.channel == channel, case .text(let text) = event.kind else { return nil }
      return text
    }
  }
}

/// Sends on one channel as the control plane does: one command at a time, the rest when there is room.
final class ChannelWriter: Sendable {
  private struct State {
    var pending: ArraySlice<String> = []
    var isSending = false
    var isBlocked = false
    var refusals: [ChannelSendError] = []
  }

  private let server: MediaServer
  private let channel: String
  private let peer: PeerID
  private let state = Mutex(State())

  init(_ server: MediaServer, channel: String, peer: PeerID) {
    self.server = server
    self.channel = channel
    self.peer = peer
  }

  var refusals: [ChannelSendError] { state.withLock { $0.refusals } }

  func send(_ texts: [String]) {
    state.withLock { $0.pending += texts }
    pump()
  }

  func becomeWritable() {
    state.withLock { $0.isBlocked = false }
    pump()
  }

  private func pump() {
    let texts = state.withLock { state -> [String] in
      guard !state.isSending, !state.isBlocked, !state.pending.isEmpty else { return [] }
      state.isSending = true
      return Array(state.pending)
    }
    guard !texts.isEmpty else { return }
    server.enqueue(texts, on: channel, of: peer) { result in
      self.state.withLock { state in
        state.isSending = false
        switch result {
        case .success(let taken):
          state.pending = state.pending.dropFirst(taken)
          state.isBlocked = taken < texts.count
        case .failure(let error):
          state.pending = []
          state.refusals.append(error)
        }
      }
      self.pump()
    }
  }
}

/// Holds a thread up until it is opened, for at most ten seconds.
private final class Gate: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)

  func open() { semaphore.signal() }

  func wait() { _ = semaphore.wait(timeout: .now() + .seconds(10)) }
}

/// A client with data channels.
final class ChannelClient: Sendable {
  let id: PeerID
  private let loop: ClientLoopHandle
  private let received = Mutex<[DataChannelID: [String]]>([:])
  /// Only the loop's thread touches it.
  nonisolated(unsafe) private let peer: ClientPeer

  fileprivate init(id: PeerID, loop: ClientLoopHandle, peer: ClientPeer) {
    self.id = id
    self.loop = loop
    nonisolated(unsafe) let peer = peer
    self.peer = peer
  }

  func texts(on channel: DataChannelID) -> [String] {
    received.withLock { $0[channel] ?? [] }
  }

  fileprivate func note(_ event: ClientPeer.ChannelEvent) {
    guard case .message(let id, .text(let text)) = event else { return }
    received.withLock { $0[id, default: []].append(text) }
  }

  /// Opens a channel; the server hears of it some time after.
  func open(_ parameters: DataChannelParameters) async throws -> DataChannelID {
    let opened = await loop.perform { loop in Result { try self.peer.openChannel(parameters, now: loop.now) } }
    let id = try #require(opened).get()
    return try #require(id)
  }

  func open(_ label: String) async throws -> DataChannelID {
    try await open(DataChannelParameters(label: label))
  }

  func send(_ texts: [String], on channel: DataChannelID) async throws {
    let sent = await loop.perform { loop in
      Result { for text in texts { try self.peer.send(.text(text), on: channel, now: loop.now) } }
    }
    try #require(sent).get()
  }

  func close(_ channel: DataChannelID) async {
    _ = await loop.perform { loop in self.peer.close(channel, now: loop.now) }
  }

  /// Ends the session with a goodbye.
  func leave() async {
    _ = await loop.perform { loop in loop.remove(self.peer) }
  }

  /// Keeps the client deaf until `body` has returned.
  func whileDeaf(_ body: () async throws -> Void) async throws {
    let gate = Gate()
    async let closed: Void? = loop.perform { _ in gate.wait() }
    let result: Result<Void, any Error>
    do {
      result = .success(try await body())
    } catch {
      result = .failure(error)
    }
    gate.open()
    _ = await closed
    try result.get()
  }
}

extension Stage {
  /// Joins `incident` with data channels and nothing else, and waits for the connection.
  func joinWithChannels(_ incident: IncidentID) async throws -> ChannelClient {
    let identity = identity
    let made = await loop.perform { _ in
      Result { try ClientOffer(.watch(slots: 0), hasDataChannels: true, on: loopback, identity: identity) }
    }
    let offer = try #require(made).get()
    let answer = try await server.connect(
      PeerRequest(
        incident: incident, permissions: .subscribe, name: "test", offer: offer.description.serialize()))
    let description = try SessionDescription(parsing: answer.sdp)
    let (events, sink) = AsyncStream.makeStream(of: ClientPeer.ClientEvent.self)
    let handle = loop
    let added = await loop.perform { loop in
      Result {
        let peer = try ClientPeer(offer, answer: description, clip: nil, receiver: nil, loop: loop) { sink.yield($0) }
        let client = ChannelClient(id: answer.peer, loop: handle, peer: peer)
        peer.onChannelEvent = { client.note($0) }
        try loop.add(peer)
        return client
      }
    }
    let client = try #require(added).get()
    for await event in events {
      guard case .connected = event else {
        Issue.record("the session ended: \(event)")
        break
      }
      return client
    }
    return client
  }
}
