import Primitives
import SRTP
import Testing

/// Whatever arrives, nothing traps, writes outside the packet or is accepted without its tag.
@Suite struct RobustnessTests {
  @Test(arguments: Combination.all)
  func everyTruncationIsRefused(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    let packet = pair.server.protect(rtpPacket(sequence: 9, csrcs: 2, extensionWords: 2, payload: Array(1...40)))
    let report = pair.server.protectRTCP(rtcpPacket(extra: Array(1...40)))
    for length in 0..<packet.count {
      guard case .rejected = pair.client.unprotect(Array(packet.prefix(length))) else {
        Issue.record("\(length) bytes of RTP were accepted")
        continue
      }
    }
    for length in 0..<report.count {
      guard case .rejected = pair.client.unprotectRTCP(Array(report.prefix(length))) else {
        Issue.record("\(length) bytes of RTCP were accepted")
        continue
      }
    }
    #expect(pair.client.inbound.sourceCount == 0)
  }

  @Test(arguments: Combination.all)
  func randomBytesAreRefused(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    var random = RandomSource.seeded(42)
    for round in 0..<3_000 {
      var bytes = random.bytes(Int(random.next() % 80))
      if round % 2 == 0, !bytes.isEmpty { bytes[0] = bytes[0] & 0x3f | 0x80 }
      for result in [pair.client.unprotect(bytes), pair.client.unprotectRTCP(bytes)] {
        guard case .rejected = result else {
          Issue.record("accepted \(Hex.encode(bytes))")
          continue
        }
      }
    }
    #expect(pair.client.inbound.sourceCount == 0)
  }

  @Test(arguments: Combination.all)
  func anExtensionLongerThanThePacketIsMalformed(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    var packet = pair.server.protect(rtpPacket(sequence: 9, extensionWords: 1, payload: Array(1...40)))
    for words in [UInt16(14), 0x7fff, 0xffff] {
      packet[14] = UInt8(words >> 8)
      packet[15] = UInt8(words & 0xff)
      #expect(pair.client.unprotect(packet) == .rejected(.malformed), "\(words) words")
    }
  }

  @Test(arguments: cipherBackends)
  func impossibleLengthsAreNotProtected(backend: SRTPBackendKind) throws {
    let pair = try TestPair(backend, .aeadAES128GCM)
    var bytes = rtpPacket(sequence: 1, payload: [1]).bytes
    bytes.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      for (header, payload) in [(11, 1), (12, -1), (12, 65_524), (-1, 1), (Int.max, Int.max), (12, Int.max)] {
        let length = pair.server.outbound.protectRTP(
          packet: start, headerLength: header, payload: start, payloadLength: payload, rolloverCounter: 0)
        #expect(length == 0)
      }
      #expect(pair.server.outbound.protectRTCP(start, length: 7, capacity: 100) == 0)
      #expect(pair.server.outbound.protectRTCP(start, length: Int.max - 4, capacity: Int.max) == 0)
      #expect(pair.client.unprotectRTP(start, length: Int.max) == .rejected(.malformed))
      #expect(pair.client.unprotectRTCP(start, length: -1) == .rejected(.malformed))
    }
  }
}
