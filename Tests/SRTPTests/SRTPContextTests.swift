import Primitives
import SRTP
import Testing

@Suite struct SRTPContextTests {
  @Test(arguments: Combination.all)
  func whatOneEndProtectsTheOtherReads(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    let shapes: [(Int, Int?, Int)] = [
      (0, nil, 1), (0, nil, 1_088), (3, nil, 20), (0, 0, 5), (0, 3, 160), (15, 9, 1_200),
    ]
    for (number, shape) in shapes.enumerated() {
      let packet = rtpPacket(
        sequence: UInt64(number), csrcs: shape.0, extensionWords: shape.1,
        payload: (0..<shape.2).map { UInt8(truncatingIfNeeded: $0) })
      let protected = pair.server.protect(packet, copies: number % 2 == 0)
      #expect(protected.count == packet.bytes.count + combination.profile.rtpOverhead)
      #expect(protected.prefix(packet.headerLength).elementsEqual(packet.bytes.prefix(packet.headerLength)))
      #expect(!protected.starts(with: packet.bytes) || shape.2 < 4)
      #expect(pair.client.unprotect(protected) == .plain(packet.bytes))
      #expect(pair.server.unprotect(protected) == .rejected(.authenticationFailed), "our own packet reflected")
    }
  }

  /// libsrtp2 refuses to protect an empty payload; our own format has no reason to.
  @Test(arguments: cipherBackends, SRTPProfile.allCases)
  func aPacketWithoutPayloadIsProtected(backend: SRTPBackendKind, profile: SRTPProfile) throws {
    let pair = try TestPair(backend, profile)
    let packet = rtpPacket(sequence: 1, payload: [])
    #expect(pair.client.unprotect(pair.server.protect(packet)) == .plain(packet.bytes))
    let report = rtcpPacket()
    #expect(pair.client.unprotectRTCP(pair.server.protectRTCP(report)) == .plain(report))
  }

  @Test(arguments: Combination.all)
  func aReplayIsRefused(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    let packet = pair.server.protect(rtpPacket(sequence: 7, payload: [1, 2, 3, 4]))
    let report = pair.server.protectRTCP(rtcpPacket(extra: [1, 2, 3, 4]))
    #expect(pair.client.unprotect(packet) != .rejected(.replayed))
    #expect(pair.client.unprotectRTCP(report) != .rejected(.replayed))
    #expect(pair.client.unprotect(packet) == .rejected(.replayed))
    #expect(pair.client.unprotectRTCP(report) == .rejected(.replayed))
    #expect(pair.client.inbound.statistics.accepted == 2)
    #expect(pair.client.inbound.statistics.replayed == 2)
  }

  @Test(arguments: Combination.all)
  func theReplayWindowEndsAfterItsSize(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    let packet = { (sequence: Int) in pair.server.protect(rtpPacket(sequence: UInt64(sequence), payload: [9, 9, 9, 9]))
    }
    let (tooOld, oldest, newest) = (packet(100), packet(101), packet(100 + SRTPInbound.rtpReplayWindowSize))
    #expect(pair.client.unprotect(newest) != .rejected(.authenticationFailed))
    #expect(pair.client.unprotect(tooOld) == .rejected(.tooOld))
    #expect(pair.client.unprotect(oldest) == .plain(rtpPacket(sequence: 101, payload: [9, 9, 9, 9]).bytes))
  }

  @Test(arguments: Combination.all)
  func theRTCPReplayWindowEndsAfterItsSize(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    let reports = (0...SRTPInbound.rtcpReplayWindowSize).map { _ in
      pair.server.protectRTCP(rtcpPacket(extra: [1, 2, 3, 4]))
    }
    #expect(pair.client.unprotectRTCP(reports[reports.count - 1]) == .plain(rtcpPacket(extra: [1, 2, 3, 4])))
    #expect(pair.client.unprotectRTCP(reports[0]) == .rejected(.tooOld))
    #expect(pair.client.unprotectRTCP(reports[1]) == .plain(rtcpPacket(extra: [1, 2, 3, 4])))
  }

  @Test(arguments: Combination.all)
  func tamperingIsRefusedAtEveryByteAndChangesNothing(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    let plain = rtpPacket(sequence: 65_535, csrcs: 1, extensionWords: 1, payload: Array(1...24))
    let packet = pair.server.protect(plain)
    for offset in packet.indices {
      for bit in [0, 5, 7] {
        var forged = packet
        forged[offset] ^= 1 << UInt8(bit)
        let result = pair.client.unprotect(forged)
        #expect(result == .rejected(.authenticationFailed) || result == .rejected(.malformed), "byte \(offset)")
      }
    }
    #expect(pair.client.inbound.sourceCount == 0)
    #expect(pair.client.unprotect(packet) == .plain(plain.bytes))
  }

  @Test(arguments: Combination.all)
  func tamperedRTCPIsRefusedAtEveryByte(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    let plain = rtcpPacket(extra: Array(1...24))
    let packet = pair.server.protectRTCP(plain)
    for offset in packet.indices {
      for bit in [0, 5, 7] {
        var forged = packet
        forged[offset] ^= 1 << UInt8(bit)
        guard case .rejected = pair.client.unprotectRTCP(forged) else {
          Issue.record("byte \(offset) bit \(bit) was accepted")
          continue
        }
      }
    }
    #expect(pair.client.inbound.sourceCount == 0)
    #expect(pair.client.unprotectRTCP(packet) == .plain(plain))
  }

  /// A forged packet far ahead must not move the rollover counter or the window.
  @Test(arguments: Combination.all)
  func aForgeryDoesNotMoveTheRolloverCounter(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    let payload: [UInt8] = [1, 2, 3, 4]
    let first = pair.server.protect(rtpPacket(sequence: 40_000, payload: payload))
    #expect(pair.client.unprotect(first) == .plain(rtpPacket(sequence: 40_000, payload: payload).bytes))
    for sequence in [UInt16(100), 7_000, 39_500, 40_001, 50_000, 65_000] {
      var forged = first
      forged[2] = UInt8(sequence >> 8)
      forged[3] = UInt8(sequence & 0xff)
      #expect(pair.client.unprotect(forged) == .rejected(.authenticationFailed), "\(sequence)")
    }
    let next = rtpPacket(sequence: 40_001, payload: payload)
    #expect(pair.client.unprotect(pair.server.protect(next)) == .plain(next.bytes))
    #expect(pair.client.inbound.sourceCount == 1)
  }

  @Test(arguments: Combination.all)
  func newSourcesAboveTheLimitAreDroppedAndCounted(_ combination: Combination) throws {
    let pair = try TestPair(combination.backend, combination.profile)
    let packet = { (ssrc: Int, sequence: UInt64) in
      pair.server.protect(rtpPacket(ssrc: UInt32(ssrc), sequence: sequence, payload: [1, 2, 3, 4]))
    }
    for ssrc in 1...SRTPInbound.maximumSources {
      #expect(pair.client.unprotect(packet(ssrc, 1)) != .rejected(.tooManySources))
    }
    #expect(pair.client.inbound.sourceCount == SRTPInbound.maximumSources)
    #expect(pair.client.unprotect(packet(1_000, 1)) == .rejected(.tooManySources))
    let report = pair.server.protectRTCP(rtcpPacket(ssrc: 1_001, extra: [0, 0, 0, 0]))
    #expect(pair.client.unprotectRTCP(report) == .rejected(.tooManySources))
    #expect(pair.client.inbound.statistics.tooManySources == 2)
    #expect(pair.client.unprotect(packet(1, 2)) != .rejected(.tooManySources), "a known source goes on")
  }

  @Test func rtcpThatDoesNotFitItsBufferIsNotProtected() throws {
    for profile in SRTPProfile.allCases {
      let context = try TestPair(.openSSL, profile).server
      var buffer = rtcpPacket() + [UInt8](repeating: 0, count: SRTPProfile.maximumOverhead)
      let fits = buffer.withUnsafeMutableBytes { buffer in
        buffer.baseAddress.map { start in
          [profile.rtcpOverhead - 1, profile.rtcpOverhead].map {
            context.outbound.protectRTCP(start, length: 8, capacity: 8 + $0)
          }
        }
      }
      #expect(fits == [0, 8 + profile.rtcpOverhead])
    }
  }

  @Test func outboundIsAPlainStruct() {
    func requirePlain<T: BitwiseCopyable>(_: T.Type) -> Int { MemoryLayout<T>.size }
    #expect(requirePlain(SRTPOutbound.self) == MemoryLayout<UnsafeRawPointer>.size)
    #expect(requirePlain(SRTPInbound.self) == MemoryLayout<UnsafeRawPointer>.size)
  }
}
