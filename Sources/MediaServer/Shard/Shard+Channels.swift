import DataChannel
import PeerSession
import Primitives

/// A data channel of a peer's.
struct PeerChannel {
  let id: DataChannelID
  let label: String
  let subprotocol: String

  /// Whether others in the incident may hear its messages: metadata and real-time text are for the control plane alone.
  var isShared: Bool {
    label != ChannelEvent.metadataChannel && subprotocol != ChannelEvent.realTimeTextProtocol
  }
}

// What data channels say, and what is said on them. Not on the packet path.

extension Shard {
  /// Texts of one command that are sent before the packets get their turn.
  private static var textsPerCommand: Int { 64 }

  func channelOpened(_ id: DataChannelID, _ parameters: DataChannelParameters, of peer: Peer) {
    let channel = PeerChannel(id: id, label: parameters.label, subprotocol: parameters.subprotocol)
    peer.channels.append(channel)
    tell(.opened, on: channel, of: peer)
  }

  func channelClosed(_ id: DataChannelID, of peer: Peer) {
    guard let place = peer.channels.firstIndex(where: { $0.id == id }) else { return }
    tell(.closed, on: peer.channels.remove(at: place), of: peer)
  }

  func channelWritable(_ id: DataChannelID, of peer: Peer) {
    guard let channel = peer.channels.first(where: { $0.id == id }) else { return }
    tell(.writable, on: channel, of: peer)
  }

  /// The session has ended, and its channels with it.
  func closeChannels(of peer: Peer) {
    let channels = peer.channels
    peer.channels = []
    for channel in channels { tell(.closed, on: channel, of: peer) }
  }

  func deliver(_ message: DataChannelMessage, on id: DataChannelID, from peer: Peer) {
    guard case .text(let text) = message, let channel = peer.channels.first(where: { $0.id == id }) else { return }
    tell(.text(text), on: channel, of: peer)
    guard channel.isShared else { return }
    tell(.message(from: peer.id, channel: channel.label, text: text), in: peer.incident)
  }

  private func tell(_ kind: ChannelEvent.Kind, on channel: PeerChannel, of peer: Peer) {
    channelHandler?(
      ChannelEvent(
        peer: peer.id, incident: peer.incident, channel: channel.label, stream: channel.id.stream,
        subprotocol: channel.subprotocol, kind: kind))
  }

  /// Sends what fits on that channel, or the newest with that label, and says how many texts that were.
  func send(
    _ texts: [String], on label: String, stream: UInt16?, of peer: Peer, done: (Result<Int, ChannelSendError>) -> Void
  ) {
    let channel = peer.channels.last { $0.label == label && (stream == nil || $0.id.stream == stream) }
    guard let channel else { return done(.failure(.gone)) }
    let turn = texts.prefix(Self.textsPerCommand)
    let (taken, refusal) = send(turn, on: channel.id, of: peer)
    if let refusal, taken == 0 {
      done(.failure(refusal))
    } else {
      done(.success(taken))
      // A full channel asks by itself for what it did not take; otherwise the packets get their turn first.
      let isFull = taken < turn.count && refusal == nil
      if taken < texts.count, !isFull { askForMore(on: channel.id, of: peer.id) }
    }
    drain(peer)
  }

  private func send(
    _ texts: ArraySlice<String>, on id: DataChannelID, of peer: Peer
  ) -> (taken: Int, refusal: ChannelSendError?) {
    var taken = 0
    do throws(DataChannelError) {
      for text in texts {
        guard try peer.session.send(.text(text), on: id, now: now) else { return (taken, .gone) }
        taken += 1
      }
    } catch {
      return (taken, ChannelSendError(error))
    }
    return (taken, nil)
  }

  private func askForMore(on id: DataChannelID, of peer: PeerID) {
    _ = queue.submit(evenWhenFull: true) { shard in
      guard let peer = shard.peer(peer) else { return }
      shard.channelWritable(id, of: peer)
    }
  }
}

extension ChannelSendError {
  /// Nil for a full buffer, which is no reason to give up.
  fileprivate init?(_ error: DataChannelError) {
    switch error {
    case .bufferFull: return nil
    case .messageTooLong(let limit): self = .tooLong(limit: limit)
    case .notConnected, .noSuchChannel, .streamUnavailable, .tooManyChannels, .nameTooLong,
      .realTimeTextMustBeReliable, .library:
      self = .gone
    }
  }
}
