import Synchronization

/// What one association's callbacks have produced and its owner has not fetched yet.
///
/// The callbacks may run on another shard's thread (it may be the one that drives the timers), so a lock guards it.
package final class SCTPMailbox: Sendable {
  private struct Contents {
    var packets: [[UInt8]] = []
    /// Index of the first packet not fetched yet.
    var fetched = 0
    var events: [SCTPEvent] = []
    var eventBytes = 0
    var droppedPackets = 0
  }

  private let contents = Mutex(Contents())

  package init() {}

  /// Keeps a packet for the owner.
  ///
  /// A full outbox drops it, as a congested network would: SCTP retransmits.
  package func append(packet: UnsafeRawBufferPointer) {
    contents.withLock { contents in
      guard contents.packets.count - contents.fetched < DataChannelLimits.maximumPendingPackets else {
        contents.droppedPackets += 1
        return
      }
      contents.packets.append(Array(packet))
    }
  }

  /// Keeps an event for the owner.
  ///
  /// A full inbox keeps one last event, ``SCTPEvent/overflow``.
  package func append(event: SCTPEvent) {
    contents.withLock { contents in
      let limit = DataChannelLimits.maximumPendingOutputs
      guard contents.events.count <= limit else { return }
      contents.eventBytes += event.byteCount
      let isFull =
        contents.events.count == limit || contents.eventBytes > DataChannelLimits.maximumPendingOutputBytes
      contents.events.append(isFull ? .overflow : event)
    }
  }

  /// The oldest outgoing packet.
  package func nextPacket() -> [UInt8]? {
    contents.withLock { contents in
      guard contents.fetched < contents.packets.count else { return nil }
      let packet = contents.packets[contents.fetched]
      contents.packets[contents.fetched] = []
      contents.fetched += 1
      if contents.fetched == contents.packets.count {
        contents.packets.removeAll(keepingCapacity: contents.packets.count <= 64)
        contents.fetched = 0
      }
      return packet
    }
  }

  /// All events since the last call, oldest first.
  package func takeEvents() -> [SCTPEvent] {
    contents.withLock { contents in
      guard !contents.events.isEmpty else { return [] }
      contents.eventBytes = 0
      defer { contents.events = [] }
      return contents.events
    }
  }

  /// Packets that a full outbox has dropped.
  package var droppedPackets: Int { contents.withLock { $0.droppedPackets } }
}

/// Something that the SCTP library tells an association's owner.
package enum SCTPEvent: Sendable {
  /// A message, or with `isComplete` false the next part of a long one.
  case data(stream: UInt16, ppid: UInt32, bytes: [UInt8], isComplete: Bool)
  /// The association is up with this many streams either way.
  case up(outgoingStreams: UInt16, incomingStreams: UInt16)
  /// It is gone, by an abort or after too many retransmissions.
  case lost
  /// The handshake found no answer.
  case cannotStart
  /// The peer shut it down.
  case shutDown
  /// The peer has begun a new association over the old one (RFC 9260 §5.2).
  case restarted
  /// The peer has acknowledged all that we have sent.
  case drained
  /// The peer has reset its outgoing streams; an empty list stands for all.
  case incomingReset([UInt16])
  /// Our outgoing streams are reset; an empty list stands for all.
  case outgoingReset([UInt16])
  /// The peer refused a reset of our outgoing streams.
  case outgoingResetFailed([UInt16])
  /// The rest of a message that was delivered in parts will not come.
  case partialDeliveryAborted(stream: UInt16)
  /// The owner did not fetch for too long.
  case overflow

  /// Payload bytes that it holds.
  var byteCount: Int {
    switch self {
    case .data(_, _, let bytes, _): bytes.count
    case .incomingReset(let streams), .outgoingReset(let streams), .outgoingResetFailed(let streams):
      streams.count * 2
    case .up, .drained, .lost, .cannotStart, .shutDown, .restarted, .partialDeliveryAborted, .overflow: 0
    }
  }
}
