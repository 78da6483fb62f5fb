import ControlRoom
import Incidents
import MediaServer
import Primitives
import Synchronization

/// Peers' data channels as the control room's doors: `sightline.metadata` carries the envelope, `t140` real-time text.
///
/// Whoever speaks there is whoever opened the peer's session.
final class ChannelCarriers: Sendable {
  private struct Key: Hashable {
    let peer: PeerID
    let stream: UInt16
  }

  private struct Carrier {
    let sink: ChannelSink
    let messages: AsyncStream<String>.Continuation
  }

  private let carriers = Mutex<[Key: Carrier]>([:])
  private let media: any MediaPlane
  private let room: ControlRoom
  private let sessions: SessionDirectory

  /// Messages of one channel that wait to be handled; more are refused.
  static let maximumWaiting = 256
  /// Carriers of one peer.
  static let maximumPerPeer = 8

  init(media: any MediaPlane, room: ControlRoom, sessions: SessionDirectory) {
    self.media = media
    self.room = room
    self.sessions = sessions
  }

  /// Begins to listen; call it before the first peer comes.
  func start() {
    media.setChannelHandler { [self] event in take(event) }
  }

  /// Takes an event on a media thread: nothing here waits.
  private func take(_ event: ChannelEvent) {
    let key = Key(peer: event.peer, stream: event.stream)
    switch event.kind {
    case .opened: open(event, key)
    case .text(let text):
      guard let carrier = carriers.withLock({ $0[key] }) else { return }
      if case .dropped = carrier.messages.yield(text) {
        room.counters.noteRefusal(.tooFast)
        let refusal = Refusal(.tooFast, "Too many messages at once. Wait for the answers.", retryAfter: .seconds(1))
        carrier.sink.send(ServerMetadata.error(refusal, inReplyTo: nil), taken: { _ in })
      }
    case .writable: carriers.withLock { $0[key] }?.sink.resume()
    case .closed: close(key)
    }
  }

  private func open(_ event: ChannelEvent, _ key: Key) {
    guard event.channel == ChannelEvent.metadataChannel || event.isRealTimeText else { return }
    guard let session = sessions.session(of: event.peer),
      carriers.withLock({ carriers in carriers.keys.count { $0.peer == key.peer } }) < Self.maximumPerPeer
    else { return }
    let (stream, messages) = AsyncStream.makeStream(
      of: String.self, bufferingPolicy: .bufferingOldest(Self.maximumWaiting))
    let sink = ChannelSink(media: media, event: event) { [weak self] in self?.close(key) }
    carriers.withLock { $0[key] = Carrier(sink: sink, messages: messages) }
    let room = room
    if event.isRealTimeText {
      Task {
        await RealTimeTextBridge(room: room, principal: session.principal, incident: session.incident, sink: sink)
          .run(stream)
      }
    } else {
      let metadata = MetadataSession(room: room, principal: session.principal, sink: sink)
      Task {
        for await text in stream { await metadata.receive(text) }
        await metadata.end()
      }
    }
  }

  private func close(_ key: Key) {
    guard let carrier = carriers.withLock({ $0.removeValue(forKey: key) }) else { return }
    carrier.messages.finish()
    carrier.sink.end()
  }
}
