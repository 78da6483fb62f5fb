import Primitives
import RTP
import Relay
import SimulationSupport

/// A phone that films in three sizes at once and talks: each size has its own keyframes, when asked, and retransmissions.
final class SimulcastCaller {
  /// One of the sizes (RFC 8853).
  struct Encoding {
    let rid: String
    let height: UInt16
    /// RTP payload, bits per second.
    let bitsPerSecond: Int
    let ssrc: SSRC
    let retransmissionSSRC: SSRC
    // Near the top, so that every run crosses the rollover.
    var sequence: UInt64 = 65_300
    var retransmissionSequence: UInt64 = 65_500
    var nextPicture: UInt32 = 0
    var wantsKeyframe = true
    var keyframes = 0
    var packets: UInt32 = 0
    var history: [UInt16: Packet] = [:]
  }

  struct Packet {
    let timestamp: UInt32
    let marker: Bool
    let payload: [UInt8]
  }

  static let picturesPerSecond = 30
  static let pictureInterval = TimeInterval64(nanoseconds: 1_000_000_000 / Int64(picturesPerSecond))
  static let soundInterval = TimeInterval64.milliseconds(20)
  static let soundSSRC = SSRC(0x3001)
  static let formats = [
    RelayedFormat(payloadType: PayloadType(96), format: .vp8, retransmission: PayloadType(97))
  ]
  static let soundFormats = [RelayedFormat(payloadType: PayloadType(111), format: .opus)]
  static let extensions: RTPExtensionMap = {
    var map = RTPExtensionMap()
    (map[.mid], map[.rid], map[.repairedRID]) = (1, 2, 3)
    return map
  }()
  private static let maximumPayload = 1_100
  private static let historyCapacity = 512

  private(set) var encodings = [("l", 180, 100_000), ("m", 360, 350_000), ("h", 720, 1_200_000)].enumerated()
    .map { index, size in
      Encoding(
        rid: size.0, height: size.1, bitsPerSecond: size.2, ssrc: SSRC(UInt32(0x1001 + index)),
        retransmissionSSRC: SSRC(UInt32(0x2001 + index)))
    }
  /// When each picture was taken, and each packet of sound spoken, by number.
  private(set) var taken: [MonotonicTime] = []
  private(set) var spoken: [MonotonicTime] = []
  private(set) var retransmitted = 0
  /// Bytes of a keyframe beside those of a common picture.
  var keyframeFactor = 6
  /// What the relay knows it by.
  let video: SourceHandle
  let sound: SourceHandle
  private let endpoint: Endpoint
  private let simulator: Simulator
  private var random: RandomSource

  init(
    _ endpoint: Endpoint, video: SourceHandle, sound: SourceHandle, seed: UInt64, on simulator: Simulator
  ) {
    (self.video, self.sound) = (video, sound)
    self.endpoint = endpoint
    self.simulator = simulator
    random = .seeded(seed)
    endpoint.onRTCP = { [weak self] datagram, _ in self?.receive(datagram) }
    simulator.every(Self.pictureInterval) { [weak self] in self?.sendPicture() }
    simulator.every(Self.soundInterval) { [weak self] in self?.sendSound() }
    simulator.every(.milliseconds(1_000)) { [weak self] in self?.sendReports() }
  }

  // MARK: - Pictures and sound

  private func timestamp(_ clockRate: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: simulator.now.nanoseconds / 1_000 * (clockRate / 1_000) / 1_000)
  }

  private func sendPicture() {
    guard endpoint.session.outbound != nil else { return }
    taken.append(simulator.now)
    for index in encodings.indices { sendPicture(of: index) }
  }

  private func sendPicture(of index: Int) {
    let isKeyframe = encodings[index].wantsKeyframe
    let common = encodings[index].bitsPerSecond / 8 / Self.picturesPerSecond
    let bytes = common * (isKeyframe ? keyframeFactor : 1) * (80 + Int(random.next() % 41)) / 100
    let count = max(1, (bytes + Self.maximumPayload - 1) / Self.maximumPayload)
    let timestamp = timestamp(90_000)
    for part in 0..<count {
      let tag = PictureTag(
        encoding: UInt8(index), number: encodings[index].nextPicture, index: UInt16(part), count: UInt16(count),
        isKeyframe: isKeyframe, capturedAt: simulator.now)
      let packet = Packet(
        timestamp: timestamp, marker: part == count - 1,
        payload: tag.payload(size: bytes / count, height: encodings[index].height))
      send(packet, of: index)
    }
    encodings[index].wantsKeyframe = false
    encodings[index].nextPicture += 1
    encodings[index].keyframes += isKeyframe ? 1 : 0
  }

  private func send(_ packet: Packet, of index: Int) {
    let sequence = encodings[index].sequence
    let number = UInt16(truncatingIfNeeded: sequence)
    encodings[index].history[number] = packet
    encodings[index].history[number &- UInt16(Self.historyCapacity)] = nil
    encodings[index].sequence += 1
    encodings[index].packets += 1
    write(
      packet, payload: packet.payload, sequence, PayloadType(96), encodings[index].ssrc,
      names: [(.mid, "0"), (.rid, encodings[index].rid)])
  }

  private func sendSound() {
    guard endpoint.session.outbound != nil else { return }
    let number = UInt32(spoken.count)
    spoken.append(simulator.now)
    var writer = ByteWriter(reserving: 80)
    writer.write(UInt8(0xfc))
    writer.write(number)
    let payload = writer.bytes + [UInt8](repeating: 7, count: 75)
    let packet = Packet(timestamp: number &* 960, marker: false, payload: payload)
    write(packet, payload: payload, UInt64(number), PayloadType(111), Self.soundSSRC, names: [(.mid, "1")])
  }

  private func write(
    _ packet: Packet, payload: [UInt8], _ sequence: UInt64, _ payloadType: PayloadType, _ ssrc: SSRC,
    names: [(RTPHeaderExtensionKind, String)]
  ) {
    var bytes = [UInt8](repeating: 0, count: 64)
    let headerLength = bytes.withUnsafeMutableBytes { buffer -> Int in
      guard let base = buffer.baseAddress else { return 0 }
      RTPHeader.write(
        to: base, marker: packet.marker, payloadType: payloadType,
        sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: sequence)), timestamp: packet.timestamp, ssrc: ssrc)
      var extensions = RTPExtensionWriter(base + RTPHeader.fixedLength, capacity: 64 - RTPHeader.fixedLength)
      for (kind, name) in names {
        Array(name.utf8).withUnsafeBytes { _ = extensions.append(id: Self.extensions[kind], $0) }
      }
      return RTPHeader.fixedLength + extensions.finish()
    }
    bytes[0] |= headerLength > RTPHeader.fixedLength ? 0x10 : 0
    endpoint.sendRTP(
      Array(bytes.prefix(headerLength)) + payload, headerLength: headerLength,
      rolloverCounter: UInt32(truncatingIfNeeded: sequence >> 16), into: &simulator.network, now: simulator.now)
  }

  // MARK: - Reports and requests

  private func sendReports() {
    var packets = encodings.map { encoding in
      RTCPPacket.senderReport(
        SenderReport(
          ssrc: encoding.ssrc, ntpTime: simulator.wall, rtpTimestamp: timestamp(90_000), packetCount: encoding.packets,
          octetCount: encoding.packets &* 900))
    }
    packets.append(
      .senderReport(
        SenderReport(
          ssrc: Self.soundSSRC, ntpTime: simulator.wall, rtpTimestamp: UInt32(spoken.count) &* 960,
          packetCount: UInt32(spoken.count), octetCount: UInt32(spoken.count) &* 80)))
    endpoint.session.sendRTCP(RTCPCompound.serialize(packets))
  }

  private func receive(_ datagram: UnsafeRawBufferPointer) {
    for packet in (try? RTCPCompound.parse(datagram)) ?? [] {
      switch packet {
      case .pictureLossIndication(let request): wantKeyframe(request.mediaSSRC)
      case .fullIntraRequest(let request): request.entries.forEach { wantKeyframe($0.ssrc) }
      case .genericNACK(let request): request.lost.forEach { retransmit($0, of: request.mediaSSRC) }
      case .senderReport, .receiverReport, .sourceDescription, .goodbye, .receiverEstimatedMaximumBitrate,
        .transportFeedback:
        continue
      }
    }
  }

  private func wantKeyframe(_ ssrc: SSRC) {
    guard let index = encodings.firstIndex(where: { $0.ssrc == ssrc }) else { return }
    encodings[index].wantsKeyframe = true
  }

  private func retransmit(_ number: SequenceNumber, of ssrc: SSRC) {
    guard let index = encodings.firstIndex(where: { $0.ssrc == ssrc }),
      let packet = encodings[index].history[number.rawValue]
    else { return }
    retransmitted += 1
    let sequence = encodings[index].retransmissionSequence
    encodings[index].retransmissionSequence += 1
    let original = [UInt8(number.rawValue >> 8), UInt8(number.rawValue & 255)]
    write(
      packet, payload: original + packet.payload, sequence, PayloadType(97), encodings[index].retransmissionSSRC,
      names: [(.mid, "0"), (.repairedRID, encodings[index].rid)])
  }
}
