import PeerSession
import Primitives
import RTP
import Relay
import SRTP
import SimulationSupport

/// One media node without sockets: a relay, the sessions of callers and viewers, and their links.
final class SimulatedNode {
  let simulator: Simulator
  let relay: Relay
  private(set) var callers: [SimulcastCaller] = []
  private(set) var viewers: [LinkedViewer] = []
  /// What left for viewers, and when: bytes of datagrams.
  private(set) var sent: [(time: MonotonicTime, bytes: Int)] = []
  /// Views of which the relay said that they changed.
  private(set) var changes: [(time: MonotonicTime, slot: SlotHandle)] = []
  /// A running hash of everything that viewers received and when.
  private(set) var trace: UInt64 = 0xcbf2_9ce4_8422_2325
  private var pairs: [SessionPair] = []
  /// The ways to those who have just connected.
  private var narrowing: [(TransportAddress, SimulatedNetwork.Quality)] = []
  private var serverEnds: [PeerHandle: Endpoint] = [:]
  private var egress = EgressBuffer()
  private let engine: SRTPEngine
  private let seed: UInt64

  static let sampleInterval = TimeInterval64.milliseconds(500)

  init(seed: UInt64) throws {
    self.seed = seed
    engine = try SRTPEngine(.openSSL)
    simulator = Simulator(seed: seed)
    relay = Relay(random: .seeded(seed))
    simulator.every(Relay.tickInterval) { [unowned self] in tick() }
    simulator.every(Self.sampleInterval) { [unowned self] in sample() }
    simulator.afterStep = { [unowned self] in
      narrow()
      flush()
    }
  }

  /// Adds a caller, who begins to connect now.
  func addCaller(link: SimulatedNetwork.Quality = .init()) throws -> SimulcastCaller {
    let (peer, pair) = try addPeer(link: link)
    guard
      let video = relay.addSource(
        SourceParameters(
          peer: peer, kind: .video, mid: "0", formats: SimulcastCaller.formats, extensions: SimulcastCaller.extensions,
          announced: [], acceptsNACK: true)),
      let sound = relay.addSource(
        SourceParameters(
          peer: peer, kind: .audio, mid: "1", formats: SimulcastCaller.soundFormats,
          extensions: SimulcastCaller.extensions, announced: [], acceptsNACK: false))
    else { preconditionFailure("the relay has no place for a source") }
    let caller = SimulcastCaller(
      pair.client, video: video, sound: sound, seed: seed &* 31 &+ UInt64(callers.count), on: simulator)
    callers.append(caller)
    return caller
  }

  /// Adds a viewer of `caller`, who begins to connect now.
  @discardableResult
  func addViewer(
    of caller: SimulcastCaller, tier: Tier? = nil, link: SimulatedNetwork.Quality = .init()
  ) throws -> LinkedViewer {
    let (peer, pair) = try addPeer(link: link)
    if let tier { relay.setTier(tier, of: peer) }
    let base = UInt32(0x7000 + 4 * viewers.count)
    let (ssrc, retransmissionSSRC, soundSSRC) = (SSRC(base), SSRC(base + 1), SSRC(base + 2))
    guard
      let slot = relay.addSlot(
        SlotParameters(
          peer: peer, kind: .video, ssrc: ssrc, retransmissionSSRC: retransmissionSSRC,
          formats: SimulcastCaller.formats, transportExtension: LinkedViewer.transportExtension,
          canonicalName: "server")),
      let soundSlot = relay.addSlot(
        SlotParameters(
          peer: peer, kind: .audio, ssrc: soundSSRC, retransmissionSSRC: SSRC(0),
          formats: SimulcastCaller.soundFormats, transportExtension: LinkedViewer.transportExtension,
          canonicalName: "server"))
    else { preconditionFailure("the relay has no place for a slot") }
    relay.connect(slot, to: caller.video, now: simulator.now)
    relay.connect(soundSlot, to: caller.sound, now: simulator.now)
    let place = LinkedViewer.Place(
      peer: peer, slot: slot, address: pair.configuration.clientAddress, ssrc: ssrc,
      retransmissionSSRC: retransmissionSSRC, soundSSRC: soundSSRC)
    let viewer = LinkedViewer(pair.client, at: place, watching: caller, on: simulator)
    let index = UInt64(viewers.count)
    viewer.onPacket = { [unowned self] now, header in
      note(
        [
          index, now.nanoseconds, UInt64(header.ssrc.rawValue), UInt64(header.sequenceNumber.rawValue),
          UInt64(header.timestamp), UInt64(header.payloadLength),
        ])
    }
    viewers.append(viewer)
    return viewer
  }

  /// Runs until everybody has keys; false when that takes longer than `limit`.
  ///
  /// Narrow lines are wide until the first picture may leave: handshakes differ by a few bytes each time, which a narrow line
  /// would turn into another course of events.
  func connect(within limit: TimeInterval64 = .seconds(20)) -> Bool {
    simulator.run(for: limit) { pairs.allSatisfy { $0.server.isConnected && $0.client.isConnected } }
  }

  /// What the relay says of a viewer's picture.
  func status(of viewer: LinkedViewer) -> SlotStatus? {
    relay.status(of: viewer.place.slot, showing: viewer.caller.video, now: simulator.now)
  }

  /// Gives the way to a viewer another quality.
  func setDownlink(of viewer: LinkedViewer, _ quality: SimulatedNetwork.Quality) {
    simulator.network.setLink(of: viewer.place.address, down: quality)
  }

  /// The most that left for viewers in any span of `length` between two moments, bits per second.
  func highestRate(from start: MonotonicTime, to end: MonotonicTime, over length: TimeInterval64) -> Int {
    let events = sent.filter { $0.time >= start && $0.time <= end }
    var (first, sum, highest) = (0, 0, 0)
    for event in events {
      sum += event.bytes
      while event.time - events[first].time > length {
        sum -= events[first].bytes
        first += 1
      }
      highest = max(highest, sum)
    }
    return Int(Double(highest) * 8 / length.seconds)
  }

  // MARK: - The relay and its sessions

  private func addPeer(link: SimulatedNetwork.Quality) throws -> (PeerHandle, SessionPair) {
    let index = pairs.count
    var configuration = SessionPairConfiguration()
    configuration.clientAddress = .simulated(20, UInt8(index + 1))
    configuration.serverAddress = .simulated(0, 1, port: UInt16(6_000 + index))
    configuration.seed = seed &* 1_000 &+ UInt64(index)
    let pair = try SessionPair(configuration, engine: engine, now: simulator.now)
    let peer = relay.addPeer(canonicalName: "peer-\(index)")
    simulator.network.setLink(of: configuration.clientAddress, up: link.withoutRate, down: link.withoutRate)
    pair.join(simulator)
    pairs.append(pair)
    serverEnds[peer] = pair.server
    pair.server.onRTP = { [unowned self] packet, now in
      if !relay.receiveRTP(packet, from: peer, now: now) { flush() }
    }
    pair.server.onRTCP = { [unowned self] datagram, now in
      relay.receiveRTCP(datagram, from: peer, now: now, wall: simulator.wall)
    }
    pair.server.onEvent = { [unowned self] event, now in
      guard case .connected(let outbound) = event else { return }
      narrowing.append((configuration.clientAddress, link))
      relay.activate(peer, outbound: outbound, now: now)
    }
    return (peer, pair)
  }

  private func tick() {
    relay.tick(now: simulator.now, wall: simulator.wall)
    for output in relay.takeOutputs() {
      switch output {
      case .rtcp(let packet, let peer): serverEnds[peer]?.session.sendRTCP(packet)
      case .viewChanged(let slot, _): changes.append((simulator.now, slot))
      case .sourceChanged, .keyframeWanted: break
      }
    }
  }

  private func sample() {
    for viewer in viewers { viewer.samples.append(.init(time: simulator.now, status: status(of: viewer))) }
  }

  private func narrow() {
    for (address, link) in narrowing { simulator.network.setLink(of: address, down: link) }
    narrowing = []
  }

  private func flush() {
    guard relay.hasPending else { return }
    var isFinished = false
    while !isFinished {
      isFinished = relay.flush(into: &egress, now: simulator.now)
      for place in 0..<egress.count { transmit(egress.messages[place]) }
      egress.clear()
    }
  }

  private func transmit(_ message: EgressBuffer.Message) {
    guard let path = serverEnds[message.destination]?.session.selectedPath else { return }
    sent.append((simulator.now, Int(message.length)))
    simulator.send(message, at: egress.memory, over: path)
  }

  private func note(_ words: [UInt64]) {
    for word in words { trace = (trace ^ word) &* 0x100_0000_01b3 }
  }
}

extension SimulatedNetwork.Quality {
  /// A line of `rate` bits per second.
  static func line(_ rate: Int, delay: TimeInterval64 = .milliseconds(20)) -> Self {
    Self(delay: delay, rate: rate)
  }

  /// The same way without a narrow place: what goes up from a viewer is little.
  var withoutRate: Self {
    var quality = self
    quality.rate = nil
    return quality
  }
}
