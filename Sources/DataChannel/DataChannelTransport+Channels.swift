import CUSRSCTP
import Primitives

extension DataChannelTransport {
  /// Opens a channel on a stream of our parity (RFC 8832 §6).
  ///
  /// Before the association is up, the opening waits for it. Messages may be sent at once;
  /// ``Output/channelOpened(_:_:)`` follows when the peer has acknowledged.
  package func openChannel(
    _ parameters: DataChannelParameters, now: MonotonicTime
  ) throws(DataChannelError) -> DataChannelID {
    try parameters.validate()
    guard association != nil else { throw .notConnected }
    guard channels.liveCount < DataChannelLimits.maximumChannels,
      channels.controlMessages.count < DataChannelLimits.maximumPendingControlMessages,
      let stream = channels.freeStream(for: role, below: streamLimit)
    else { throw .tooManyChannels }
    noteActivity(now)
    channels.insert(.init(parameters: parameters, state: .opening), on: stream)
    channels.controlMessages.append((stream, .open(parameters)))
    processEvents()
    return DataChannelID(stream: stream)
  }

  /// Adds a channel that both sides know of from signalling, without an opening on the wire (RFC 8864).
  package func addNegotiatedChannel(
    _ id: DataChannelID, _ parameters: DataChannelParameters
  ) throws(DataChannelError) {
    try parameters.validate()
    guard association != nil else { throw .notConnected }
    guard Int(id.stream) < streamLimit, channels[id.stream] == nil else { throw .streamUnavailable }
    guard channels.liveCount < DataChannelLimits.maximumChannels else { throw .tooManyChannels }
    channels.insert(.init(parameters: parameters, state: .open), on: id.stream)
    emit(.channelOpened(id, parameters))
  }

  /// Queues a whole message, or throws and queues nothing.
  ///
  /// ``DataChannelError/bufferFull`` is followed by ``Output/channelWritable(_:)``, unless the channel closes first.
  package func send(
    _ message: DataChannelMessage, on id: DataChannelID, now: MonotonicTime
  ) throws(DataChannelError) {
    do throws(DataChannelError) {
      try queue(message, on: id, now: now)
    } catch {
      if error == .bufferFull { fullStreams[id.stream] = association?.bufferedBytes ?? 0 }
      throw error
    }
  }

  private func queue(
    _ message: DataChannelMessage, on id: DataChannelID, now: MonotonicTime
  ) throws(DataChannelError) {
    guard case .connected(let association, _) = phase else { throw .notConnected }
    guard let channel = channels[id.stream], !channel.isClosing else { throw .noSuchChannel }
    guard message.byteCount <= peerMaximumMessageSize else {
      throw .messageTooLong(limit: peerMaximumMessageSize)
    }
    noteActivity(now)
    processEvents()
    // Nothing may overtake the channel's own opening.
    guard !channels.controlMessages.contains(where: { $0.stream == id.stream }) else { throw .bufferFull }
    guard unacknowledgedMessages < DataChannelLimits.maximumQueuedMessages else { throw .bufferFull }
    var delivery = SCTPAssociation.Delivery(
      unordered: !channel.parameters.isOrdered, reliability: channel.parameters.reliability)
    if case .opening = channel.state { delivery.unordered = false }
    do throws(SCTPAssociation.LibraryError) {
      try association.send(message.payload, stream: id.stream, ppid: message.payloadProtocol, delivery: delivery)
      unacknowledgedMessages += 1
    } catch {
      throw DataChannelError(sending: error, limit: peerMaximumMessageSize)
    }
  }

  /// Closes a channel after what was sent on it (RFC 8831 §6.7); ``Output/channelClosed(_:)`` follows.
  package func close(_ id: DataChannelID, now: MonotonicTime) {
    guard association != nil, channels.close(id.stream) else { return }
    noteActivity(now)
    processEvents()
  }

  /// The channels that are open or being opened, by number.
  package var openChannels: [DataChannelID] {
    channels.channels.filter { !$0.value.isClosing }.keys.sorted().map { DataChannelID(stream: $0) }
  }

  /// Streams that both sides support; our own bound until the association is up.
  var streamLimit: Int {
    if case .connected(_, let streams) = phase { streams } else { DataChannelLimits.maximumStreams }
  }
}

extension DataChannelMessage {
  /// The user message to send.
  ///
  /// SCTP has no empty messages: one zero byte stands for none (RFC 8831 §6.6).
  fileprivate var payload: [UInt8] {
    switch self {
    case .text(let text): text.isEmpty ? [0] : Array(text.utf8)
    case .binary(let bytes): bytes.isEmpty ? [0] : bytes
    }
  }

  fileprivate var payloadProtocol: UInt32 {
    switch self {
    case .text(let text): (text.isEmpty ? PayloadProtocol.emptyText : .text).rawValue
    case .binary(let bytes): (bytes.isEmpty ? PayloadProtocol.emptyBinary : .binary).rawValue
    }
  }

  /// From a user message of the peer; nil when the text is no UTF-8 or the identifier is none for messages.
  init?(payload: [UInt8], payloadProtocol: UInt32) {
    switch PayloadProtocol(rawValue: payloadProtocol) {
    case .text:
      guard let text = String(validating: payload, as: UTF8.self) else { return nil }
      self = .text(text)
    case .binary: self = .binary(payload)
    case .emptyText: self = .text("")
    case .emptyBinary: self = .binary([])
    case .control, nil: return nil
    }
  }
}

extension DataChannelError {
  fileprivate init(sending error: SCTPAssociation.LibraryError, limit: Int) {
    switch error.code {
    case EWOULDBLOCK, ENOBUFS, ENOMEM: self = .bufferFull
    case EMSGSIZE: self = .messageTooLong(limit: limit)
    case ENOTCONN, ECONNRESET, EPIPE, ECONNABORTED: self = .notConnected
    default: self = .library(code: error.code)
    }
  }
}
