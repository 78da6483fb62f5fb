import CUSRSCTP

/// usrsctp's outgoing packet callback.
///
/// It runs with ``SCTPLibrary``'s lock held and touches nothing but a mailbox.
func sctpLibraryDidOutput(
  _ key: UnsafeMutableRawPointer?, _ packet: UnsafeMutableRawPointer?, _ length: Int, _ tos: UInt8, _ setDF: UInt8
) -> Int32 {
  if let packet, let mailbox = SCTPLibrary.shared.mailbox(for: UInt(bitPattern: key)) {
    mailbox.append(packet: UnsafeRawBufferPointer(start: packet, count: length))
  }
  return 0
}

/// usrsctp's incoming message callback; the same rules.
///
/// `data` is ours to free.
func sctpLibraryDidReceive(
  _ socket: OpaquePointer?, _ address: sctp_sockstore, _ data: UnsafeMutableRawPointer?, _ length: Int,
  _ info: sctp_rcvinfo, _ flags: Int32, _ key: UnsafeMutableRawPointer?
) -> Int32 {
  guard let data else { return 1 }
  defer { free(data) }
  guard let mailbox = SCTPLibrary.shared.mailbox(for: UInt(bitPattern: key)) else { return 1 }
  let bytes = UnsafeRawBufferPointer(start: data, count: length)
  if flags & MSG_NOTIFICATION != 0 {
    if let event = SCTPEvent(notification: bytes) { mailbox.append(event: event) }
  } else {
    mailbox.append(
      event: .data(
        stream: info.rcv_sid, ppid: UInt32(bigEndian: info.rcv_ppid), bytes: Array(bytes),
        isComplete: flags & Int32(MSG_EOR) != 0))
  }
  return 1
}

extension SCTPEvent {
  /// From a notification of the socket API (RFC 6458 §6.1), in host byte order; nil for one that we have no use for.
  init?(notification: UnsafeRawBufferPointer) {
    guard notification.count >= MemoryLayout<sctp_tlv>.size else { return nil }
    switch Int32(notification.loadUnaligned(as: UInt16.self)) {
    case SCTP_ASSOC_CHANGE: self.init(associationChange: notification)
    case SCTP_STREAM_RESET_EVENT: self.init(streamReset: notification)
    case SCTP_SENDER_DRY_EVENT: self = .drained
    case SCTP_PARTIAL_DELIVERY_EVENT:
      guard notification.count >= MemoryLayout<sctp_pdapi_event>.size else { return nil }
      let event = notification.loadUnaligned(as: sctp_pdapi_event.self)
      self = .partialDeliveryAborted(stream: UInt16(truncatingIfNeeded: event.pdapi_stream))
    default: return nil
    }
  }

  private init?(associationChange notification: UnsafeRawBufferPointer) {
    guard notification.count >= MemoryLayout<sctp_assoc_change>.size else { return nil }
    let change = notification.loadUnaligned(as: sctp_assoc_change.self)
    switch Int32(change.sac_state) {
    case SCTP_COMM_UP:
      self = .up(outgoingStreams: change.sac_outbound_streams, incomingStreams: change.sac_inbound_streams)
    case SCTP_COMM_LOST: self = .lost
    case SCTP_RESTART: self = .restarted
    case SCTP_SHUTDOWN_COMP: self = .shutDown
    case SCTP_CANT_STR_ASSOC: self = .cannotStart
    default: return nil
    }
  }

  private init?(streamReset notification: UnsafeRawBufferPointer) {
    let header = MemoryLayout<sctp_stream_reset_event>.size
    guard notification.count >= header else { return nil }
    let event = notification.loadUnaligned(as: sctp_stream_reset_event.self)
    let streams = stride(from: header, to: notification.count - 1, by: 2).map {
      notification.loadUnaligned(fromByteOffset: $0, as: UInt16.self)
    }
    let flags = Int32(event.strreset_flags)
    if flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED) != 0 {
      guard flags & SCTP_STREAM_RESET_OUTGOING_SSN != 0 else { return nil }
      self = .outgoingResetFailed(streams)
    } else if flags & SCTP_STREAM_RESET_INCOMING_SSN != 0 {
      self = .incomingReset(streams)
    } else {
      self = .outgoingReset(streams)
    }
  }
}
