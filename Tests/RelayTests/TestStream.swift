import Primitives
import RTP
import Relay

/// Makes the packets of one sender's stream; every packet carries a tag of its own.
struct TestStream {
  var ssrc: SSRC
  var payloadType: PayloadType
  var format: MediaFormat
  var sequence: UInt16
  var timestamp: UInt32
  var extensions: [(id: UInt8, value: [UInt8])] = []
  private(set) var tag: UInt32
  private var retransmissionSequence: UInt16 = 100

  init(
    _ ssrc: UInt32, _ format: MediaFormat = .vp8, payloadType: UInt8 = 96, sequence: UInt16 = 1_000,
    timestamp: UInt32 = 90_000, firstTag: UInt32 = 0
  ) {
    self.ssrc = SSRC(ssrc)
    self.format = format
    self.payloadType = PayloadType(payloadType)
    self.sequence = sequence
    self.timestamp = timestamp
    tag = firstTag
  }

  /// Bytes before the tag.
  static let prefixLength = 4

  static func tag(of payload: [UInt8]) -> UInt32 {
    guard payload.count >= prefixLength + 4 else { return .max }
    return payload[prefixLength..<(prefixLength + 4)].reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The packets of one picture, or of one audio frame; the clock then moves on by `ticks`.
  mutating func frame(keyframe: Bool = false, sizes: [Int] = [200], ticks: UInt32 = 3_000) -> [[UInt8]] {
    defer { timestamp &+= ticks }
    return sizes.enumerated().map { index, size in
      packet(isFirst: index == 0, isKeyframe: keyframe, marker: index == sizes.count - 1, size: size)
    }
  }

  mutating func packet(isFirst: Bool, isKeyframe: Bool, marker: Bool, size: Int) -> [UInt8] {
    defer {
      sequence &+= 1
      tag += 1
    }
    var payload = prefix(isFirst: isFirst, isKeyframe: isKeyframe)
    for shift in [24, 16, 8, 0] { payload.append(UInt8(truncatingIfNeeded: tag >> UInt32(shift))) }
    while payload.count < size { payload.append(UInt8(truncatingIfNeeded: payload.count &* 7 &+ Int(tag))) }
    return rtp(payloadType, ssrc, sequence, marker: marker, payload: payload)
  }

  /// The retransmission of a packet that this stream made (RFC 4588).
  mutating func retransmission(of packet: [UInt8], ssrc: UInt32, payloadType: UInt8 = 97) -> [UInt8] {
    defer { retransmissionSequence &+= 1 }
    let header = packet.withUnsafeBytes { try? RTPHeader(parsing: $0) }
    guard let header else { return [] }
    let payload = Array(packet[2..<4]) + packet[header.headerLength...]
    var copy = self
    copy.timestamp = header.timestamp
    return copy.rtp(
      PayloadType(payloadType), SSRC(ssrc), retransmissionSequence, marker: header.marker, payload: Array(payload))
  }

  private func rtp(
    _ payloadType: PayloadType, _ ssrc: SSRC, _ sequence: UInt16, marker: Bool, payload: [UInt8]
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 200)
    let headerLength = bytes.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      var writer = RTPExtensionWriter(base + RTPHeader.fixedLength, capacity: 180)
      for element in extensions { _ = element.value.withUnsafeBytes { writer.append(id: element.id, $0) } }
      let extensionLength = writer.finish()
      RTPHeader.write(
        to: base, marker: marker, payloadType: payloadType, sequenceNumber: SequenceNumber(sequence),
        timestamp: timestamp, ssrc: ssrc, hasExtension: extensionLength > 0)
      return RTPHeader.fixedLength + extensionLength
    }
    return Array(bytes.prefix(headerLength)) + payload
  }

  /// Four bytes that say what the packet is in its codec.
  private func prefix(isFirst: Bool, isKeyframe: Bool) -> [UInt8] {
    switch format {
    case .vp8: [isFirst ? 0x10 : 0x00, isKeyframe ? 0x00 : 0x01, 0, 0]
    case .h264: [isFirst && isKeyframe ? 0x67 : 0x41, 0x42, 0, 0]
    case .vp9, .av1, .opus: [0xfc, 0, 0, 0]
    }
  }
}
