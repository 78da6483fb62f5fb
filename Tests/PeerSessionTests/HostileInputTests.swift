import PeerSession
import Primitives
import RTP
import STUN
import SimulationSupport
import Testing

/// Datagrams that are not the peer's.
@Suite struct HostileInputTests {
  static let stranger = TransportAddress.simulated(66, 6)

  @Test func foreignSTUNProvesNothing() throws {
    let link = try Link()
    try link.connect()
    var random = RandomSource.seeded(4)
    let name = link.server.session.localCredentials.usernameFragment
    for (kind, key) in [(STUNClass.request, "wrong password, wrong password"), (.indication, nil), (.success, nil)] {
      let message = STUNMessage(
        kind, .binding, transactionID: STUNTransactionID(using: &random), attributes: [.username(name + ":clie")])
      let bytes = message.serialize(integrityKey: key.map { Array($0.utf8) }, fingerprint: true)
      #expect(link.inject(bytes, into: link.server, from: Self.stranger) == .rejected(.foreignSTUN), "\(kind)")
    }
    #expect(link.server.session.selectedPath?.remote == Link.home)
    #expect(link.server.closeReason == nil)
  }

  @Test func unknownProtocolsAreCounted() throws {
    let link = try Link()
    for first in [4, 19, 64, 79, 80, 127, 192, 255] as [UInt8] {
      let result = link.inject([first, 0, 0, 0], into: link.server, from: Self.stranger)
      #expect(result == .rejected(.unknownProtocol))
    }
    #expect(link.inject([], into: link.server, from: Self.stranger) == .rejected(.unknownProtocol))
    #expect(link.server.session.counters.unknownDatagrams == 8)
  }

  @Test func replayedAndForgedMediaIsRefused() throws {
    let link = try Link()
    let inbox = Inbox(of: link.server)
    try link.connect()
    link.sendRTP(1, from: link.client)
    link.sendRTP(1, from: link.client)
    link.simulator.run(for: .milliseconds(50))
    var forged = [UInt8](repeating: 1, count: 80)
    forged[0] = 0x80
    #expect(link.inject(forged, into: link.server, from: Link.home) == .rejected(.srtp(.authenticationFailed)))
    forged[1] = 200
    guard case .rejected(.srtp) = link.inject(forged, into: link.server, from: Link.home) else {
      Issue.record("forged RTCP was taken")
      return
    }
    #expect(inbox.numbers == [1])
    #expect(link.server.session.inboundStatistics?.replayed == 1)
  }

  /// Random bytes of every protocol at any time: before, during and after the handshake.
  @Test(arguments: 1...8) func garbageAtAnyPhaseHarmsNothing(seed: UInt64) throws {
    let link = try Link(seed: seed)
    let bad = SimulatedNetwork.Quality(delay: .milliseconds(20), jitter: .milliseconds(10), loss: 0.05)
    link.simulator.network.setLink(of: Link.home, up: bad, down: bad)
    var random = RandomSource.seeded(seed &+ 100)
    let heads: [UInt8] = [0, 1, 20, 21, 22, 23, 63, 128, 129, 144, 191, 5, 70, 255]
    defer { link.simulator.end() }
    link.simulator.every(.milliseconds(1)) {
      var bytes = random.bytes(Int(random.next() % 200) + 1)
      bytes[0] = heads[Int(random.next() % UInt64(heads.count))]
      if bytes.count > 12, random.next() % 2 == 0 {
        if bytes[0] < 4 {
          // Looks like STUN: length and magic cookie are right.
          bytes.replaceSubrange(2..<8, with: [0, UInt8((bytes.count - 20) & 0xfc), 0x21, 0x12, 0xa4, 0x42])
        } else if bytes[0] < 64 {
          // Looks like a DTLS 1.2 record of the first epoch.
          bytes.replaceSubrange(1..<12, with: [0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 9, 0, UInt8(max(0, bytes.count - 13))])
        }
      }
      for endpoint in [link.server, link.client] {
        _ = link.inject(bytes, into: endpoint, from: endpoint === link.server ? Link.home : Link.server)
      }
    }
    let inbox = Inbox(of: link.server)
    try #require(link.simulator.run(for: .seconds(20)) { link.areConnected })
    for number in 0..<100 {
      link.sendRTP(UInt16(number), from: link.client)
      link.simulator.run(for: .milliseconds(20))
    }
    #expect(inbox.numbers.count > 85)
    #expect(link.client.closeReason == nil && link.server.closeReason == nil)
  }

  /// Damaged copies of everything that travels: STUN, DTLS records, RTP and RTCP.
  @Test(arguments: 1...8) func damagedCopiesHarmNothing(seed: UInt64) throws {
    let link = try Link(seed: seed)
    let inbox = Inbox(of: link.server)
    try link.connect()
    var attacked = SimulatedNetwork.Quality()
    attacked.forgery = 0.5
    link.simulator.network.setLink(of: Link.home, up: attacked, down: attacked)
    let request = RTCPPacket.pictureLossIndication(.init(senderSSRC: SSRC(1), mediaSSRC: SSRC(2)))
    for number in 0..<500 {
      link.sendRTP(UInt16(number), from: link.client)
      link.client.session.sendRTCP(RTCPCompound.serialize([request]))
      link.simulator.run(for: .milliseconds(40))
    }
    link.simulator.run(for: .milliseconds(100))
    #expect(inbox.numbers == Array(0..<500))
    #expect(inbox.reports == Array(repeating: request, count: 500))
    #expect(link.server.rejections > 300)
    #expect(link.server.session.selectedPath?.remote == Link.home)
    #expect(link.client.closeReason == nil && link.server.closeReason == nil)
  }
}
