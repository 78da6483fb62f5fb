import DataChannel
import Primitives
import Testing

extension SCTPTests {
  /// Damaged packets with a right checksum and tag, so that they reach as deep into the SCTP library as a hostile peer's.
  ///
  /// They may cost the association, but nothing else. Run with the address sanitizer to see what they do to memory.
  @Suite struct Mutations {
    @Test("mutated handshakes, data, resets and closes never crash", arguments: 1...40 as ClosedRange<UInt64>)
    func mutated(seed: UInt64) throws {
      var mutator = Mutator(seed: seed)
      let link = SimulatedLink(seed: seed)
      link.quality = .init(loss: 0.02, jitter: .milliseconds(10))
      link.intercept = { _, packet in (0..<6).map { _ in mutator.mutate(packet) } + [packet] }
      link.start()
      link.run(within: .seconds(2))
      var random = RandomSource.seeded(seed)
      for round in 0..<6 {
        for transport in [link.caller, link.server] {
          let reliability: DataChannelReliability = round % 2 == 0 ? .reliable : .maximumRetransmissions(0)
          let parameters = DataChannelParameters(label: "m", isOrdered: round % 3 == 0, reliability: reliability)
          guard let id = try? transport.openChannel(parameters, now: link.now) else { continue }
          link.run(within: .milliseconds(200))
          for size in [1, 4000, 30_000] { try? transport.send(.binary(random.bytes(size)), on: id, now: link.now) }
          link.run(within: .milliseconds(100))
          transport.close(id, now: link.now)
        }
        link.run(within: .milliseconds(300))
      }
      link.caller.close()
      link.run(within: .seconds(2))
    }

    @Test("with only the checksum wrong, the library drops every packet")
    func checksum() {
      let link = SimulatedLink()
      link.intercept = { _, packet in [packet.enumerated().map { $0.offset == 8 ? $0.element ^ 1 : $0.element }] }
      #expect(!link.connect())
    }

    @Test func `the test's own checksum is the library's`() {
      let link = SimulatedLink()
      var packets = 0
      link.intercept = { _, packet in
        packets += 1
        var copy = packet
        Mutator.fixChecksum(&copy)
        #expect(copy == packet)
        return [packet]
      }
      #expect(link.connect())
      #expect(packets > 4)
    }

    @Test("a wrong verification tag changes nothing")
    func tag() {
      let link = SimulatedLink()
      link.intercept = { _, packet in
        var copy = packet
        copy[5] ^= 0x40
        Mutator.fixChecksum(&copy)
        return [copy, packet]
      }
      #expect(link.connect())
      link.run(within: .seconds(5))
      #expect(link.caller.state == .connected)
    }
  }
}

/// Damages packets, reproducibly.
struct Mutator {
  private var random: RandomSource

  init(seed: UInt64) {
    random = .seeded(seed)
  }

  mutating func mutate(_ packet: [UInt8]) -> [UInt8] {
    var packet = packet
    for _ in 0...(random.next() % 3) {
      let at = 12 + Int(random.next() % UInt64(max(packet.count - 12, 1)))
      guard at < packet.count else { continue }
      switch random.next() % 6 {
      case 0: packet[at] ^= 1 << UInt8(random.next() % 8)
      case 1: packet[at] = UInt8(random.next() >> 56)
      case 2: packet[at] = random.next() % 2 == 0 ? 0 : 0xff
      // A chunk type or a length near the start does more than a byte of payload.
      case 3: packet[min(12 + Int(random.next() % 16), packet.count - 1)] = UInt8(random.next() >> 56)
      case 4: packet.removeLast(min(Int(random.next() % 24), packet.count - 12))
      default: packet.append(contentsOf: packet[at..<min(at + 32, packet.count)])
      }
    }
    Self.fixChecksum(&packet)
    return packet
  }

  /// Puts the CRC32c that RFC 9260 appendix A asks for into the common header.
  static func fixChecksum(_ packet: inout [UInt8]) {
    guard packet.count >= 12 else { return }
    packet.replaceSubrange(8..<12, with: [0, 0, 0, 0])
    var crc = UInt32.max
    for byte in packet { crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
    for index in 0..<4 { packet[8 + index] = UInt8(truncatingIfNeeded: ~crc >> UInt32(8 * index)) }
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82f6_3b78 }
  }
}
