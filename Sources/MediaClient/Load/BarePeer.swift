import CSystemCalls
import Glibc
import Primitives
import RTP
import SDP
import SRTP
import Sockets

/// A session of the bare loop: plain RTP from callers, SRTP to viewers, and no feedback.
final class BarePeer: ClientLoopPeer, ClipPlayback {
  let socket: UDPSocket
  private let server: TransportAddress
  private let hello: [UInt8]
  private let context: SRTPContext
  private var player: ClipPlayer?
  private let receiver: LoadReceiver?
  private let onEvent: @Sendable (ClientPeer.ClientEvent) -> Void
  private var phase = Phase.announcing
  private(set) var isClosed = false
  private(set) var wakeAt = MonotonicTime.zero

  private enum Phase {
    case announcing
    case established
  }

  /// How long an answer is waited for before the hello is said again.
  private static let patience = TimeInterval64.milliseconds(100)
  private static let longestSleep = TimeInterval64.seconds(3_600)

  init(
    _ endpoint: ClientEndpoint, session: NegotiatedSession, hello: BareHello, clip: Clip?, receiver: LoadReceiver?,
    loop: ClientLoop, onEvent: @escaping @Sendable (ClientPeer.ClientEvent) -> Void
  ) throws {
    socket = endpoint.socket
    server = hello.server
    self.hello = try hello.datagram()
    self.receiver = receiver
    self.onEvent = onEvent
    context = try SRTPContext(engine: loop.engine, profile: BareHello.profile, local: hello.keys, remote: hello.keys)
    if let clip {
      var random = RandomSource.system
      player = ClipPlayer(clip, session: session, stampClock: DelayStamp.clock, random: &random)
    }
  }

  deinit {
    player?.deallocate()
  }

  var playerCounters: ClipPlayerCounters { player?.counters ?? ClipPlayerCounters() }

  func stopPlaying() {
    player?.stop()
  }

  func start(now: MonotonicTime) {
    tick(now: now, wall: NTPTimestamp(unixNanoseconds: 0))
  }

  func receive(
    _ datagram: UnsafeMutableRawBufferPointer, from sender: TransportAddress, arrival: MonotonicTime, now: MonotonicTime
  ) {
    guard let base = datagram.baseAddress, sender == server else { return }
    switch phase {
    case .announcing:
      guard datagram.first == hello.first else { return }
      phase = .established
      wakeAt = player == nil ? now + Self.longestSleep : now
      onEvent(.connected)
    case .established:
      guard let receiver, RTPPacketFamily(of: UnsafeRawBufferPointer(datagram)) == .rtp,
        !receiver.isSatisfied(byProtected: UnsafeRawBufferPointer(datagram), now: arrival)
      else { return }
      switch context.unprotectRTP(base, length: datagram.count) {
      case .accepted(let length):
        receiver.receiveRTP(
          UnsafeRawBufferPointer(start: base, count: length), wireLength: datagram.count, now: arrival)
      case .rejected: receiver.countRejected()
      }
    }
  }

  func finishReceiving(now: MonotonicTime) {}

  func tick(now: MonotonicTime, wall: NTPTimestamp) {
    switch phase {
    case .announcing:
      hello.withUnsafeBytes { send($0) }
      wakeAt = now + Self.patience
    case .established:
      player?.play(now: now, outbound: nil) { send($0) }
      // Sender reports are the only other thing that a player is woken for, and nobody here reads them.
      _ = player?.dueReport(now: now, wall: wall)
      wakeAt = player?.deadline ?? now + Self.longestSleep
    }
  }

  func close(now: MonotonicTime) {
    isClosed = true
  }

  private func send(_ datagram: UnsafeRawBufferPointer) {
    var address = server.system
    _ = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(socket.descriptor, datagram.baseAddress, datagram.count, Int32(MSG_DONTWAIT), $0, server.systemLength)
      }
    }
  }
}
