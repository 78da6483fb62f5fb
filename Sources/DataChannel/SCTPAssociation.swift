import CUSRSCTP
import Primitives

/// Owns one usrsctp socket: the only place that holds its pointer.
///
/// Used by one thread at a time. From ``close()`` or `deinit` on, the library has no socket, and the table no key, that
/// lead here.
package final class SCTPAssociation {
  /// An error that the library reports for a call.
  package struct LibraryError: Error, Equatable, Sendable {
    /// The value of `errno`.
    package let code: Int32
  }

  /// How a message is sent.
  package struct Delivery {
    package var unordered: Bool
    package var reliability: DataChannelReliability

    package init(unordered: Bool = false, reliability: DataChannelReliability = .reliable) {
      self.unordered = unordered
      self.reliability = reliability
    }
  }

  package let mailbox: SCTPMailbox
  private let key: UInt
  /// Keeps the library started for as long as there is a socket.
  private let stack: SCTPStack
  private var socket: OpaquePointer?

  /// Opens a socket and starts the handshake: the INIT is in the mailbox afterwards.
  package init(
    stack: SCTPStack, localPort: UInt16, remotePort: UInt16, maximumPacketSize: Int
  ) throws(LibraryError) {
    self.stack = stack
    (key, mailbox) = SCTPLibrary.shared.register()
    let key = self.key
    let result: Result<OpaquePointer, LibraryError> = SCTPLibrary.shared.withLock {
      usrsctp_register_address(UnsafeMutableRawPointer(bitPattern: key))
      guard let socket = cusrsctp_socket(key, sctpLibraryDidReceive) else {
        usrsctp_deregister_address(UnsafeMutableRawPointer(bitPattern: key))
        return .failure(LibraryError(code: cusrsctp_errno()))
      }
      let code = Self.connect(
        socket, key: key, localPort: localPort, remotePort: remotePort, maximumPacketSize: maximumPacketSize)
      guard code == 0 else {
        usrsctp_close(socket)
        usrsctp_deregister_address(UnsafeMutableRawPointer(bitPattern: key))
        return .failure(LibraryError(code: code))
      }
      return .success(socket)
    }
    switch result {
    case .success(let opened): socket = opened
    case .failure(let error):
      SCTPLibrary.shared.unregister(key)
      throw error
    }
  }

  deinit {
    close()
    SCTPLibrary.shared.unregister(key)
  }

  /// Aborts the association and frees the socket; an ABORT may be in the mailbox afterwards.
  package func close() {
    guard let socket else { return }
    self.socket = nil
    SCTPLibrary.shared.withLock {
      usrsctp_close(socket)
      usrsctp_deregister_address(UnsafeMutableRawPointer(bitPattern: key))
    }
  }

  /// Hands a packet from the peer to the library.
  ///
  /// It must have passed ``SCTPPacketValidator``.
  package func receive(_ packet: UnsafeRawBufferPointer) {
    guard socket != nil else { return }
    SCTPLibrary.shared.withLock {
      usrsctp_conninput(UnsafeMutableRawPointer(bitPattern: key), packet.baseAddress, packet.count, 0)
    }
  }

  /// Queues one whole message, or nothing and throws.
  package func send(_ bytes: [UInt8], stream: UInt16, ppid: UInt32, delivery: Delivery) throws(LibraryError) {
    guard let socket else { throw LibraryError(code: ENOTCONN) }
    let code = SCTPLibrary.shared.withLock {
      let (policy, value) = delivery.reliability.sctpPolicy
      return cusrsctp_send(socket, bytes, bytes.count, stream, ppid, delivery.unordered ? 1 : 0, policy, value)
    }
    guard code == 0 else { throw LibraryError(code: code) }
  }

  /// Asks for the reset of an outgoing stream, once what is queued on it has been sent.
  package func resetOutgoingStream(_ stream: UInt16) throws(LibraryError) {
    guard let socket else { throw LibraryError(code: ENOTCONN) }
    let code = SCTPLibrary.shared.withLock { cusrsctp_reset_stream(socket, stream) }
    guard code == 0 else { throw LibraryError(code: code) }
  }

  /// Whether data has been sent and not been acknowledged; what waits behind it is implied.
  package var hasUnacknowledgedData: Bool {
    guard let socket, let status = SCTPLibrary.shared.withLock({ Self.status(of: socket) }) else { return false }
    return status.sstat_unackdata > 0
  }

  /// Bytes that wait to be sent or acknowledged, with SCTP's own headers; nil when the library cannot tell.
  package var bufferedBytes: Int? {
    guard let socket else { return nil }
    let count = SCTPLibrary.shared.withLock { cusrsctp_buffered(socket) }
    return count >= 0 ? Int(count) : nil
  }

  private static func status(of socket: OpaquePointer) -> sctp_status? {
    var status = sctp_status()
    var size = socklen_t(MemoryLayout<sctp_status>.size)
    return usrsctp_getsockopt(socket, Int32(IPPROTO_SCTP), SCTP_STATUS, &status, &size) == 0 ? status : nil
  }
}

// MARK: - Socket options

extension SCTPAssociation {
  /// Configures, binds and connects; returns 0 or `errno`.
  private static func connect(
    _ socket: OpaquePointer, key: UInt, localPort: UInt16, remotePort: UInt16, maximumPacketSize: Int
  ) -> Int32 {
    var code = configure(socket)
    if code == 0 { code = cusrsctp_bind(socket, key, localPort) }
    guard code == 0 else { return code }
    code = cusrsctp_connect(socket, key, remotePort)
    guard code == 0 || code == EINPROGRESS else { return code }
    // For AF_CONN, usrsctp leaves SCTP's common header of 12 bytes out of the MTU.
    return cusrsctp_fix_mtu(socket, key, remotePort, UInt32(maximumPacketSize - 12))
  }

  private static func configure(_ socket: OpaquePointer) -> Int32 {
    let initialisation = sctp_initmsg(
      sinit_num_ostreams: UInt16(DataChannelLimits.maximumStreams),
      sinit_max_instreams: UInt16(DataChannelLimits.maximumStreams),
      sinit_max_attempts: 10, sinit_max_init_timeo: 5000)
    let timeouts = sctp_rtoinfo(srto_assoc_id: 0, srto_initial: 500, srto_max: 10_000, srto_min: 400)
    let resets = sctp_assoc_value(assoc_id: 0, assoc_value: UInt32(SCTP_ENABLE_RESET_STREAM_REQ))
    let receiveBuffer = Int32(DataChannelLimits.receiveWindow)
    var codes = [
      usrsctp_set_non_blocking(socket, 1) == 0 ? 0 : cusrsctp_errno(),
      cusrsctp_abort_on_close(socket),
      set(socket, SOL_SOCKET, SO_RCVBUF, receiveBuffer),
      set(socket, SOL_SOCKET, SO_SNDBUF, Int32(DataChannelLimits.maximumBufferedBytes)),
      set(socket, Int32(IPPROTO_SCTP), SCTP_PARTIAL_DELIVERY_POINT, UInt32(receiveBuffer / 2)),
      set(socket, Int32(IPPROTO_SCTP), SCTP_INITMSG, initialisation),
      set(socket, Int32(IPPROTO_SCTP), SCTP_RTOINFO, timeouts),
      set(socket, Int32(IPPROTO_SCTP), SCTP_ENABLE_STREAM_RESET, resets),
      set(socket, Int32(IPPROTO_SCTP), SCTP_NODELAY, UInt32(1)),
    ]
    for type in [SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_PARTIAL_DELIVERY_EVENT, SCTP_SENDER_DRY_EVENT] {
      let event = sctp_event(se_assoc_id: 0, se_type: UInt16(type), se_on: 1)
      codes.append(set(socket, Int32(IPPROTO_SCTP), SCTP_EVENT, event))
    }
    return codes.first { $0 != 0 } ?? 0
  }

  private static func set<Value>(
    _ socket: OpaquePointer, _ level: Int32, _ name: Int32, _ value: Value
  ) -> Int32 {
    withUnsafeBytes(of: value) { bytes in
      usrsctp_setsockopt(socket, level, name, bytes.baseAddress, socklen_t(bytes.count)) == 0 ? 0 : cusrsctp_errno()
    }
  }
}

extension DataChannelReliability {
  /// The PR-SCTP policy and its value (RFC 3758, RFC 7496).
  fileprivate var sctpPolicy: (UInt16, UInt32) {
    switch self {
    case .reliable: (UInt16(SCTP_PR_SCTP_NONE), 0)
    case .maximumRetransmissions(let count): (UInt16(SCTP_PR_SCTP_RTX), count)
    case .maximumLifetime(let milliseconds): (UInt16(SCTP_PR_SCTP_TTL), milliseconds)
    }
  }
}
