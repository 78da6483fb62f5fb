import Primitives

/// The data channels of one peer: SCTP packets, as DTLS carries them, in and out (RFC 8831, RFC 8832, RFC 8261).
///
/// Give it every decrypted application record and the time; fetch what it has to say with ``poll()`` until that is nil,
/// after every call. It belongs to one thread. Packets that arrive before ``start(now:)`` are dropped, so start it as
/// soon as DTLS is connected. Both peers start: the handshakes collide and SCTP sorts them out (RFC 9260 §5.2.1).
package final class DataChannelTransport {
  /// Our side of the DTLS handshake: the client's channels have even numbers, the server's odd ones (RFC 8832 §6).
  package enum Role: Hashable, Sendable {
    case dtlsServer
    case dtlsClient
  }

  /// Where the association stands.
  package enum State: Hashable, Sendable {
    case idle
    case connecting
    case connected
    case closed(CloseReason)
  }

  /// Why the association has ended.
  package enum CloseReason: Hashable, Sendable {
    /// ``DataChannelTransport/close()`` was called.
    case local
    /// The peer aborted it, or stopped acknowledging.
    case lost
    /// The peer shut it down in order.
    case peerShutDown
    /// The peer began a second association, which WebRTC has no use for.
    case peerRestarted
    /// The peer did not answer the handshake.
    case cannotConnect
    /// ``poll()`` was not called for so long that ``DataChannelLimits/maximumPendingOutputs`` was reached.
    case overflow
    /// The SCTP library refused to open an association, with this value of `errno`.
    case library(code: Int32)
  }

  /// Something to do or to know.
  package enum Output: Hashable, Sendable {
    /// Send this SCTP packet as one DTLS record.
    case transmit([UInt8])
    /// A channel is open: the peer's, or ours when the peer has acknowledged it.
    case channelOpened(DataChannelID, DataChannelParameters)
    case message(DataChannelID, DataChannelMessage)
    /// A channel that threw ``DataChannelError/bufferFull`` has room again.
    case channelWritable(DataChannelID)
    /// A channel that was opened, by us or the peer, is gone; its number may be used again.
    case channelClosed(DataChannelID)
    case stateChanged(State)
  }

  /// ``deadline`` while something is under way: SCTP's clock moves in steps of this length.
  package static let activeInterval = TimeInterval64.milliseconds(20)

  /// ``deadline`` while nothing is: heartbeats alone need the clock then.
  package static let idleInterval = TimeInterval64.milliseconds(500)

  /// How long after a packet or a message the short interval lasts: a delayed acknowledgement takes 200 ms at most.
  static let activityPeriod = TimeInterval64.milliseconds(300)

  enum Phase {
    case idle
    case connecting(SCTPAssociation)
    case connected(SCTPAssociation, streams: Int)
    /// The association is kept for the ABORT that its outbox may hold.
    case closed(CloseReason, last: SCTPAssociation?)
  }

  let role: Role
  /// The longest message in bytes that we accept.
  package let maximumMessageSize: Int
  /// The longest message in bytes that the peer accepts.
  package let peerMaximumMessageSize: Int
  /// Packets of the peer that ``SCTPPacketValidator`` has refused.
  package private(set) var rejectedPackets = 0

  private let stack: SCTPStack
  private let localPort: UInt16
  private let remotePort: UInt16
  private let maximumPacketSize: Int
  private let validator: SCTPPacketValidator
  private var lastDriven = MonotonicTime.zero
  private var activeUntil = MonotonicTime.zero
  private var outputs = OutputQueue()
  /// Messages sent since the peer last had acknowledged everything: no fewer than those that wait.
  var unacknowledgedMessages = 0
  /// Streams that owe their owner a ``Output/channelWritable(_:)``, with the bytes that waited when they were full.
  var fullStreams: [UInt16: Int] = [:]
  var phase = Phase.idle
  var channels = ChannelTable()

  /// - Parameters:
  ///   - maximumPacketSize: bytes of an SCTP packet: the path's MTU less IP, UDP, TURN and DTLS overhead. Clamped to
  ///     ``DataChannelLimits/packetSizes``.
  ///   - maximumMessageSize: bytes of a message that we accept, at most half the receive window.
  ///   - peerMaximumMessageSize: the peer's `a=max-message-size` (RFC 8841 §6); 0 says that it accepts any size.
  package init(
    stack: SCTPStack, role: Role, localPort: UInt16 = 5000, remotePort: UInt16 = 5000, maximumPacketSize: Int = 1150,
    maximumMessageSize: Int = DataChannelLimits.defaultMaximumMessageSize,
    peerMaximumMessageSize: Int = DataChannelLimits.defaultMaximumMessageSize
  ) {
    self.stack = stack
    self.role = role
    self.localPort = localPort
    self.remotePort = remotePort
    let sizes = DataChannelLimits.packetSizes
    self.maximumPacketSize = min(max(maximumPacketSize, sizes.lowerBound), sizes.upperBound)
    self.maximumMessageSize = min(max(maximumMessageSize, 1), DataChannelLimits.receiveWindow / 2)
    let peerLimit = peerMaximumMessageSize > 0 ? peerMaximumMessageSize : DataChannelLimits.defaultMaximumMessageSize
    self.peerMaximumMessageSize = min(peerLimit, DataChannelLimits.defaultMaximumMessageSize)
    validator = SCTPPacketValidator(localPort: localPort, remotePort: remotePort)
  }

  package var state: State {
    switch phase {
    case .idle: .idle
    case .connecting: .connecting
    case .connected: .connected
    case .closed(let reason, _): .closed(reason)
    }
  }

  /// Sends the first INIT.
  ///
  /// Only the first call has an effect.
  package func start(now: MonotonicTime) {
    guard case .idle = phase else { return }
    noteActivity(now)
    do throws(SCTPAssociation.LibraryError) {
      let association = try SCTPAssociation(
        stack: stack, localPort: localPort, remotePort: remotePort, maximumPacketSize: maximumPacketSize)
      phase = .connecting(association)
      emit(.stateChanged(.connecting))
    } catch {
      finish(.library(code: error.code))
    }
  }

  /// Takes one SCTP packet of the peer.
  ///
  /// A packet that ``SCTPPacketValidator`` refuses is counted and dropped.
  package func receive(_ packet: UnsafeRawBufferPointer, now: MonotonicTime) {
    guard let association else { return }
    do throws(SCTPPacketValidator.Rejection) {
      try validator.validate(packet)
    } catch {
      rejectedPackets += 1
      return
    }
    noteActivity(now)
    association.receive(packet)
    processEvents()
  }

  /// The next thing to do or to know; nil when there is none.
  package func poll() -> Output? {
    if let output = outputs.next() { return output }
    return lastAssociation?.mailbox.nextPacket().map { .transmit($0) }
  }

  /// When ``handleTimeout(now:)`` wants to be called, whatever other threads do; nil when there is no association.
  package var deadline: MonotonicTime? {
    guard association != nil else { return nil }
    return lastDriven + (lastDriven < activeUntil ? Self.activeInterval : Self.idleInterval)
  }

  /// Drives SCTP's timers, and takes in what they have done when another thread drove them.
  package func handleTimeout(now: MonotonicTime) {
    guard association != nil else { return }
    drive(now)
    processEvents()
    guard let association, lastDriven >= activeUntil else { return }
    if association.hasUnacknowledgedData || channels.hasWork || state == .connecting { noteActivity(now) }
  }

  /// Aborts the association: what was not acknowledged may be lost, as when a peer connection closes (RFC 8831 §6.2).
  package func close() {
    finish(.local)
  }
}

// MARK: - For the extensions

extension DataChannelTransport {
  /// The association while it lives.
  var association: SCTPAssociation? {
    switch phase {
    case .idle, .closed: nil
    case .connecting(let association), .connected(let association, _): association
    }
  }

  private var lastAssociation: SCTPAssociation? {
    if case .closed(_, let last) = phase { last } else { association }
  }

  /// Messages and openings that may still be handed out, for the tests of the limits.
  var pendingOutputCount: Int { outputs.count }

  func emit(_ output: Output) {
    outputs.append(output)
  }

  var isOverflowing: Bool { outputs.isOverflowing }

  func noteActivity(_ now: MonotonicTime) {
    drive(now)
    activeUntil = max(activeUntil, now + Self.activityPeriod)
  }

  /// Ends everything, once.
  func finish(_ reason: CloseReason) {
    if case .closed = phase { return }
    let last = association
    last?.close()
    phase = .closed(reason, last: last)
    fullStreams = [:]
    for id in channels.removeAll() { emit(.channelClosed(id)) }
    emit(.stateChanged(.closed(reason)))
  }

  private func drive(_ now: MonotonicTime) {
    lastDriven = max(lastDriven, now)
    stack.advance(to: now)
  }
}

/// Outputs in order, with what they hold in bytes.
private struct OutputQueue {
  private var outputs: [DataChannelTransport.Output] = []
  private var fetched = 0
  private var bytes = 0

  var count: Int { outputs.count - fetched }

  var isOverflowing: Bool {
    count > DataChannelLimits.maximumPendingOutputs || bytes > DataChannelLimits.maximumPendingOutputBytes
  }

  mutating func append(_ output: DataChannelTransport.Output) {
    bytes += Self.byteCount(output)
    outputs.append(output)
  }

  mutating func next() -> DataChannelTransport.Output? {
    guard fetched < outputs.count else { return nil }
    let output = outputs[fetched]
    outputs[fetched] = .transmit([])
    fetched += 1
    bytes -= Self.byteCount(output)
    if fetched == outputs.count {
      outputs.removeAll(keepingCapacity: outputs.count <= 64)
      fetched = 0
    }
    return output
  }

  private static func byteCount(_ output: DataChannelTransport.Output) -> Int {
    switch output {
    case .message(_, let message): message.byteCount
    case .transmit, .channelOpened, .channelWritable, .channelClosed, .stateChanged: 0
    }
  }
}
