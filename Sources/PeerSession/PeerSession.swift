import DTLS
import DataChannel
import ICE
import Primitives
import SRTP

/// One remote peer, in either role: ICE, DTLS, SRTP and data channels behind one stream of datagrams (RFC 7983).
///
/// Feed it what arrives with ``receive(_:on:now:)`` and call ``handleTimeout(now:)`` when ``deadline`` has come. After each
/// of these, and after any other call, take ``poll()`` until it is nil: it says what to send and what happened.
///
/// RTP and RTCP are decrypted in place and handed back at once, without a detour through the output queue: that is the
/// packet path, and nothing on it allocates. Not `Sendable`: one thread at a time.
package final class PeerSession {
  private var ice: ICEAgent
  private let dtls: DTLSTransport
  private var keys = KeyState.awaitingHandshake
  private(set) var channels: ChannelState
  private let configuration: PeerSessionConfiguration
  private var outputs: [PeerSessionOutput] = []
  private var nextOutput = 0
  private var lifecycle = Lifecycle.connecting
  /// Where a DTLS datagram came from last: where ours go until ICE has selected a path.
  private var lastDTLSPath: TransportPath?
  private var provisionalPath = ProvisionalPath.none
  package private(set) var counters = PeerSessionCounters()

  /// Outputs that wait for ``poll()``; further datagrams are dropped, which every protocol here repairs.
  package static let maximumPendingOutputs = 4_096

  private enum KeyState {
    case awaitingHandshake
    case ready(SRTPContext)
  }

  enum ChannelState {
    case none
    case awaitingHandshake(DataChannelConfiguration)
    case running(DataChannelTransport)
  }

  private enum Lifecycle {
    case connecting
    case connected
    case closed
  }

  package init(_ configuration: PeerSessionConfiguration, now: MonotonicTime) {
    self.configuration = configuration
    ice = ICEAgent(
      configuration: configuration.ice, localCredentials: configuration.localCredentials,
      random: configuration.random)
    dtls = DTLSTransport(
      identity: configuration.identity, role: configuration.dtlsRole,
      expectedPeer: configuration.expectedFingerprint, maximumDatagramSize: Self.maximumHandshakeDatagram)
    channels = configuration.dataChannels.map(ChannelState.awaitingHandshake) ?? .none
    for candidate in configuration.localCandidates { ice.addLocalCandidate(candidate) }
    if let remote = configuration.remoteCredentials {
      ice.setRemote(credentials: remote, isLite: configuration.isRemoteLite)
    }
    for candidate in configuration.remoteCandidates { ice.addRemoteCandidate(candidate) }
    drain(now: now)
  }

  /// Bytes of UDP payload that handshake datagrams stay within: safe on every path (RFC 8261 §5).
  private static let maximumHandshakeDatagram = 1_200

  /// The next thing to do, oldest first; nil when there is nothing.
  package func poll() -> PeerSessionOutput? {
    guard nextOutput < outputs.count else {
      if nextOutput > 0 {
        outputs.removeAll(keepingCapacity: true)
        nextOutput = 0
      }
      return nil
    }
    defer { nextOutput += 1 }
    return outputs[nextOutput]
  }

  /// Whether ``poll()`` has something.
  package var hasOutput: Bool { nextOutput < outputs.count }

  /// When to call ``handleTimeout(now:)``; nil when nothing is awaited.
  package var deadline: MonotonicTime? {
    guard lifecycle != .closed else { return nil }
    return [ice.deadline, dtls.deadline, channelDeadline, provisionalPath.deadline].compactMap { $0 }.min()
  }

  /// The path that everything is sent on: the one that ICE has selected, or ``ProvisionalPath`` before that; nil for none.
  package var selectedPath: TransportPath? { ice.selectedPath ?? provisionalPath.path }

  /// Where ICE stands.
  package var iceState: ICEState { ice.state }

  /// Username fragments under which a check for this session may come.
  package var acceptedUsernameFragments: [String] { ice.acceptedUsernameFragments }

  /// Our credentials of the current ICE generation.
  package var localCredentials: ICECredentials { ice.localCredentials }

  /// Protects what we send, once the handshake is done.
  package var outbound: SRTPOutbound? {
    switch keys {
    case .ready(let context): context.outbound
    case .awaitingHandshake: nil
    }
  }

  /// Unprotects what the peer sends, once the handshake is done; to be used no longer than the session lives.
  package var inbound: SRTPInbound? {
    switch keys {
    case .ready(let context): context.inbound
    case .awaitingHandshake: nil
    }
  }

  /// What became of the peer's protected packets so far.
  package var inboundStatistics: SRTPInboundStatistics? {
    switch keys {
    case .ready(let context): context.inbound.statistics
    case .awaitingHandshake: nil
    }
  }
}

// MARK: - Datagrams

extension PeerSession {
  /// Takes a datagram from the peer.
  ///
  /// Media is decrypted in place and returned; everything else is dealt with here.
  package func receive(
    _ datagram: UnsafeMutableRawBufferPointer, on path: TransportPath, now: MonotonicTime
  ) -> PeerSessionReceived {
    guard let first = datagram.first else { return .rejected(.unknownProtocol) }
    switch DatagramKind(firstByte: first) {
    case .media: return receiveMedia(datagram)
    case .stun: return receiveSTUN(UnsafeRawBufferPointer(datagram), on: path, now: now)
    case .dtls: return receiveDTLS(UnsafeRawBufferPointer(datagram), on: path, now: now)
    case .other:
      counters.unknownDatagrams &+= 1
      return .rejected(.unknownProtocol)
    }
  }

  /// Packet path: no allocation, no call through a protocol.
  @inline(__always)
  private func receiveMedia(_ datagram: UnsafeMutableRawBufferPointer) -> PeerSessionReceived {
    guard case .ready(let context) = keys, let base = datagram.baseAddress, datagram.count >= 2 else {
      counters.mediaBeforeKeys &+= 1
      return .rejected(.noKeys)
    }
    let isRTCP = DatagramKind.isRTCP(secondByte: datagram[1])
    let result =
      isRTCP
      ? context.unprotectRTCP(base, length: datagram.count) : context.unprotectRTP(base, length: datagram.count)
    switch result {
    case .accepted(let length): return isRTCP ? .rtcp(length: length) : .rtp(length: length)
    case .rejected(let reason): return .rejected(.srtp(reason))
    }
  }

  private func receiveSTUN(
    _ datagram: UnsafeRawBufferPointer, on path: TransportPath, now: MonotonicTime
  ) -> PeerSessionReceived {
    let rejected = counters.rejectedSTUN
    ice.receive(datagram, on: path, now: now)
    drain(now: now)
    return counters.rejectedSTUN == rejected && !Self.isIndication(datagram) ? .consumed : .rejected(.foreignSTUN)
  }

  /// Whether the class bits say indication (RFC 8489 §5): nothing protects those, so that they prove no sender.
  private static func isIndication(_ datagram: UnsafeRawBufferPointer) -> Bool {
    datagram.count >= 2 && datagram[0] & 0x01 == 0 && datagram[1] & 0x10 != 0
  }

  private func receiveDTLS(
    _ datagram: UnsafeRawBufferPointer, on path: TransportPath, now: MonotonicTime
  ) -> PeerSessionReceived {
    lastDTLSPath = path
    dtls.receive(datagram, now: now)
    drain(now: now)
    return .consumed
  }

  /// Tells ICE that authentic media arrives on a path, so that it need not ask (RFC 7675 for the sending side).
  ///
  /// Not for every packet: once in a while is enough.
  package func noteTraffic(on path: TransportPath, now: MonotonicTime) {
    ice.noteTraffic(on: path, now: now)
    drain(now: now)
  }

  /// Does what is due.
  package func handleTimeout(now: MonotonicTime) {
    if let due = ice.deadline, due <= now { ice.handleTimeout(now: now) }
    if let due = dtls.deadline, due <= now { dtls.handleTimeout(now: now) }
    if case .running(let transport) = channels, let due = transport.deadline, due <= now {
      transport.handleTimeout(now: now)
    }
    if let due = provisionalPath.deadline, due <= now { takeProvisionalPath() }
    drain(now: now)
  }

  /// Protects and sends RTCP; dropped before the keys are known.
  package func sendRTCP(_ packet: [UInt8]) {
    guard case .ready(let context) = keys, let path = selectedPath else { return }
    var bytes = packet
    bytes.append(contentsOf: repeatElement(0, count: Self.rtcpOverhead))
    let length = bytes.withUnsafeMutableBytes { buffer in
      buffer.baseAddress.map {
        context.outbound.protectRTCP($0, length: packet.count, capacity: buffer.count)
      } ?? 0
    }
    guard length > 0 else { return }
    bytes.removeLast(bytes.count - length)
    emit(.transmit(bytes, on: path))
  }

  /// Most bytes that SRTCP adds: index and tag (RFC 3711 §3.4, RFC 7714 §9).
  private static let rtcpOverhead = 24
}

// MARK: - ICE

extension PeerSession {
  /// Adds a candidate of the peer's that came after the offer (RFC 8838).
  package func addRemoteCandidate(_ candidate: ICECandidate, now: MonotonicTime) {
    ice.addRemoteCandidate(candidate)
    drain(now: now)
  }

  /// Gives the peer's credentials and candidates, when we were the one who offered.
  package func setRemote(credentials: ICECredentials, candidates: [ICECandidate], now: MonotonicTime) {
    ice.setRemote(credentials: credentials, isLite: configuration.isRemoteLite)
    for candidate in candidates { ice.addRemoteCandidate(candidate) }
    drain(now: now)
  }

  /// Starts a new generation beside the old one, which goes on working until the new one is proven (RFC 8445 §2.4).
  package func restart(
    local: ICECredentials, remote: ICECredentials?, candidates: [ICECandidate], now: MonotonicTime
  ) {
    ice.restart(localCredentials: local, now: now)
    if let remote { ice.setRemote(credentials: remote, isLite: configuration.isRemoteLite) }
    for candidate in candidates { ice.addRemoteCandidate(candidate) }
    drain(now: now)
  }

  /// Adds an address of ours, for example after the network changed.
  package func addLocalCandidate(_ candidate: ICECandidate, now: MonotonicTime) {
    ice.addLocalCandidate(candidate)
    drain(now: now)
  }
}

// MARK: - From layer to layer

extension PeerSession {
  private var channelDeadline: MonotonicTime? {
    switch channels {
    case .running(let transport): transport.deadline
    case .none, .awaitingHandshake: nil
    }
  }

  private func startChannels(now: MonotonicTime) {
    guard case .awaitingHandshake(let settings) = channels else { return }
    let transport = DataChannelTransport(
      stack: settings.stack, role: configuration.dtlsRole == .server ? .dtlsServer : .dtlsClient,
      localPort: settings.localPort, remotePort: settings.remotePort,
      maximumPacketSize: settings.maximumPacketSize, maximumMessageSize: DataChannelLimits.defaultMaximumMessageSize,
      peerMaximumMessageSize: settings.peerMaximumMessageSize)
    channels = .running(transport)
    transport.start(now: now)
  }

  /// Says goodbye and stops.
  ///
  /// The last datagrams wait in ``poll()``.
  package func close(now: MonotonicTime) {
    guard lifecycle != .closed else { return }
    if case .running(let transport) = channels { transport.close() }
    drain(now: now)
    dtls.close()
    transmitDTLS()
    finish(.local)
  }

  /// Moves what one layer produced to the next until nothing moves.
  func drain(now: MonotonicTime) {
    guard lifecycle != .closed else { return }
    drainICE(now: now)
    guard lifecycle != .closed else { return }
    drainDTLS(now: now)
    guard lifecycle != .closed else { return }
    drainChannels(now: now)
  }

  private func drainICE(now: MonotonicTime) {
    while let output = ice.poll() {
      switch output {
      case .transmit(let bytes, let path): emit(.transmit(bytes, on: path))
      case .selectedPathChanged(let path):
        if provisionalPath.path != path { emit(.event(.pathChanged(path))) }
        provisionalPath = .none
        // The client may speak as soon as there is a way to the server (RFC 8842 §5.5); a repeated start does nothing.
        dtls.start(now: now)
      case .stateChanged(let state):
        emit(.event(.iceStateChanged(state)))
        if state == .failed { finish(.pathLost) }
      case .candidateGathered(let candidate): emit(.event(.candidateGathered(candidate)))
      case .rejected: counters.rejectedSTUN &+= 1
      }
    }
  }

  private func drainDTLS(now: MonotonicTime) {
    if case .awaitingHandshake = keys, case .connected(let parameters) = dtls.state { install(parameters, now: now) }
    while let message = dtls.nextApplicationData() {
      guard case .running(let transport) = channels else { continue }
      message.withUnsafeBytes { transport.receive($0, now: now) }
      drainChannels(now: now)
    }
    transmitDTLS()
    switch dtls.state {
    case .handshaking, .connected: break
    case .failed(let failure): finish(.handshakeFailed(failure))
    case .closed: finish(.remote)
    }
  }

  private func drainChannels(now: MonotonicTime) {
    guard case .running(let transport) = channels else { return }
    while let output = transport.poll() {
      switch output {
      case .transmit(let packet): dtls.sendApplicationData(packet)
      case .channelOpened(let id, let parameters): emit(.event(.channelOpened(id, parameters)))
      case .message(let id, let message): emit(.event(.channelMessage(id, message)))
      case .channelWritable(let id): emit(.event(.channelWritable(id)))
      case .channelClosed(let id): emit(.event(.channelClosed(id)))
      case .stateChanged: break
      }
    }
    transmitDTLS()
  }

  private func transmitDTLS() {
    guard let path = ice.selectedPath ?? lastDTLSPath else { return }
    while let datagram = dtls.nextDatagram() { emit(.transmit(datagram, on: path)) }
  }

  private func install(_ parameters: DTLSSRTPParameters, now: MonotonicTime) {
    guard let profile = SRTPProfile(id: parameters.profileID) else {
      finish(.keysUnusable("unknown SRTP profile \(parameters.profileID)"))
      return
    }
    let client = SRTPKeys(masterKey: parameters.clientWriteKey, masterSalt: parameters.clientSalt)
    let server = SRTPKeys(masterKey: parameters.serverWriteKey, masterSalt: parameters.serverSalt)
    let (local, remote) = configuration.dtlsRole == .server ? (server, client) : (client, server)
    do {
      let context = try SRTPContext(engine: configuration.engine, profile: profile, local: local, remote: remote)
      keys = .ready(context)
      lifecycle = .connected
      emit(.event(.connected(context.outbound)))
      if ice.selectedPath == nil { provisionalPath = .due(now + ProvisionalPath.patience) }
      startChannels(now: now)
    } catch {
      finish(.keysUnusable(error.description))
    }
  }

  /// Media goes where the handshake went, until ICE says otherwise.
  private func takeProvisionalPath() {
    provisionalPath = .none
    guard ice.selectedPath == nil, let path = lastDTLSPath else { return }
    provisionalPath = .taken(path)
    emit(.event(.pathChanged(path)))
  }

  private func finish(_ reason: PeerCloseReason) {
    guard lifecycle != .closed else { return }
    lifecycle = .closed
    emit(.event(.closed(reason)))
  }

  private func emit(_ output: PeerSessionOutput) {
    if case .transmit = output, outputs.count - nextOutput >= Self.maximumPendingOutputs {
      counters.outputsDropped &+= 1
      return
    }
    outputs.append(output)
  }
}
