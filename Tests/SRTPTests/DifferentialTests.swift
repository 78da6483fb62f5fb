import Primitives
import SRTP
import Testing

/// All backends over the same traffic: identical bytes out, identical verdicts in.
@Suite struct DifferentialTests {
  struct Scenario: CustomTestStringConvertible {
    let profile: SRTPProfile
    let seed: UInt64
    var testDescription: String { "\(profile) seed \(seed)" }

    static let all = SRTPProfile.allCases.flatMap { profile in
      (1...3).map { Scenario(profile: profile, seed: UInt64($0)) }
    }
  }

  struct Sent {
    let plain: [UInt8]
    let protected: [UInt8]
  }

  /// Three sources that start near 65,535 and wrap several times, with gaps, loss, reordering, delays beyond the
  /// window and duplicates.
  @Test(arguments: Scenario.all)
  func rtpIsIdenticalInAllBackends(scenario: Scenario) throws {
    var random = RandomSource.seeded(scenario.seed)
    let pairs = try availableBackends.map { try TestPair($0, scenario.profile, seed: scenario.seed) }
    var verdicts = Verdicts()
    for ssrc in [UInt32(1), 0x8000_0000, 0xffff_ffff] {
      let sent = sendRTP(ssrc: ssrc, from: pairs.map(\.server), using: &random)
      #expect(sent.last.map { $0.protected.isEmpty } == false)
      for packet in impaired(sent, farthest: 1_500, using: &random) {
        verdicts.count(compare(pairs) { $0.unprotect(packet.protected) }, plain: packet.plain)
      }
    }
    #expect(verdicts.accepted > 3_000)
    #expect(verdicts.replayed > 100)
    #expect(verdicts.tooOld > 10)
    // More than 2^15 late, where the nearest index is the wrong one.
    #expect((1..<200).contains(verdicts.authenticationFailed))
    #expect(verdicts.others == 0)
  }

  /// A sender's rollover counter may have any 32-bit value; no receiver of a test gets that far.
  @Test(arguments: SRTPProfile.allCases, [UInt32(1), 0x7fff, 0x1_0000, 0x8000_0001, 0xffff_ffff])
  func anyRolloverCounterGivesIdenticalPackets(profile: SRTPProfile, rollover: UInt32) throws {
    let senders = try availableBackends.map { try TestPair($0, profile).server }
    for sequence in [UInt64(0), 0x1234, 0xffff] {
      let packet = rtpPacket(sequence: sequence, payload: Array(1...50))
      #expect(agree(senders) { $0.protect(packet, rollover: rollover) }.count == 62 + profile.rtpOverhead)
    }
  }

  @Test(arguments: Scenario.all)
  func rtcpIsIdenticalInAllBackends(scenario: Scenario) throws {
    var random = RandomSource.seeded(scenario.seed)
    let pairs = try availableBackends.map { try TestPair($0, scenario.profile, seed: scenario.seed) }
    // libsrtp2 counts from 1, we from 0.
    for (pair, backend) in zip(pairs, availableBackends) where backend != .libsrtp2 {
      _ = pair.server.protectRTCP(rtcpPacket())
    }
    let sent = (0..<1_500).map { _ in
      let plain = rtcpPacket(extra: random.bytes(4 * Int(random.next() % 100)))
      return Sent(plain: plain, protected: agree(pairs.map(\.server)) { $0.protectRTCP(plain) })
    }
    var verdicts = Verdicts()
    for packet in impaired(sent, farthest: 900, using: &random) {
      verdicts.count(compare(pairs) { $0.unprotectRTCP(packet.protected) }, plain: packet.plain)
    }
    #expect(verdicts.accepted > 1_000)
    #expect(verdicts.replayed > 30)
    #expect(verdicts.tooOld > 5)
    #expect(verdicts.authenticationFailed == 0)
    #expect(verdicts.others == 0)
  }

  private func sendRTP(ssrc: UInt32, from senders: [SRTPContext], using random: inout RandomSource) -> [Sent] {
    var sequence = 65_530 + random.next() % 5
    return (0..<2_000).map { number in
      // The receiver learns rollover 0 from the first packets; then gaps let the number wrap again and again.
      sequence += number > 20 && random.next() % 16 == 0 ? random.next() % 8_000 : 1
      let packet = rtpPacket(
        ssrc: ssrc, sequence: sequence, csrcs: Int(random.next() % 3),
        extensionWords: random.next() % 2 == 0 ? nil : Int(random.next() % 5),
        payload: random.bytes(1 + Int(random.next() % (random.next() % 8 == 0 ? 1_200 : 90))))
      let copies = random.next() % 2 == 0
      let protected = agree(senders) { $0.protect(packet, rollover: UInt32(sequence >> 16), copies: copies) }
      return Sent(plain: packet.bytes, protected: protected)
    }
  }

  /// Loses 5 %, doubles 10 %, delays one in ten by up to 30 packets and one in fifty by up to `farthest`.
  private func impaired(_ sent: [Sent], farthest: UInt64, using random: inout RandomSource) -> [Sent] {
    var arrivals: [(time: UInt64, packet: Sent)] = []
    for (number, packet) in sent.enumerated() {
      // The first packet fixes the rollover counter, so it must come first.
      if number > 0, random.next() % 20 == 0 { continue }
      for _ in 0..<(random.next() % 10 == 0 ? 2 : 1) {
        let delay =
          number == 0
          ? 0 : random.next() % 50 == 0 ? random.next() % farthest : random.next() % 10 == 0 ? random.next() % 30 : 0
        arrivals.append((UInt64(number) + delay, packet))
      }
    }
    return arrivals.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
      .map(\.element.packet)
  }

  private func agree(_ contexts: [SRTPContext], _ protect: (SRTPContext) -> [UInt8]) -> [UInt8] {
    let outputs = contexts.map(protect)
    #expect(Set(outputs).count == 1)
    return outputs[0]
  }

  private func compare(_ pairs: [TestPair], _ receive: (SRTPContext) -> Unprotected) -> Unprotected {
    let results = pairs.map { receive($0.client) }
    #expect(Set(results).count == 1, "\(results)")
    return results[0]
  }

  struct Verdicts {
    var accepted = 0
    var replayed = 0
    var tooOld = 0
    var authenticationFailed = 0
    var others = 0

    mutating func count(_ result: Unprotected, plain: [UInt8]) {
      switch result {
      case .plain(let bytes):
        #expect(bytes == plain)
        accepted += 1
      case .rejected(.replayed): replayed += 1
      case .rejected(.tooOld): tooOld += 1
      case .rejected(.authenticationFailed): authenticationFailed += 1
      case .rejected: others += 1
      }
    }
  }
}
