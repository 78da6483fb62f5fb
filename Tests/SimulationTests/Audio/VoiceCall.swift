import PeerSession
import Primitives
import RTP
import Relay
import SRTP
import SimulationSupport

/// One voice, the relay, and one who listens: what arrives of each word, and when.
final class VoiceCall {
  let simulator: Simulator
  let relay: Relay
  /// When each packet of sound was spoken, by number.
  private(set) var spoken: [MonotonicTime] = []
  /// When it could be played at the listener's for the first time, by number.
  private(set) var heard: [UInt32: MonotonicTime] = [:]
  /// Packets that the listener got, and those of them with earlier ones repeated.
  private(set) var packets = 0
  private(set) var redundantPackets = 0
  private let speaker: SessionPair
  private let listener: SessionPair
  private var serverEnds: [PeerHandle: Endpoint] = [:]
  private var egress = EgressBuffer()
  private let repetitions: Int
  private var statistics = ReceptionStatistics(clockRate: 48_000)
  private var history: [[UInt8]] = []

  static let speakerAddress = TransportAddress.simulated(1, 1)
  static let listenerAddress = TransportAddress.simulated(2, 1)
  static let interval = TimeInterval64.milliseconds(20)
  private static let ticks: UInt32 = 960
  private static let opus = PayloadType(111)
  private static let redundancy = PayloadType(63)
  private static let slotSSRC = SSRC(0x7001)

  /// - Parameters:
  ///   - repetitions: Earlier packets in each that the speaker sends.
  ///   - listenerNegotiates: Whether the listener takes redundant audio.
  init(seed: UInt64, repetitions: Int, listenerNegotiates: Bool) throws {
    self.repetitions = repetitions
    let engine = try SRTPEngine(.openSSL)
    simulator = Simulator(seed: seed)
    relay = Relay(random: .seeded(seed))
    let now = simulator.now
    speaker = try Self.pair(Self.speakerAddress, port: 6_001, seed, engine, now)
    listener = try Self.pair(Self.listenerAddress, port: 6_002, seed, engine, now)
    let formats = [RelayedFormat(payloadType: Self.opus, format: .opus)]
    let (from, to) = (relay.addPeer(canonicalName: "speaker"), relay.addPeer(canonicalName: "listener"))
    let source = relay.addSource(
      SourceParameters(
        peer: from, kind: .audio, mid: "0", formats: formats, extensions: RTPExtensionMap(), announced: [],
        acceptsNACK: false, redundancy: Self.redundancy))
    let slot = relay.addSlot(
      SlotParameters(
        peer: to, kind: .audio, ssrc: Self.slotSSRC, retransmissionSSRC: SSRC(0), formats: formats,
        canonicalName: "server", redundancy: listenerNegotiates ? Self.redundancy : nil))
    attach(speaker, as: from)
    attach(listener, as: to)
    if let slot, let source { relay.connect(slot, to: source, now: simulator.now) }
    listener.client.onRTP = { [unowned self] packet, now in hear(packet, now) }
    simulator.every(Relay.tickInterval) { [unowned self] in tick() }
    simulator.every(Self.interval) { [unowned self] in speak() }
    simulator.every(.milliseconds(1_000)) { [unowned self] in report() }
    simulator.afterStep = { [unowned self] in flush() }
  }

  private static func pair(
    _ address: TransportAddress, port: UInt16, _ seed: UInt64, _ engine: SRTPEngine, _ now: MonotonicTime
  ) throws -> SessionPair {
    var configuration = SessionPairConfiguration()
    configuration.clientAddress = address
    configuration.serverAddress = .simulated(0, 1, port: port)
    configuration.seed = seed &* 1_000 &+ UInt64(port)
    return try SessionPair(configuration, engine: engine, now: now)
  }

  func connect() -> Bool {
    simulator.run(for: .seconds(20)) { listener.client.isConnected && speaker.client.isConnected }
  }

  func impair(_ address: TransportAddress, _ quality: SimulatedNetwork.Quality) {
    simulator.network.setLink(of: address, up: quality, down: quality)
  }

  /// Share of what was spoken in a span of time that could be played within `limit`.
  func share(from start: MonotonicTime, to end: MonotonicTime, within limit: TimeInterval64) -> Double {
    let numbers = spoken.indices.filter { spoken[$0] >= start && spoken[$0] < end }
    let good = numbers.count { number in heard[UInt32(number)].map { $0 - spoken[number] <= limit } ?? false }
    return Double(good) / Double(max(1, numbers.count))
  }

  // MARK: - The two ends

  private func speak() {
    guard speaker.client.session.outbound != nil else { return }
    let number = UInt32(spoken.count)
    spoken.append(simulator.now)
    let payload =
      [0xfc] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
      + [UInt8](
        repeating: 7, count: 75)
    let repeated = history.suffix(repetitions)
    var packet = [UInt8](repeating: 0, count: RTPHeader.fixedLength)
    packet.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      RTPHeader.write(
        to: base, marker: false, payloadType: repeated.isEmpty ? Self.opus : Self.redundancy,
        sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: number)), timestamp: number &* Self.ticks,
        ssrc: SSRC(0x1111))
    }
    if !repeated.isEmpty {
      for (index, block) in repeated.enumerated() {
        let word = UInt32(repeated.count - index) * Self.ticks << 10 | UInt32(block.count)
        packet += [0x80 | Self.opus.rawValue] + [16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
      }
      packet.append(Self.opus.rawValue)
      packet += repeated.flatMap { $0 }
    }
    history = history.suffix(3) + [payload]
    speaker.client.sendRTP(
      packet + payload, rolloverCounter: number >> 16, into: &simulator.network, now: simulator.now)
  }

  private func hear(_ packet: UnsafeRawBufferPointer, _ now: MonotonicTime) {
    guard let header = try? RTPHeader(parsing: packet), header.ssrc == Self.slotSSRC else { return }
    statistics.update(sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, arrival: now)
    packets += 1
    let payload = header.payload(in: packet)
    guard header.payloadType == Self.redundancy else { return play(payload, now) }
    redundantPackets += 1
    guard let parsed = try? RedundantAudio(parsing: payload) else { return }
    for index in 0..<parsed.repeatedCount {
      let block = parsed[index]
      play(UnsafeRawBufferPointer(rebasing: payload[block.offset..<(block.offset + block.length)]), now)
    }
    play(UnsafeRawBufferPointer(rebasing: payload[parsed.primaryOffset...]), now)
  }

  private func play(_ payload: UnsafeRawBufferPointer, _ now: MonotonicTime) {
    guard payload.count >= 5 else { return }
    let number = payload[1..<5].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    if heard[number] == nil { heard[number] = now }
  }

  private func report() {
    guard let block = statistics.makeReportBlock(ssrc: Self.slotSSRC, now: simulator.now) else { return }
    listener.client.session.sendRTCP(
      RTCPCompound.serialize([.receiverReport(ReceiverReport(ssrc: SSRC(0x2222), reports: [block]))]))
  }

  // MARK: - The relay

  private func attach(_ pair: SessionPair, as peer: PeerHandle) {
    pair.join(simulator)
    serverEnds[peer] = pair.server
    pair.server.onRTP = { [unowned self] packet, now in
      if !relay.receiveRTP(packet, from: peer, now: now) { flush() }
    }
    pair.server.onRTCP = { [unowned self] datagram, now in
      relay.receiveRTCP(datagram, from: peer, now: now, wall: simulator.wall)
    }
    pair.server.onEvent = { [unowned self] event, now in
      if case .connected(let outbound) = event { relay.activate(peer, outbound: outbound, now: now) }
    }
  }

  private func tick() {
    relay.tick(now: simulator.now, wall: simulator.wall)
    for case .rtcp(let packet, let peer) in relay.takeOutputs() { serverEnds[peer]?.session.sendRTCP(packet) }
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
}
