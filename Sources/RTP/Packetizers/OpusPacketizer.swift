import Primitives

/// Opus in RTP: a payload is an Opus packet as it is (RFC 7587 §4.2).
package struct OpusPacketizer: Packetizer {
  private let maximumPayloadSize: Int

  package init(maximumPayloadSize: Int) {
    self.maximumPayloadSize = maximumPayloadSize
  }

  /// Empty for a packet that is larger than the maximum: Opus packets cannot be cut.
  package mutating func packetize(_ frame: UnsafeRawBufferPointer) -> [[UInt8]] {
    guard !frame.isEmpty, frame.count <= maximumPayloadSize else { return [] }
    return [Array(frame)]
  }
}

/// What the first bytes of an Opus packet tell (RFC 6716 §3.1).
package enum OpusPacket {
  /// Ticks per second of the RTP timestamp, whatever the coded bandwidth is (RFC 7587 §4.1).
  package static let clockRate: UInt32 = 48_000

  /// Samples at 48 kHz that the packet decodes to: what the timestamp advances by.
  ///
  /// Nil for an impossible packet.
  package static func sampleCount(_ packet: UnsafeRawBufferPointer) -> UInt32? {
    guard let contents = packet.first else { return nil }
    let frames: UInt32
    switch contents & 3 {
    case 0: frames = 1
    case 1, 2: frames = 2
    default:
      guard packet.count >= 2 else { return nil }
      frames = UInt32(packet[1] & 0x3f)
    }
    let samples = frames * frameSize(configuration: contents >> 3)
    // A packet lasts 120 ms at most (RFC 6716 §3.2.5).
    return frames > 0 && samples <= 5_760 ? samples : nil
  }

  /// Samples of one frame: SILK 10 to 60 ms, hybrid 10 or 20 ms, CELT 2.5 to 20 ms (RFC 6716 table 2).
  private static func frameSize(configuration: UInt8) -> UInt32 {
    switch configuration {
    case 0...11: [480, 960, 1_920, 2_880][Int(configuration & 3)]
    case 12...15: configuration & 1 == 0 ? 480 : 960
    default: 120 << UInt32(configuration & 3)
    }
  }
}
