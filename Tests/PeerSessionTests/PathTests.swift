import ICE
import PeerSession
import Primitives
import STUN
import SimulationSupport
import Testing

/// The client moves to another network (DESIGN, decision 1: make before break).
@Suite struct PathTests {
  /// A client that sends a packet every 20 ms for as long as the simulation runs.
  private func sending(_ link: Link) -> Inbox {
    let inbox = Inbox(of: link.server)
    var number: UInt16 = 0
    let (client, simulator) = (link.client, link.simulator)
    simulator.every(.milliseconds(20)) {
      if link.sendRTP(number, from: client) { number &+= 1 }
    }
    return inbox
  }

  @Test func aRestartMovesMediaWithoutAGap() throws {
    let link = try Link()
    let inbox = sending(link)
    defer { link.simulator.end() }
    try link.connect()
    link.simulator.run(for: .seconds(2))
    link.pair.restart(at: Link.mobile, seed: 99, now: link.simulator.now)
    // The old path goes on for now; the new one is better because the old one is withdrawn.
    link.simulator.run(for: .seconds(5))
    #expect(zip(inbox.arrivals, inbox.arrivals.dropFirst()).allSatisfy { $1 - $0 <= .milliseconds(40) })
    #expect(inbox.numbers == (0..<UInt16(inbox.numbers.count)).map { $0 })
    #expect(link.client.closeReason == nil && link.server.closeReason == nil)
    #expect(link.server.events.count { if case .connected = $0.event { true } else { false } } == 1, "keys stay")
  }

  @Test func whenTheOldPathIsDeadMediaIsBackSoonAfterTheRestart() throws {
    let link = try Link()
    let inbox = sending(link)
    defer { link.simulator.end() }
    try link.connect()
    link.simulator.run(for: .seconds(3))
    link.simulator.network.setUp(false, Link.home)
    link.simulator.run(for: .seconds(1))
    let restart = link.simulator.now
    link.pair.restart(at: Link.mobile, seed: 99, now: restart)
    link.simulator.run(for: .seconds(4))
    let back = try #require(inbox.arrivals.first { $0 > restart })
    #expect(back - restart < .seconds(2), "\((back - restart).milliseconds) ms")
    #expect(link.server.session.selectedPath?.remote == Link.mobile)
    #expect(link.client.session.selectedPath?.local == Link.mobile)
    #expect(link.server.closeReason == nil)
  }

  @Test func bothGenerationsOfFragmentsAreAcceptedDuringARestart() throws {
    let link = try Link()
    try link.connect()
    let old = link.server.session.acceptedUsernameFragments
    link.pair.restart(at: Link.mobile, seed: 5, now: link.simulator.now)
    #expect(link.server.session.acceptedUsernameFragments.count == 2)
    #expect(link.server.session.acceptedUsernameFragments.contains(old[0]))
    link.simulator.run(for: .seconds(30))
    #expect(link.server.session.acceptedUsernameFragments == [link.server.session.localCredentials.usernameFragment])
  }

  @Test func aNATThatRebindsIsFollowed() throws {
    let link = try Link()
    let outside = TransportAddress.simulated(9, 9, port: 1_111)
    let moved = TransportAddress.simulated(9, 9, port: 2_222)
    link.simulator.network.translate(Link.home, to: outside)
    let inbox = sending(link)
    defer { link.simulator.end() }
    try link.connect()
    #expect(link.server.session.selectedPath?.remote == outside)
    link.simulator.run(for: .seconds(2))
    link.simulator.network.translate(Link.home, to: moved)
    link.simulator.run(for: .seconds(1))
    link.pair.restart(at: Link.home, seed: 3, now: link.simulator.now)
    link.simulator.run(for: .seconds(3))
    #expect(link.server.session.selectedPath?.remote == moved)
    #expect(inbox.numbers.count > 250)
  }

  // MARK: - Before the nomination

  /// A link on which the server hears of no nomination.
  private func withoutNomination() throws -> Link {
    let link = try Link()
    link.server.loses = { (try? $0.withUnsafeBytes { try STUNMessage(parsing: $0) })?.usesCandidate ?? false }
    try link.connect()
    return link
  }

  @Test func mediaTakesTheHandshakesPathWhileNoneIsNominated() throws {
    let link = try withoutNomination()
    #expect(link.server.session.selectedPath == nil, "the peer gets a moment to set up its keys and to choose")
    link.simulator.run(for: .milliseconds(50))
    #expect(link.server.session.selectedPath?.remote == Link.home)
    let inbox = Inbox(of: link.client)
    #expect(link.sendRTP(1, from: link.server))
    link.simulator.run(for: .milliseconds(20))
    #expect(inbox.numbers == [1])
    // The nomination of the same path is no news.
    link.server.loses = { _ in false }
    link.simulator.run(for: .seconds(5))
    #expect(link.server.session.iceState == .connected)
    #expect(pathChanges(of: link.server) == [Link.home])
  }

  @Test func aNominationOverrulesTheHandshakesPath() throws {
    let link = try withoutNomination()
    link.simulator.run(for: .milliseconds(50))
    link.server.loses = { _ in false }
    link.simulator.network.setUp(false, Link.home)
    link.pair.restart(at: Link.mobile, seed: 99, now: link.simulator.now)
    link.simulator.run(for: .seconds(5))
    #expect(link.server.session.selectedPath?.remote == Link.mobile)
    #expect(pathChanges(of: link.server).suffix(1) == [Link.mobile])
  }

  @Test func whoNominatesInTimeHasNoOtherPath() throws {
    let link = try Link()
    try link.connect()
    link.simulator.run(for: .seconds(1))
    #expect(pathChanges(of: link.server) == [Link.home])
  }

  private func pathChanges(of endpoint: Endpoint) -> [TransportAddress] {
    endpoint.events.compactMap { if case .pathChanged(let path) = $0.event { path.remote } else { nil } }
  }
}
