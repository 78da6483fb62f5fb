import Primitives
import RTP
import Relay

/// A sender of sound that repeats its last packets in each (RFC 2198).
struct RedundantStream {
  var plain: TestStream
  /// Earlier packets in each.
  let depth: Int
  private var earlier: [(timestamp: UInt32, payload: [UInt8])] = []

  static let payloadType = PayloadType(63)
  /// Ticks of 20 ms.
  static let ticks: UInt32 = 960

  init(_ ssrc: UInt32 = 1, depth: Int, sequence: UInt16 = 1_000) {
    plain = TestStream(ssrc, .opus, payloadType: 111, sequence: sequence)
    self.depth = depth
  }

  /// The next packet; `skipping` leaves the nearest ones out of what is repeated.
  mutating func packet(size: Int = 60, ticks: UInt32 = Self.ticks, skipping: Int = 0) -> [UInt8] {
    let timestamp = plain.timestamp
    let packet = plain.frame(sizes: [size], ticks: ticks)[0]
    let headerLength = packet.count - size
    let payload = Array(packet[headerLength...])
    let repeated = earlier.dropLast(skipping).suffix(depth)
    var bytes = Array(packet.prefix(headerLength))
    bytes[1] = bytes[1] & 0x80 | Self.payloadType.rawValue
    bytes += redundantPayload(
      repeated.map { (age: timestamp &- $0.timestamp, payload: $0.payload) }, primary: payload)
    earlier.append((timestamp, payload))
    return bytes
  }
}

/// The payload of a redundant packet around Opus at payload type 111.
func redundantPayload(_ repeated: [(age: UInt32, payload: [UInt8])], primary: [UInt8], type: UInt8 = 111) -> [UInt8] {
  var bytes = repeated.flatMap { block in
    let word = block.age << 10 | UInt32(block.payload.count)
    return [0x80 | type] + [16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
  }
  bytes.append(111)
  return bytes + repeated.flatMap(\.payload) + primary
}

/// What a viewer reads out of redundant audio.
struct RedundantReading: Equatable {
  var ages: [UInt32]
  /// Oldest first, the packet's own last.
  var tags: [UInt32]

  init(_ packet: ReceivedPacket) throws {
    (ages, tags) = try packet.payload.withUnsafeBytes { memory in
      let parsed = try RedundantAudio(parsing: memory)
      let blocks = (0..<parsed.repeatedCount).map { parsed[$0] }
      let payloads = blocks.map { Array(memory[$0.offset..<($0.offset + $0.length)]) }
      return (blocks.map(\.age), (payloads + [Array(memory[parsed.primaryOffset...])]).map(TestStream.tag))
    }
  }
}
