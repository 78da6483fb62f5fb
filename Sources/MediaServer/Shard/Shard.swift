import CSystemCalls
import Glibc
import ICE
import PeerSession
import Primitives
import Sockets
import Relay
import SRTP
import STUN

/// One media thread: its sockets, its relay and every peer of the incidents that were assigned to it (DESIGN decision 3).
///
/// Nothing in it is shared: other threads reach it through its ``CommandQueue``, and media threads that serve viewers of the
/// same incident hand packets over through a ``HandoverRing``. A turn is: receive what is there,
/// let the relay fan it out, send, run commands, do what time demands. On the packet path a turn allocates nothing,
/// takes no lock and touches no reference count per viewer. What it touches is not checked for overlapping access at run
/// time: one thread runs everything here, and nothing on the packet path calls back.
final class Shard {
  let index: Int
  let configuration: ShardConfiguration
  let queue: CommandQueue<Shard>
  let poller: Poller
  let sockets: [UDPSocket]
  let listeners: [TCPListener]
  let relay: Relay
  let engine: SRTPEngine
  /// What the relay copies recorded packets into; nil when nothing is recorded.
  private let recordingRing: HandoverRing?
  /// What peers are told to connect to.
  let localCandidates: [ICECandidate]

  @exclusivity(unchecked) var receiveBatch = ReceiveBatch()
  @exclusivity(unchecked) var sendBatch = SendBatch()
  @exclusivity(unchecked) var egress = EgressBuffer()
  let routes: RouteTable

  /// Peers by handle.
  @exclusivity(unchecked) var peers: [Peer?] = []
  var peersByID: [PeerID: PeerHandle] = [:]
  var peersByFragment: [String: PeerHandle] = [:]
  var peersByPath: [TransportPath: PeerHandle] = [:]
  /// When each peer wants ``PeerSession/handleTimeout(now:)``, by handle, in nanoseconds; `.max` for never.
  @exclusivity(unchecked) var deadlines: [UInt64] = []
  var rooms: [IncidentID: Room] = [:]
  var nextSource: UInt32 = 1
  /// Rings to other media threads, by thread.
  var outgoing: [Int: HandoverRing] = [:]
  @exclusivity(unchecked) var incoming: [IncomingRing] = []
  /// The sources that other media threads receive.
  @exclusivity(unchecked) var mirrored: [MirrorName: SourceHandle] = [:]
  var connections: [Int32: TCPConnection] = [:]
  /// Connections in order of arrival until they have proven themselves or their time is over.
  var newcomers: [TCPConnection] = []
  /// DTLS datagrams that wait for their turn, so that handshakes never hold up packets for long.
  @exclusivity(unchecked) var handshakes = HandshakeQueue()

  /// Hears of everything on data channels.
  var channelHandler: (@Sendable (ChannelEvent) -> Void)?

  @exclusivity(unchecked) var now: MonotonicTime
  private var lastTick = MonotonicTime.zero
  /// When peers that never finished connecting are looked for again.
  var nextExpiry = MonotonicTime.zero
  var isStopping = false
  @exclusivity(unchecked) var counters = ShardCounters()
  private var load: ThreadLoad
  private var nextExchange = MonotonicTime.zero

  /// A packet waits for nothing else that the node does.
  private static let niceness: Int32 = -10
  /// Whether the kernel runs this thread in real time.
  private(set) var isRealtime = false
  /// Most peers of one shard.
  static let maximumPeers = 8_192
  /// Receive calls on one socket before the other sockets get their turn.
  private static let maximumReceiveRounds = 4

  init(
    index: Int, configuration: ShardConfiguration, queue: CommandQueue<Shard>, sockets: [UDPSocket],
    listeners: [TCPListener],
    localCandidates: [ICECandidate]
  ) throws {
    self.index = index
    self.configuration = configuration
    self.queue = queue
    self.sockets = sockets
    self.listeners = listeners
    self.localCandidates = localCandidates
    poller = try Poller()
    engine = try configuration.srtpBackend.map { try SRTPEngine($0) } ?? SRTPEngine.fastest()
    relay = Relay(random: .system)
    relay.egressBitsPerSecond = configuration.egressBitsPerSecond
    recordingRing = configuration.recording.map { _ in HandoverRing() }
    routes = RouteTable(capacity: Self.maximumPeers)
    now = MonotonicTime(nanoseconds: sl_monotonic_nanoseconds())
    load = ThreadLoad(now: now)
    if let recordingRing {
      relay.recorder = recordingRing.writer
      configuration.recording?.attach(recordingRing, shard: index) { [queue] source, stream in
        _ = queue.submit { $0.relay.requestKeyframe(ofRecorded: source, stream: stream, now: $0.now) }
      }
    }
    try poller.add(queue.descriptor, token: Token.commandBits)
    for (place, socket) in sockets.enumerated() {
      try poller.add(socket.descriptor, token: Token.socket(place))
    }
    for (place, listener) in listeners.enumerated() {
      try poller.add(listener.descriptor, token: Token.listener(place))
    }
  }

  /// The thread's body; returns when the shard was told to stop.
  func run() {
    sl_name_thread("media-\(index)")
    isRealtime = configuration.isRealtime && sl_realtime_thread() == 0
    // Where neither is allowed, media takes turns with whatever else the node does.
    if !isRealtime { _ = sl_nice_thread(Self.niceness) }
    if let core = configuration.core { _ = sl_pin_thread(Int32(core)) }
    while !isStopping { turn() }
    for command in queue.close() { command(self) }
    for peer in peers.compactMap({ $0 }) { close(peer, reason: "the server is stopping") }
    for room in rooms.values {
      for listener in room.listeners.values { listener.finish() }
    }
    sendBatch.flush()
    for connection in connections.values { connection.close() }
  }

  /// The wall clock, as sender reports carry it.
  var wall: NTPTimestamp { NTPTimestamp(unixNanoseconds: sl_realtime_nanoseconds()) }

  private func turn() {
    let ready = poller.wait(waitLimit)
    now = MonotonicTime(nanoseconds: sl_monotonic_nanoseconds())
    counters.turns &+= 1
    for place in 0..<ready { serve(poller.token(of: place)) }
    wakeAnnexes()
    flushRelay()
    receiveMirrored()
    flushBeforeOtherWork()
    processHandshakes()
    if isTickDue { tick() }
    wakeAnnexes()
    sendBatch.flush()
  }

  /// Pictures that wait for the rest of them do not wait for handshakes and ticks as well.
  private func flushBeforeOtherWork() {
    guard relay.gatheringDeadline != nil, !handshakes.isEmpty || isTickDue else { return }
    relay.stopGathering()
    flushRelay()
  }

  /// Whoever is awake anyway does a little early what would wake it again soon: to wake up costs as much as to send a
  /// dozen packets.
  private var isTickDue: Bool { (now - lastTick).nanoseconds >= relay.tickInterval.nanoseconds * 3 / 4 }

  private var waitLimit: TimeInterval64 {
    guard handshakes.isEmpty, !hasMirrored else { return .zero }
    guard !peersByID.isEmpty else { return Self.idleWait }
    let untilTick = lastTick + relay.tickInterval - now
    guard let deadline = relay.gatheringDeadline else { return max(.zero, untilTick) }
    return max(.zero, min(untilTick, deadline - MonotonicTime(nanoseconds: sl_monotonic_nanoseconds())))
  }

  /// A shard without peers sleeps; a command or a datagram wakes it.
  private static let idleWait = TimeInterval64.milliseconds(500)

  private func serve(_ token: UInt64) {
    switch Token(token) {
    case .commands: for command in queue.take() { command(self) }
    case .socket(let place): receive(on: sockets[place])
    case .listener(let place): accept(on: listeners[place])
    case .connection(let descriptor): serveConnection(descriptor)
    }
  }

  private func receive(on socket: UDPSocket) {
    for _ in 0..<Self.maximumReceiveRounds {
      let count = receiveBatch.receive(from: socket.descriptor)
      for place in 0..<count { receiveMessage(place, on: socket) }
      if count > 0 {
        // First, so that all threads send at the same time.
        wakeAnnexes()
        flushRelay()
      }
      guard count == ReceiveBatch.capacity else { return }
    }
  }

  /// One message of the kernel's: a datagram, or a run of datagrams from one sender (UDP_GRO).
  @inline(__always)
  private func receiveMessage(_ place: Int, on socket: UDPSocket) {
    guard let sender = receiveBatch.sender(of: place) else { return }
    let bytes = receiveBatch.bytes(of: place)
    let size = receiveBatch.segmentSize(of: place)
    let path = TransportPath(transport: .udp, local: socket.address, remote: sender)
    let known = peersByPath[path]
    var offset = 0
    while offset < bytes.count {
      let end = min(offset + size, bytes.count)
      receive(UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<end]), on: path, from: known)
      offset = end
    }
  }

  /// What may be sent: by what the thread has time for, and by this shard's part of what the node may.
  private func updateBudgets() {
    guard now >= nextExchange else { return }
    nextExchange = now + Self.exchangeInterval
    counters.processorTime = sl_thread_cpu_nanoseconds()
    load.update(processorTime: counters.processorTime, bytesSent: counters.bytesSent, now: now)
    relay.processingBitsPerSecond = load.bitsPerSecond
    if let egress = configuration.egress {
      relay.egressBitsPerSecond = egress.exchange(relay.tierDemands, shard: index)
    }
  }

  private static let exchangeInterval = TimeInterval64.milliseconds(100)

  private func tick() {
    lastTick = now
    updateBudgets()
    relay.tick(now: now, wall: wall)
    for place in deadlines.indices where deadlines[place] <= now.nanoseconds {
      guard let peer = peers[place] else { continue }
      peer.session.handleTimeout(now: now)
      drain(peer)
    }
    configuration.sctp.advance(to: now)
    deliverRelayOutputs()
    flushRelay()
    expirePeers()
    dropAnonymousConnections()
  }
}

/// What a ready descriptor is, packed into epoll's 64 bits.
enum Token {
  case commands
  case socket(Int)
  case listener(Int)
  case connection(Int32)

  static let commandBits: UInt64 = 0
  static func socket(_ place: Int) -> UInt64 { 1 << 32 | UInt64(place) }
  static func listener(_ place: Int) -> UInt64 { 2 << 32 | UInt64(place) }
  static func connection(_ descriptor: Int32) -> UInt64 { 3 << 32 | UInt64(UInt32(bitPattern: descriptor)) }

  init(_ bits: UInt64) {
    let low = UInt32(truncatingIfNeeded: bits)
    switch bits >> 32 {
    case 1: self = .socket(Int(low))
    case 2: self = .listener(Int(low))
    case 3: self = .connection(Int32(bitPattern: low))
    default: self = .commands
    }
  }
}
