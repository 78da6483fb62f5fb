import DataChannel
import Primitives

// The control plane's way to and from data channels.

extension MediaServer {
  package func setChannelHandler(_ handler: @escaping @Sendable (ChannelEvent) -> Void) {
    for shard in shards { _ = shard.submit(evenWhenFull: true) { $0.channelHandler = handler } }
  }

  package func enqueue(
    _ texts: [String], on channel: String, stream: UInt16?, of peer: PeerID,
    done: @escaping @Sendable (Result<Int, ChannelSendError>) -> Void
  ) {
    let accepted = shard(of: peer).submit { shard in
      guard let found = shard.peer(peer) else { return done(.failure(.gone)) }
      shard.send(texts, on: channel, stream: stream, of: found, done: done)
    }
    if !accepted { done(.failure(.unavailable)) }
  }

  package func closeChannel(_ stream: UInt16, of peer: PeerID) {
    _ = shard(of: peer).submit(evenWhenFull: true) { shard in
      guard let found = shard.peer(peer) else { return }
      found.session.closeChannel(DataChannelID(stream: stream), now: shard.now)
      shard.drain(found)
    }
  }
}
