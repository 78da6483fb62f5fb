import CSystemCalls
import DTLS
import DataChannel
import Glibc
import ICE
import PeerSession
import Primitives
import RTP
import SDP
import SRTP
import Sockets

/// One client session on a socket of its own: it offered, got an answer, and now plays a clip or counts what comes.
package final class ClientPeer {
  let socket: UDPSocket
  private let session: PeerSession
  private var player: ClipPlayer?
  private let receiver: (any ClientReceiver)?
  private var outbound: SRTPOutbound?
  private let onEvent: @Sendable (ClientEvent) -> Void

  /// What happens to a session, for whoever started it.
  package enum ClientEvent: Sendable {
    case connected
    case closed(reason: String)
  }

  /// Builds the session of an accepted offer. To be called on the loop's thread.
  package init(
    _ offer: ClientOffer, answer: SessionDescription, clip: Clip?, receiver: (any ClientReceiver)?, loop: ClientLoop,
    onEvent: @escaping @Sendable (ClientEvent) -> Void
  ) throws {
    let negotiated = try NegotiatedSession(offer: offer.description, answer: answer)
    var random = RandomSource.system
    socket = offer.socket
    self.receiver = receiver
    self.onEvent = onEvent
    session = PeerSession(try offer.configuration(negotiated, loop: loop), now: loop.now)
    if let clip {
      guard let player = ClipPlayer(clip, session: negotiated, random: &random) else {
        throw ClipError("The server accepts neither \(clip.codec.rawValue) nor Opus.")
      }
      self.player = player
    }
  }

  deinit {
    player?.deallocate()
  }

  func start(now: MonotonicTime) {
    drain(now: now)
  }

  func receive(_ datagram: UnsafeMutableRawBufferPointer, from sender: TransportAddress, now: MonotonicTime) {
    let path = TransportPath(transport: .udp, local: socket.address, remote: sender)
    switch session.receive(datagram, on: path, now: now) {
    case .rtp(let length):
      receiver?.receiveRTP(UnsafeRawBufferPointer(start: datagram.baseAddress, count: length), now: now)
    case .rtcp(let length):
      receiveRTCP(UnsafeRawBufferPointer(start: datagram.baseAddress, count: length), now: now)
    case .consumed: drain(now: now)
    case .rejected: receiver?.countRejected()
    }
  }

  private func receiveRTCP(_ datagram: UnsafeRawBufferPointer, now: MonotonicTime) {
    guard let packets = try? RTCPCompound.parse(datagram) else { return }
    receiver?.receiveRTCP(packets, now: now)
    guard let outbound else { return }
    player?.handle(packets, outbound: outbound) { send($0) }
  }

  func tick(now: MonotonicTime, wall: NTPTimestamp) {
    if let due = session.deadline, due <= now { session.handleTimeout(now: now) }
    if let outbound, session.selectedPath != nil {
      player?.play(now: now, outbound: outbound) { send($0) }
      if let report = player?.dueReport(now: now, wall: wall) { session.sendRTCP(report) }
      if let report = receiver?.dueReport(now: now) { session.sendRTCP(report) }
    }
    drain(now: now)
  }

  func close(now: MonotonicTime) {
    session.close(now: now)
    drain(now: now)
  }

  private func drain(now: MonotonicTime) {
    while let output = session.poll() {
      switch output {
      case .transmit(let bytes, let path): bytes.withUnsafeBytes { send($0, to: path.remote) }
      case .event(.connected(let keys)):
        outbound = keys
        onEvent(.connected)
      case .event(.closed(let reason)):
        outbound = nil
        onEvent(.closed(reason: reason.description))
      case .event: break
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

/// Looks at what a client receives. Called on the loop's thread; not for the packet path of a server.
package protocol ClientReceiver: AnyObject {
  /// One decrypted RTP packet.
  func receiveRTP(_ packet: UnsafeRawBufferPointer, now: MonotonicTime)
  func receiveRTCP(_ packets: [RTCPPacket], now: MonotonicTime)
  /// A packet that failed authentication.
  func countRejected()
  /// RTCP to send now, if any is due.
  func dueReport(now: MonotonicTime) -> [UInt8]?
}
