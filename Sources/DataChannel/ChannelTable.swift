/// The channels of one association and the control work that they wait for.
///
/// It decides; the transport acts.
struct ChannelTable {
  /// The two halves of closing a channel (RFC 8831 §6.7): both directions of its stream are reset.
  struct Resets: OptionSet {
    let rawValue: UInt8
    /// The peer has confirmed the reset of our direction.
    static let outgoing = Resets(rawValue: 1)
    /// The peer has reset its direction.
    static let incoming = Resets(rawValue: 2)
  }

  enum State {
    /// We have asked; the peer has not acknowledged. Messages are sent in order until it does (RFC 8832 §6).
    case opening
    case open
    /// The stream is being reset. A channel that nobody was told of closes without being announced either.
    case closing(done: Resets, isAnnounced: Bool)
  }

  struct Channel {
    let parameters: DataChannelParameters
    var state: State

    var isClosing: Bool {
      if case .closing = state { true } else { false }
    }

    /// Whether a ``DataChannelTransport/Output/channelClosed(_:)`` is owed for it.
    var isAnnounced: Bool {
      if case .closing(_, let isAnnounced) = state { isAnnounced } else { true }
    }
  }

  /// By stream: at most ``DataChannelLimits/maximumStreams`` entries.
  private(set) var channels: [UInt16: Channel] = [:]
  /// Control messages not sent yet, oldest first.
  var controlMessages: [(stream: UInt16, message: DCEPMessage)] = []
  /// Streams whose outgoing direction we have yet to ask to be reset.
  var wantedResets: Set<UInt16> = []

  subscript(stream: UInt16) -> Channel? { channels[stream] }

  /// Channels in use or announced; refused ones do not count.
  var liveCount: Int { channels.values.count { $0.isAnnounced } }

  /// Whether something waits to be sent or to be confirmed.
  var hasWork: Bool {
    !controlMessages.isEmpty || !wantedResets.isEmpty || channels.values.contains { $0.isClosing }
  }

  /// The lowest free stream of our parity below `limit`.
  func freeStream(for role: DataChannelTransport.Role, below limit: Int) -> UInt16? {
    let first = role == .dtlsClient ? 0 : 1
    return stride(from: first, to: limit, by: 2).lazy.map { UInt16($0) }.first { channels[$0] == nil }
  }

  mutating func insert(_ channel: Channel, on stream: UInt16) {
    channels[stream] = channel
  }

  /// The peer has acknowledged our opening; the channel's parameters when that is news.
  mutating func acknowledge(_ stream: UInt16) -> DataChannelParameters? {
    guard let channel = channels[stream], case .opening = channel.state else { return nil }
    channels[stream]?.state = .open
    return channel.parameters
  }

  /// Starts closing; false when there is nothing to close.
  mutating func close(_ stream: UInt16) -> Bool {
    guard let channel = channels[stream], !channel.isClosing else { return false }
    channels[stream]?.state = .closing(done: [], isAnnounced: true)
    wantedResets.insert(stream)
    return true
  }

  /// Resets a stream on which the peer tried to open a channel that we do not accept.
  mutating func refuse(_ stream: UInt16) {
    guard channels[stream] == nil else { return _ = close(stream) }
    channels[stream] = Channel(
      parameters: DataChannelParameters(label: ""), state: .closing(done: [], isAnnounced: false))
    wantedResets.insert(stream)
  }

  /// Notes that one direction is reset; true when that ends an announced channel.
  mutating func noteReset(_ direction: Resets, of stream: UInt16) -> Bool {
    // A late confirmation for a stream in use again concerns the channel before.
    if direction == .outgoing, channels[stream]?.isClosing == false { return false }
    _ = close(stream)
    guard let channel = channels[stream], case .closing(let done, let isAnnounced) = channel.state else {
      return false
    }
    let both = done.union(direction)
    guard both == [.outgoing, .incoming] else {
      channels[stream]?.state = .closing(done: both, isAnnounced: isAnnounced)
      return false
    }
    return remove(stream)
  }

  /// Ends a channel that the peer has left behind; true when it was announced.
  mutating func removeIfPeerHasReset(_ stream: UInt16) -> Bool? {
    guard let channel = channels[stream], case .closing(let done, _) = channel.state, done.contains(.incoming) else {
      return nil
    }
    return remove(stream)
  }

  /// Forgets the channels on streams that the association turned out not to have.
  mutating func removeChannels(from limit: Int) -> [DataChannelID] {
    let beyond = channels.keys.filter { Int($0) >= limit }.sorted()
    return beyond.filter { remove($0) }.map { DataChannelID(stream: $0) }
  }

  /// Forgets all channels; the identifiers of those that were announced, in order.
  mutating func removeAll() -> [DataChannelID] {
    let announced = channels.filter { $0.value.isAnnounced }.keys.sorted()
    self = ChannelTable()
    return announced.map { DataChannelID(stream: $0) }
  }

  private mutating func remove(_ stream: UInt16) -> Bool {
    wantedResets.remove(stream)
    controlMessages.removeAll { $0.stream == stream }
    return channels.removeValue(forKey: stream)?.isAnnounced ?? false
  }
}
