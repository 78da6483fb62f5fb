import COpenSSL
import Primitives

/// One DTLS-SRTP connection, without a socket or a clock (RFC 6347, RFC 5764).
///
/// Feed it datagrams with ``receive(_:now:)`` and call ``handleTimeout(now:)`` when ``deadline`` has come; after each of these
/// and after ``start(now:)``, ``sendApplicationData(_:)`` and ``close()``, send what ``nextDatagram()`` gives until it is nil
/// and look at ``state``. A failed or closed transport may still have a last alert to send.
///
/// Not `Sendable`: one thread at a time. Transports on different threads may share a ``DTLSIdentity``.
package final class DTLSTransport {
  /// How long a handshake may take, from ``start(now:)`` or the first datagram.
  package static let handshakeTimeout = TimeInterval64.milliseconds(30_000)
  /// Datagrams kept for ``nextDatagram()``; further ones are dropped.
  package static let maximumQueuedDatagrams = 256
  /// Messages kept for ``nextApplicationData()``; further ones are dropped, which SCTP repairs.
  package static let maximumQueuedMessages = 256
  /// Longest application message in bytes: what fits in one record (RFC 6347 §4.1).
  package static let maximumMessageLength = 16_384
  /// The datagram sizes that `maximumDatagramSize` is held to.
  package static let datagramSizes = 256...16_384

  /// Where the connection stands.
  package private(set) var state = DTLSState.handshaking

  private let identity: DTLSIdentity
  private let pipe: DatagramPipe
  private let ssl: OpaquePointer
  private var handshakeDeadline: MonotonicTime?
  private var messages: [[UInt8]] = []

  /// Makes a connection that waits for ``start(now:)`` (client) or for the peer's first datagram (server).
  ///
  /// - Parameters:
  ///   - expectedPeer: the fingerprint from the peer's session description.
  ///   - maximumDatagramSize: largest handshake datagram to send, in bytes of UDP payload.
  ///   - srtpProfiles: what to offer or accept, best first.
  package init(
    identity: DTLSIdentity, role: DTLSRole, expectedPeer: DTLSFingerprint, maximumDatagramSize: Int = 1200,
    srtpProfiles: [DTLSSRTPProfile] = DTLSSRTPProfile.preferred
  ) {
    self.identity = identity
    pipe = DatagramPipe(expectedPeer: expectedPeer)
    guard let ssl = SSL_new(identity.context) else { preconditionFailure("out of memory for a DTLS connection") }
    self.ssl = ssl
    let size = min(max(maximumDatagramSize, Self.datagramSizes.lowerBound), Self.datagramSizes.upperBound)
    let names = srtpProfiles.map(\.openSSLName).joined(separator: ":")
    guard let bio = pipe.makeBIO(), pipe.attach(to: ssl) else {
      preconditionFailure("out of memory for a DTLS connection")
    }
    SSL_set_bio(ssl, bio, bio)
    // This one function of OpenSSL's returns 0 for success.
    guard sl_ssl_set_mtu(ssl, size) == size, SSL_set_tlsext_use_srtp(ssl, names) == 0 else {
      preconditionFailure("refused by OpenSSL: datagrams of \(size) bytes with SRTP profiles \(names)")
    }
    switch role {
    case .client: SSL_set_connect_state(ssl)
    case .server: SSL_set_accept_state(ssl)
    }
  }

  deinit {
    SSL_free(ssl)
    ERR_clear_error()
  }

  /// Starts the handshake's deadline; a client sends its first flight.
  package func start(now: MonotonicTime) {
    guard state == .handshaking else { return }
    startDeadline(now: now)
    advanceHandshake()
    updateTimer(now: now)
  }

  /// Takes a datagram from the peer.
  ///
  /// Whatever is no DTLS record is ignored.
  package func receive(_ datagram: UnsafeRawBufferPointer, now: MonotonicTime) {
    guard !state.isTerminal else { return }
    startDeadline(now: now)
    takeBuffers()
    pipe.withIncoming(datagram) {
      if state == .handshaking { advanceHandshake() }
      if state.isConnected { readMessages() }
    }
    updateTimer(now: now)
    releaseBuffers()
  }

  /// The next datagram to send to the peer, oldest first.
  package func nextDatagram() -> [UInt8]? {
    pipe.nextDatagram()
  }

  /// The next message from the peer, oldest first.
  package func nextApplicationData() -> [UInt8]? {
    messages.isEmpty ? nil : messages.removeFirst()
  }

  /// Queues one message as one record in one datagram, never split: see ``messageOverhead`` for its size.
  ///
  /// - Returns: whether it was taken. Not before the connection is up, nor when it is empty or longer than
  ///   ``maximumMessageLength``.
  @discardableResult
  package func sendApplicationData(_ message: [UInt8]) -> Bool {
    guard state.isConnected, !message.isEmpty, message.count <= Self.maximumMessageLength else { return false }
    ERR_clear_error()
    takeBuffers()
    defer {
      ERR_clear_error()
      releaseBuffers()
    }
    return SSL_write(ssl, message, Int32(message.count)) == Int32(message.count)
  }

  /// The most bytes that a record adds to a message: header, explicit nonce and tag of AES-GCM (RFC 6347 §4.1, RFC 5288 §3).
  package static let messageOverhead = 13 + 8 + 16

  /// Whether ``nextApplicationData()`` has something to give.
  package var hasApplicationData: Bool { !messages.isEmpty }

  /// When to call ``handleTimeout(now:)``; nil when nothing is awaited.
  package var deadline: MonotonicTime? {
    guard state == .handshaking, let handshakeDeadline else { return nil }
    return min(handshakeDeadline, pipe.timer.deadline ?? handshakeDeadline)
  }

  /// Repeats the last flight when that is due, and gives up when the handshake has taken too long.
  package func handleTimeout(now: MonotonicTime) {
    guard state == .handshaking, let handshakeDeadline else { return }
    if now >= handshakeDeadline {
      finish(.failed(.handshakeTimedOut))
    } else if let due = pipe.timer.deadline, now >= due {
      repeatFlight(now: now)
    }
  }

  /// Says goodbye (close_notify, once the connection is up) and stops.
  package func close() {
    guard !state.isTerminal else { return }
    sendCloseNotify()
    finish(.closed)
  }
}

// MARK: - Driving OpenSSL

extension DTLSTransport {
  private func startDeadline(now: MonotonicTime) {
    guard handshakeDeadline == nil else { return }
    handshakeDeadline = now + Self.handshakeTimeout
  }

  private func updateTimer(now: MonotonicTime) {
    guard state == .handshaking else { return }
    pipe.timer.update(of: ssl, now: now)
  }

  private func advanceHandshake() {
    switch attempt({ SSL_do_handshake(ssl) }) {
    case .done: completeHandshake()
    case .waiting: break
    case .closed: finish(.closed)
    case .failed(let error): finish(.failed(failure(from: error)))
    }
  }

  private func readMessages() {
    withUnsafeTemporaryAllocation(byteCount: Self.maximumMessageLength, alignment: 1) { buffer in
      while state.isConnected {
        switch attempt({ SSL_read(ssl, buffer.baseAddress, Int32(buffer.count)) }) {
        case .done(let count):
          let message = Array(buffer.prefix(Int(count)))
          if messages.count < Self.maximumQueuedMessages { messages.append(message) }
        case .waiting:
          return
        case .closed:
          sendCloseNotify()
          finish(.closed)
        case .failed(let error):
          finish(.failed(failure(from: error)))
        }
      }
    }
  }

  private func repeatFlight(now: MonotonicTime) {
    pipe.timer.expire()
    ERR_clear_error()
    let result = sl_dtls_handle_timeout(ssl)
    let error = OpenSSLError.take()
    if result < 0 {
      // Only OpenSSL's own limit on repetitions ends up here: our BIO never refuses a write.
      finish(.failed(error.map { .libraryFailure(reason: $0.reason) } ?? .handshakeTimedOut))
    } else {
      if result == 0 { pipe.timer.postpone(now: now) }
      updateTimer(now: now)
    }
  }

  private func completeHandshake() {
    // The verify callback has passed the certificate, or else the handshake would have failed; a handshake that never
    // asked it must not count.
    guard pipe.receivedFingerprint == pipe.expectedPeer else {
      finish(.failed(.protocolViolation(reason: "the handshake ended without the peer's certificate")))
      return
    }
    guard let selected = SSL_get_selected_srtp_profile(ssl),
      let profile = UInt16(exactly: selected.pointee.id).flatMap(DTLSSRTPProfile.init(rawValue:))
    else {
      sendCloseNotify()
      finish(.failed(.noCommonSRTPProfile))
      return
    }
    guard let parameters = exportParameters(for: profile) else {
      sendCloseNotify()
      finish(.failed(.libraryFailure(reason: "cannot export keying material")))
      return
    }
    if let name = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)), String(cString: name).contains("CHACHA20") {
      pipe.shortestProtectedBody = DTLSRecordRuns.shortestChaChaBody
    }
    state = .connected(parameters)
    pipe.timer.stop()
  }

  /// RFC 5764 §4.2: the exporter without a context.
  private func exportParameters(for profile: DTLSSRTPProfile) -> DTLSSRTPParameters? {
    let label = "EXTRACTOR-dtls_srtp"
    var material = [UInt8](repeating: 0, count: DTLSSRTPParameters.materialLength(for: profile))
    guard SSL_export_keying_material(ssl, &material, material.count, label, label.utf8.count, nil, 0, 0) == 1 else {
      return nil
    }
    return DTLSSRTPParameters(profile: profile, material: material)
  }

  private func sendCloseNotify() {
    guard SSL_is_init_finished(ssl) == 1 else { return }
    takeBuffers()
    SSL_shutdown(ssl)
    ERR_clear_error()
  }

  private func finish(_ final: DTLSState) {
    state = final
    pipe.timer.stop()
  }

  private func failure(from error: OpenSSLError?) -> DTLSFailure {
    if let received = pipe.receivedFingerprint, received != pipe.expectedPeer {
      return .fingerprintMismatch(expected: pipe.expectedPeer, received: received)
    }
    if let alert = error?.receivedAlert { return .alertReceived(code: alert) }
    return .protocolViolation(reason: error?.reason ?? "no reason given")
  }
}

// MARK: - Memory

extension DTLSTransport {
  /// Makes sure that OpenSSL has its record buffers, 16 kB each way.
  ///
  /// It makes them by itself for a handshake, but later writes into what it takes to be there.
  private func takeBuffers() {
    guard state.isConnected else { return }
    guard SSL_alloc_buffers(ssl) == 1 else { preconditionFailure("out of memory for a DTLS connection") }
  }

  /// Gives the record buffers back once the connection is up: hundreds of viewers say nothing over DTLS for hours.
  private func releaseBuffers() {
    // OpenSSL keeps them while something unread or unsent is left in them.
    if state.isConnected { SSL_free_buffers(ssl) }
  }
}

// MARK: - One call into OpenSSL

extension DTLSTransport {
  private enum Outcome {
    case done(Int32)
    case waiting
    case closed
    case failed(OpenSSLError?)
  }

  /// Calls `operation` with an empty error queue and leaves it empty.
  ///
  /// A record that OpenSSL dropped may have left an error on the queue although the connection lives, and `SSL_get_error`
  /// cannot tell. So an error counts only when a second call fails too: a dead connection stays dead.
  private func attempt(_ operation: () -> Int32) -> Outcome {
    defer { ERR_clear_error() }
    ERR_clear_error()
    let first = operation()
    guard first <= 0 else { return .done(first) }
    if let outcome = outcome(of: first) { return outcome }
    let error = OpenSSLError.take()
    let second = operation()
    guard second <= 0 else { return .done(second) }
    switch outcome(of: second) {
    case .waiting: return .waiting
    // OpenSSL reports an end after a fatal alert as well.
    case .closed where error?.receivedAlert == nil: return .closed
    default: return .failed(error ?? OpenSSLError.take())
    }
  }

  /// What a call that returned `result` (<= 0) means; nil for an error.
  private func outcome(of result: Int32) -> Outcome? {
    switch SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: .waiting
    case SSL_ERROR_ZERO_RETURN: .closed
    default: nil
    }
  }
}

extension DTLSState {
  /// Whether keys are there and messages may flow.
  package var isConnected: Bool {
    switch self {
    case .connected: true
    case .handshaking, .failed, .closed: false
    }
  }

  /// Whether nothing more will happen.
  package var isTerminal: Bool {
    switch self {
    case .failed, .closed: true
    case .handshaking, .connected: false
    }
  }
}
