import CSystemCalls
import Glibc
import ICE
import PeerSession
import Primitives
import RTP
import SDP
import SRTP
import Sockets

/// One client session on a socket of its own: it offered, got an answer, and now plays a clip or counts what comes.
package final class ClientPeer: ClientLoopPeer, ClipPlayback {
  package let socket: UDPSocket
  let session: PeerSession
  private var player: ClipPlayer?
  private let receiver: (any ClientReceiver)?
  private var outbound: SRTPOutbound?
  private let onEvent: @Sendable (ClientEvent) -> Void
  /// Hears of the session's data channels, on the loop's thread.
  package var onChannelEvent: (ChannelEvent) -> Void = { _ in }
  private var sessionDeadline = MonotonicTime.zero
  /// Whether the session has ended; the loop lets go of it then.
  package private(set) var isClosed = false
  /// When ``tick(now:wall:)`` has something to do.
  package private(set) var wakeAt = MonotonicTime.zero

  /// Longest sleep: there is always a consent check or a report before.
  private static let maximumSleep = TimeInterval64.seconds(3_600)

  /// What happens to a session, for whoever started it.
  package enum ClientEvent: Sendable {
    case connected
    case closed(reason: String)
  }

  /// Builds the session of an accepted offer, on the loop's thread.
  package convenience init(
    _ offer: ClientOffer, answer: SessionDescription, clip: Clip?, receiver: (any ClientReceiver)?, loop: ClientLoop,
    onEvent: @escaping @Sendable (ClientEvent) -> Void
  ) throws {
    try self.init(
      offer.endpoint, session: NegotiatedSession(offer: offer.description, answer: answer), clip: clip,
      receiver: receiver, loop: loop, onEvent: onEvent)
  }

  /// Builds a negotiated session, on the loop's thread.
  ///
  /// - Parameter stampsPackets: writes the send time into payloads, see ``DelayStamp``; decoders will not like them.
  package init(
    _ endpoint: ClientEndpoint, session negotiated: NegotiatedSession, role: ICERole = .controlling, clip: Clip?,
    stampsPackets: Bool = false, receiver: (any ClientReceiver)?, loop: ClientLoop,
    onEvent: @escaping @Sendable (ClientEvent) -> Void
  ) throws {
    socket = endpoint.socket
    self.receiver = receiver
    self.onEvent = onEvent
    session = PeerSession(
      try endpoint.configuration(negotiated, role: role, engine: loop.engine, sctp: loop.sctp), now: loop.now)
    if let clip {
      var random = RandomSource.system
      let stampClock = stampsPackets ? DelayStamp.clock : nil
      guard let player = ClipPlayer(clip, session: negotiated, stampClock: stampClock, random: &random) else {
        throw ClientError("The server accepts neither \(clip.codec.rawValue) nor Opus.")
      }
      self.player = player
    }
  }

  deinit {
    player?.deallocate()
  }

  /// What the player has done; zeros without one.
  package var playerCounters: ClipPlayerCounters { player?.counters ?? ClipPlayerCounters() }

  /// Sends nothing new from now on; what was sent can still be asked for again.
  package func stopPlaying() {
    player?.stop()
  }

  package func start(now: MonotonicTime) {
    drain(now: now)
    reschedule(now: now)
  }

  package func receive(
    _ datagram: UnsafeMutableRawBufferPointer, from sender: TransportAddress, arrival: MonotonicTime, now: MonotonicTime
  ) {
    if let receiver, outbound != nil, RTPPacketFamily(of: UnsafeRawBufferPointer(datagram)) == .rtp,
      receiver.isSatisfied(byProtected: UnsafeRawBufferPointer(datagram), now: arrival)
    {
      return
    }
    let path = TransportPath(transport: .udp, local: socket.address, remote: sender)
    switch session.receive(datagram, on: path, now: now) {
    case .rtp(let length):
      receiver?.receiveRTP(
        UnsafeRawBufferPointer(start: datagram.baseAddress, count: length), wireLength: datagram.count, now: arrival)
    case .rtcp(let length):
      receiveRTCP(UnsafeRawBufferPointer(start: datagram.baseAddress, count: length), now: now)
    case .consumed:
      drain(now: now)
      sessionDeadline = .zero
    case .rejected(.noKeys), .rejected(.srtp): receiver?.countRejected()
    // A late answer to a check that was repeated, on a busy machine: no media is lost by it.
    case .rejected(.foreignSTUN), .rejected(.unknownProtocol): break
    }
  }

  /// To be called after a run of datagrams, so that ``wakeAt`` is right.
  package func finishReceiving(now: MonotonicTime) {
    if sessionDeadline == .zero {
      reschedule(now: now)
    } else if let receiver {
      wakeAt = min(wakeAt, receiver.deadline)
    }
  }

  private func receiveRTCP(_ datagram: UnsafeRawBufferPointer, now: MonotonicTime) {
    guard let packets = try? RTCPCompound.parse(datagram) else { return }
    receiver?.receiveRTCP(packets, now: now)
    guard let outbound else { return }
    player?.handle(packets, outbound: outbound) { send($0) }
  }

  package func tick(now: MonotonicTime, wall: NTPTimestamp) {
    if let due = session.deadline, due <= now { session.handleTimeout(now: now) }
    if let outbound, session.selectedPath != nil {
      player?.play(now: now, outbound: outbound) { send($0) }
      if let report = player?.dueReport(now: now, wall: wall) { session.sendRTCP(report) }
      if let report = receiver?.dueReport(now: now) { session.sendRTCP(report) }
    }
    drain(now: now)
    reschedule(now: now)
  }

  func reschedule(now: MonotonicTime) {
    sessionDeadline = session.deadline ?? now + Self.maximumSleep
    wakeAt = sessionDeadline
    guard outbound != nil, session.selectedPath != nil else { return }
    if let player { wakeAt = min(wakeAt, player.deadline) }
    if let receiver { wakeAt = min(wakeAt, receiver.deadline) }
  }

  package func close(now: MonotonicTime) {
    session.close(now: now)
    drain(now: now)
  }

  func drain(now: MonotonicTime) {
    while let output = session.poll() {
      switch output {
      case .transmit(let bytes, let path): bytes.withUnsafeBytes { send($0, to: path.remote) }
      case .event(.connected(let keys)):
        outbound = keys
        onEvent(.connected)
      case .event(.closed(let reason)):
        outbound = nil
        isClosed = true
        onEvent(.closed(reason: reason.description))
      case .event(let event):
        if let event = ChannelEvent(event) { onChannelEvent(event) }
      }
    }
  }

  private func send(_ datagram: UnsafeRawBufferPointer) {
    guard let path = session.selectedPath else { return }
    send(datagram, to: path.remote)
  }

  private func send(_ datagram: UnsafeRawBufferPointer, to remote: TransportAddress) {
    var address = remote.system
    _ = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(socket.descriptor, datagram.baseAddress, datagram.count, Int32(MSG_DONTWAIT), $0, remote.systemLength)
      }
    }
  }
}
