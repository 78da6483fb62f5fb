import Primitives
import RTP
import SimulationSupport

/// A phone that films: frames 30 times a second, keyframes when asked, retransmissions and sender reports.
final class SimulatedCaller {
  static let ssrc = SSRC(0x1111)
  static let retransmissionSSRC = SSRC(0x2222)
  static let frameInterval = TimeInterval64.milliseconds(33)
  /// Packets kept for retransmission.
  private static let historyCapacity = 1_024

  private(set) var framesSent: UInt32 = 0
  private(set) var keyframesSent = 0
  private(set) var retransmitted = 0
  private let endpoint: Endpoint
  private let simulator: Simulator
  /// Near the top, so that every run crosses the rollover.
  private var sequence: UInt64 = 65_300
  private var retransmissionSequence: UInt64 = 65_500
  private var wantsKeyframe = true
  private var history: [UInt16: (sequence: UInt64, timestamp: UInt32, marker: Bool, payload: [UInt8])] = [:]
  private var sentPackets: UInt32 = 0

  init(_ endpoint: Endpoint, on simulator: Simulator) {
    self.endpoint = endpoint
    self.simulator = simulator
    endpoint.onRTCP = { [weak self] datagram, _ in self?.receive(datagram) }
    simulator.every(Self.frameInterval) { [weak self] in self?.sendFrame() }
    simulator.every(.milliseconds(1_000)) { [weak self] in self?.sendReport() }
  }

  private var timestamp: UInt32 { UInt32(truncatingIfNeeded: simulator.now.nanoseconds / 1_000 * 9 / 100) }

  private func sendFrame() {
    guard endpoint.session.outbound != nil else { return }
    let isKeyframe = wantsKeyframe
    wantsKeyframe = false
    let count = isKeyframe ? 12 : 3
    for index in 0..<count {
      let tag = FrameTag(
        number: framesSent, index: UInt16(index), count: UInt16(count), isKeyframe: isKeyframe,
        capturedAt: simulator.now)
      let size = 900 + Int(framesSent + UInt32(index)) % 3
      let packet = (sequence, timestamp, index == count - 1, tag.payload(size: size))
      history[UInt16(truncatingIfNeeded: sequence)] = packet
      history[UInt16(truncatingIfNeeded: sequence &- UInt64(Self.historyCapacity))] = nil
      send(Self.ssrc, PayloadType(96), packet.0, packet.1, packet.2, packet.3)
      sequence += 1
      sentPackets += 1
    }
    framesSent += 1
    keyframesSent += isKeyframe ? 1 : 0
  }

  private func send(
    _ ssrc: SSRC, _ payloadType: PayloadType, _ sequence: UInt64, _ timestamp: UInt32, _ marker: Bool,
    _ payload: [UInt8]
  ) {
    var packet = [UInt8](repeating: 0, count: RTPHeader.fixedLength) + payload
    packet.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      RTPHeader.write(
        to: base, marker: marker, payloadType: payloadType,
        sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: sequence)), timestamp: timestamp, ssrc: ssrc)
    }
    endpoint.sendRTP(
      packet, rolloverCounter: UInt32(truncatingIfNeeded: sequence >> 16), into: &simulator.network, now: simulator.now)
  }

  private func sendReport() {
    endpoint.session.sendRTCP(
      RTCPCompound.serialize([
        .senderReport(
          SenderReport(
            ssrc: Self.ssrc, ntpTime: simulator.wall, rtpTimestamp: timestamp, packetCount: sentPackets,
            octetCount: sentPackets &* 900))
      ]))
  }

  private func receive(_ datagram: UnsafeRawBufferPointer) {
    for packet in (try? RTCPCompound.parse(datagram)) ?? [] {
      switch packet {
      case .pictureLossIndication, .fullIntraRequest: wantsKeyframe = true
      case .genericNACK(let request): request.lost.forEach(retransmit)
      case .senderReport, .receiverReport, .sourceDescription, .goodbye, .receiverEstimatedMaximumBitrate,
        .transportFeedback:
        continue
      }
    }
  }

  private func retransmit(_ number: SequenceNumber) {
    guard let packet = history[number.rawValue] else { return }
    retransmitted += 1
    let original = [UInt8(number.rawValue >> 8), UInt8(number.rawValue & 255)]
    send(
      Self.retransmissionSSRC, PayloadType(97), retransmissionSequence, packet.timestamp, packet.marker,
      original + packet.payload)
    retransmissionSequence += 1
  }
}

extension Simulator {
  /// A wall clock that runs as the simulated time does.
  var wall: NTPTimestamp { NTPTimestamp(unixNanoseconds: 1_700_000_000_000_000_000 + now.nanoseconds) }
}
