import PeerSession
import Primitives
import RTP
import Relay
import SRTP
import SimulationSupport

/// A caller, the relay with its sessions, and viewers: the media path of one incident without sockets.
final class Call {
  let simulator: Simulator
  let relay: Relay
  let callerPair: SessionPair
  let caller: SimulatedCaller
  let source: SourceHandle
  private(set) var viewers: [SimulatedViewer] = []
  private(set) var viewerPairs: [SessionPair] = []
  /// A running hash of everything that viewers received and when.
  private(set) var trace: UInt64 = 0xcbf2_9ce4_8422_2325
  private var serverEnds: [PeerHandle: Endpoint] = [:]
  private var egress = EgressBuffer()
  private let engine: SRTPEngine
  private let seed: UInt64

  static let callerAddress = TransportAddress.simulated(1, 1)
  static let callerSecondAddress = TransportAddress.simulated(2, 1)
  static func viewerAddress(_ index: Int) -> TransportAddress { .simulated(10, UInt8(truncatingIfNeeded: index + 1)) }

  init(seed: UInt64, viewers count: Int) throws {
    self.seed = seed
    engine = try SRTPEngine(.openSSL)
    simulator = Simulator(seed: seed)
    relay = Relay(random: .seeded(seed))
    var configuration = SessionPairConfiguration()
    configuration.clientAddress = Self.callerAddress
    configuration.seed = seed &* 1_000
    callerPair = try SessionPair(configuration, engine: engine, now: simulator.now)
    caller = SimulatedCaller(callerPair.client, on: simulator)
    let peer = relay.addPeer(canonicalName: "caller")
    guard
      let source = relay.addSource(
        SourceParameters(
          peer: peer, kind: .video, mid: "0", formats: [Self.format], extensions: RTPExtensionMap(),
          announced: [(SimulatedCaller.ssrc, SimulatedCaller.retransmissionSSRC)], acceptsNACK: true))
    else { preconditionFailure("the relay has no place for a source") }
    self.source = source
    callerPair.join(simulator, further: [Self.callerSecondAddress])
    attach(callerPair.server, as: peer)
    simulator.every(Relay.tickInterval) { [weak self] in self?.tick() }
    simulator.afterStep = { [weak self] in self?.flush() }
    for _ in 0..<count { try addViewer() }
  }

  private static let format = RelayedFormat(
    payloadType: PayloadType(96), format: .vp8, retransmission: PayloadType(97))

  /// Adds a viewer, who begins to connect now.
  @discardableResult
  func addViewer() throws -> SimulatedViewer {
    let index = viewers.count
    var configuration = SessionPairConfiguration()
    configuration.clientAddress = Self.viewerAddress(index)
    configuration.serverAddress = .simulated(0, 1, port: UInt16(6_000 + index))
    configuration.seed = seed &* 1_000 &+ UInt64(index) &+ 1
    let pair = try SessionPair(configuration, engine: engine, now: simulator.now)
    let ssrc = SSRC(UInt32(0x7000 + 2 * index))
    let viewer = SimulatedViewer(pair.client, ssrc: ssrc, retransmissionSSRC: SSRC(ssrc.rawValue + 1), on: simulator)
    viewer.onPacket = { [weak self] now, header in
      self?.note(
        [
          UInt64(index), now.nanoseconds, UInt64(header.ssrc.rawValue), UInt64(header.sequenceNumber.rawValue),
          UInt64(header.timestamp), UInt64(header.payloadLength),
        ])
    }
    let peer = relay.addPeer(canonicalName: "viewer-\(index)")
    let slot = relay.addSlot(
      SlotParameters(
        peer: peer, kind: .video, ssrc: ssrc, retransmissionSSRC: SSRC(ssrc.rawValue + 1), formats: [Self.format],
        canonicalName: "server"))
    pair.join(simulator)
    attach(pair.server, as: peer)
    if let slot { relay.connect(slot, to: source, now: simulator.now) }
    viewers.append(viewer)
    viewerPairs.append(pair)
    return viewer
  }

  /// Runs until everybody has keys; false when that takes longer than `limit`.
  func connect(within limit: TimeInterval64 = .seconds(20)) -> Bool {
    simulator.run(for: limit) {
      callerPair.server.isConnected && callerPair.client.isConnected
        && viewerPairs.allSatisfy { $0.server.isConnected && $0.client.isConnected }
    }
  }

  /// Impairs both directions of an address's link.
  func impair(_ address: TransportAddress, _ quality: SimulatedNetwork.Quality) {
    simulator.network.setLink(of: address, up: quality, down: quality)
  }

  private func attach(_ endpoint: Endpoint, as peer: PeerHandle) {
    serverEnds[peer] = endpoint
    endpoint.onRTP = { [unowned self] packet, now in
      if !relay.receiveRTP(packet, from: peer, now: now) { flush() }
    }
    endpoint.onRTCP = { [unowned self] datagram, now in
      relay.receiveRTCP(datagram, from: peer, now: now, wall: simulator.wall)
    }
    endpoint.onEvent = { [unowned self] event, now in
      if case .connected(let outbound) = event { relay.activate(peer, outbound: outbound, now: now) }
    }
  }

  private func tick() {
    relay.tick(now: simulator.now, wall: simulator.wall)
    for output in relay.takeOutputs() {
      if case .rtcp(let packet, let peer) = output { serverEnds[peer]?.session.sendRTCP(packet) }
    }
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
    simulator.send(message, at: egress.memory, over: path)
  }

  private func note(_ words: [UInt64]) {
    for word in words { trace = (trace ^ word) &* 0x100_0000_01b3 }
  }
}
