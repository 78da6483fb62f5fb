import CUSRSCTP
import Primitives

extension DataChannelTransport {
  /// Takes in what the SCTP library has reported, then does the control work that has become possible.
  func processEvents() {
    guard let mailbox = association?.mailbox else { return }
    for event in mailbox.takeEvents() {
      process(event)
      if isOverflowing { finish(.overflow) }
      guard association != nil else { return }
    }
    sendControlMessages()
    requestResets()
    reportRoom()
  }

  private func process(_ event: SCTPEvent) {
    switch event {
    case .up(let outgoing, let incoming): becomeConnected(streams: Int(min(outgoing, incoming)))
    case .data(let stream, let ppid, let bytes, let isComplete):
      receive(bytes, ppid: ppid, on: stream, isComplete: isComplete)
    case .drained: unacknowledgedMessages = 0
    case .incomingReset(let streams): noteResets(.incoming, streams)
    case .outgoingReset(let streams): noteResets(.outgoing, streams)
    case .outgoingResetFailed(let streams):
      for stream in streams where channels[stream]?.isClosing == true { channels.wantedResets.insert(stream) }
    // Only a message beyond our limit comes in parts, and its channel is closing since the first.
    case .partialDeliveryAborted: break
    case .lost: finish(.lost)
    case .cannotStart: finish(.cannotConnect)
    case .shutDown: finish(.peerShutDown)
    case .restarted: finish(.peerRestarted)
    case .overflow: finish(.overflow)
    }
  }

  private func becomeConnected(streams: Int) {
    guard case .connecting(let association) = phase else { return }
    phase = .connected(association, streams: streams)
    emit(.stateChanged(.connected))
    for id in channels.removeChannels(from: streams) { emit(.channelClosed(id)) }
  }

  private func noteResets(_ direction: ChannelTable.Resets, _ streams: [UInt16]) {
    for stream in streams.isEmpty ? Array(channels.channels.keys) : streams
    where channels.noteReset(direction, of: stream) {
      emit(.channelClosed(DataChannelID(stream: stream)))
    }
  }
}

// MARK: - Messages

extension DataChannelTransport {
  private func receive(_ bytes: [UInt8], ppid: UInt32, on stream: UInt16, isComplete: Bool) {
    guard ppid != PayloadProtocol.control.rawValue else {
      return isComplete ? receiveControl(bytes, on: stream) : channels.refuse(stream)
    }
    // Unknown streams include those of a channel that we closed while the message was on its way.
    guard let channel = channels[stream], !channel.isClosing else { return }
    guard isComplete, bytes.count <= maximumMessageSize,
      let message = DataChannelMessage(payload: bytes, payloadProtocol: ppid)
    else { return _ = channels.close(stream) }
    emit(.message(DataChannelID(stream: stream), message))
  }

  /// A message that is malformed or that the rules forbid costs the peer the channel, not the association.
  private func receiveControl(_ bytes: [UInt8], on stream: UInt16) {
    do throws(DCEPMessage.ParseError) {
      switch try DCEPMessage(parsing: bytes) {
      case .acknowledgement:
        guard let parameters = channels.acknowledge(stream) else { return }
        emit(.channelOpened(DataChannelID(stream: stream), parameters))
      case .open(let parameters): acceptChannel(parameters, on: stream)
      }
    } catch {
      channels.refuse(stream)
    }
  }

  private func acceptChannel(_ parameters: DataChannelParameters, on stream: UInt16) {
    let id = DataChannelID(stream: stream)
    // The peer uses the number again before the confirmation of our own reset has come through.
    if channels.removeIfPeerHasReset(stream) == true { emit(.channelClosed(id)) }
    let isPeersParity = (stream % 2 == 0) == (role == .dtlsServer)
    guard isPeersParity, channels[stream] == nil, channels.liveCount < DataChannelLimits.maximumChannels,
      channels.controlMessages.count < DataChannelLimits.maximumPendingControlMessages
    else { return channels.refuse(stream) }
    channels.insert(.init(parameters: parameters, state: .open), on: stream)
    channels.controlMessages.append((stream, .acknowledgement))
    emit(.channelOpened(id, parameters))
  }
}

// MARK: - Control work

extension DataChannelTransport {
  /// Sends what the send buffer takes; what it does not take is tried again with the next packet or timeout.
  private func sendControlMessages() {
    guard case .connected(let association, _) = phase, !channels.controlMessages.isEmpty else { return }
    channels.controlMessages.removeAll { stream, message in
      do throws(SCTPAssociation.LibraryError) {
        try association.send(
          message.serialize(), stream: stream, ppid: PayloadProtocol.control.rawValue, delivery: .init())
        return true
      } catch {
        return false
      }
    }
  }

  /// Tells of channels that refused a message and have room again.
  private func reportRoom() {
    guard !fullStreams.isEmpty, case .connected(let association, _) = phase,
      unacknowledgedMessages < DataChannelLimits.maximumQueuedMessages
    else { return }
    let buffered = unacknowledgedMessages == 0 ? 0 : association.bufferedBytes
    for (stream, bytesWhenFull) in fullStreams.sorted(by: { $0.key < $1.key }) {
      guard channels[stream]?.isClosing == false else {
        fullStreams[stream] = nil
        continue
      }
      // Without a number from the library only an empty buffer is sure to have room.
      guard let buffered, buffered <= min(DataChannelLimits.lowWaterBytes, bytesWhenFull / 2),
        !channels.controlMessages.contains(where: { $0.stream == stream })
      else { continue }
      fullStreams[stream] = nil
      emit(.channelWritable(DataChannelID(stream: stream)))
    }
  }

  private func requestResets() {
    guard case .connected(let association, _) = phase, !channels.wantedResets.isEmpty else { return }
    for stream in channels.wantedResets.sorted()
    where !channels.controlMessages.contains(where: { $0.stream == stream }) {
      do throws(SCTPAssociation.LibraryError) {
        try association.resetOutgoingStream(stream)
        channels.wantedResets.remove(stream)
      } catch {
        // A peer that cannot reset streams (RFC 6525) cannot close channels either: forget ours without it.
        guard error.code == EOPNOTSUPP else { continue }
        if channels.noteReset(.incoming, of: stream) || channels.noteReset(.outgoing, of: stream) {
          emit(.channelClosed(DataChannelID(stream: stream)))
        }
      }
    }
  }
}
