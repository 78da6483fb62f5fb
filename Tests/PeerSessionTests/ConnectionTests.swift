import DTLS
import ICE
import PeerSession
import Primitives
import RTP
import SimulationSupport
import Testing

/// From nothing to media, and to the end.
@Suite struct ConnectionTests {
  @Test func bothEndsConnectAndMediaFlowsBothWays() throws {
    let link = try Link()
    let (atClient, atServer) = (Inbox(of: link.client), Inbox(of: link.server))
    try link.connect()
    for number in 0..<100 {
      link.sendRTP(UInt16(number), from: link.client)
      link.sendRTP(UInt16(1_000 + number), from: link.server)
      link.simulator.run(for: .milliseconds(20))
    }
    link.simulator.run(for: .milliseconds(100))
    #expect(atServer.numbers == Array(0..<100))
    #expect(atClient.numbers == Array(1_000..<1_100))
    #expect(link.client.session.selectedPath == TransportPath(local: Link.home, remote: Link.server))
    #expect(link.server.session.selectedPath == TransportPath(local: Link.server, remote: Link.home))
    #expect(link.client.rejections + link.server.rejections == 0)
  }

  @Test func connectingTakesAHandfulOfRoundTrips() throws {
    let link = try Link()
    let slow = SimulatedNetwork.Quality(delay: .milliseconds(50))
    link.simulator.network.setLink(of: Link.home, up: slow, down: slow)
    let start = link.simulator.now
    try link.connect()
    #expect(link.simulator.now - start < .milliseconds(600))
  }

  @Test(arguments: 1...10) func aBadLinkIsNoObstacle(seed: UInt64) throws {
    let link = try Link(seed: seed)
    let bad = SimulatedNetwork.Quality(
      delay: .milliseconds(40), jitter: .milliseconds(30), loss: 0.2, duplication: 0.1, reordering: 0.1)
    link.simulator.network.setLink(of: Link.home, up: bad, down: bad)
    try link.connect()
  }

  @Test func reportsTravelBothWays() throws {
    let link = try Link()
    let (atClient, atServer) = (Inbox(of: link.client), Inbox(of: link.server))
    try link.connect()
    let request = RTCPPacket.pictureLossIndication(.init(senderSSRC: SSRC(1), mediaSSRC: SSRC(2)))
    link.client.session.sendRTCP(RTCPCompound.serialize([request]))
    link.server.session.sendRTCP(RTCPCompound.serialize([request, request]))
    link.simulator.run(for: .milliseconds(100))
    #expect(atServer.reports == [request])
    #expect(atClient.reports == [request, request])
  }

  @Test func mediaBeforeTheKeysIsRefused() throws {
    let link = try Link()
    let packet = [UInt8](repeating: 0x80, count: 60)
    #expect(link.inject(packet, into: link.server, from: Link.home) == .rejected(.noKeys))
    link.server.session.sendRTCP([0x80, 200, 0, 0])
    #expect(!link.sendRTP(1, from: link.client))
    try link.connect()
    #expect(link.server.session.counters.mediaBeforeKeys == 1)
  }

  @Test(arguments: [true, false]) func aWrongFingerprintEndsTheSession(isAtServer: Bool) throws {
    let other = try DTLSIdentity().fingerprint(.sha256)
    let link = try Link { configuration in
      if isAtServer {
        configuration.fingerprintExpectedByServer = other
      } else {
        configuration.fingerprintExpectedByClient = other
      }
    }
    link.simulator.run(for: .seconds(5))
    let judge = isAtServer ? link.server : link.client
    guard case .handshakeFailed(.fingerprintMismatch(let expected, _)) = judge.closeReason else {
      Issue.record("closed with \(String(describing: judge.closeReason))")
      return
    }
    #expect(expected == other)
    #expect(!judge.isConnected)
    #expect(judge.session.outbound == nil)
    #expect(judge.session.deadline == nil)
  }

  @Test(arguments: [true, false]) func eitherEndMayClose(isServer: Bool) throws {
    let link = try Link()
    try link.connect()
    let (closer, other) = isServer ? (link.server, link.client) : (link.client, link.server)
    closer.session.close(now: link.simulator.now)
    link.simulator.run(for: .milliseconds(100))
    #expect(closer.closeReason == .local)
    #expect(other.closeReason == .remote)
    for endpoint in [closer, other] {
      #expect(endpoint.session.deadline == nil)
      let isLast = if case .closed = endpoint.events.last?.event { true } else { false }
      #expect(isLast, "nothing follows the end")
    }
    let count = closer.events.count
    closer.session.close(now: link.simulator.now)
    link.simulator.run(for: .seconds(60))
    #expect(closer.events.count == count)
  }

  @Test func closingBeforeConnectingIsQuiet() throws {
    let link = try Link()
    link.client.session.close(now: link.simulator.now)
    link.simulator.run(for: .seconds(1))
    #expect(link.client.closeReason == .local)
    #expect(!link.server.isConnected)
  }

  @Test func aLostPathIsInterruptedThenClosed() throws {
    let link = try Link()
    try link.connect()
    link.simulator.network.setUp(false, Link.home)
    link.simulator.run(for: .seconds(10))
    for endpoint in [link.client, link.server] {
      #expect(endpoint.iceStates.last == .disconnected)
      #expect(endpoint.closeReason == nil)
    }
    link.simulator.run(for: .seconds(40))
    for endpoint in [link.client, link.server] { #expect(endpoint.closeReason == .pathLost) }
  }

  @Test func anInterruptionThatEndsIsForgotten() throws {
    let link = try Link()
    let atServer = Inbox(of: link.server)
    try link.connect()
    link.simulator.network.setUp(false, Link.home)
    link.simulator.run(for: .seconds(12))
    link.simulator.network.setUp(true, Link.home)
    for number in 0..<500 {
      link.sendRTP(UInt16(number), from: link.client)
      link.simulator.run(for: .milliseconds(20))
    }
    #expect(atServer.numbers.count > 490)
    #expect(link.server.iceStates.last == .connected)
    #expect(link.client.iceStates.last == .connected)
  }
}
