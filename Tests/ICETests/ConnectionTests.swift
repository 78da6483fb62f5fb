import ICE
import Primitives
import STUN
import Testing

@Suite struct ConnectionTests {
  @Test func fullAgentReachesLiteInOneRoundTrip() {
    var simulation = Ends.pair((.lite, .controlled))
    #expect(simulation.run(for: .seconds(1)) { $0.agents[1].selectedPath != nil })
    #expect(simulation.elapsed == 40)
    #expect(simulation.run(for: .seconds(1)) { $0.isAgreed })
    #expect(simulation.elapsed == 60)
    #expect(simulation.states(of: 0) == [.checking, .connected])
    #expect(simulation.states(of: 1) == [.checking, .connected])
  }

  @Test func fullAgentsAgree() {
    var simulation = Ends.pair((.full, .controlled))
    #expect(simulation.run(for: .seconds(1)) { $0.isAgreed })
    #expect(simulation.elapsed == 60)
  }

  @Test(arguments: [ICERole.controlling, .controlled], 0..<6 as Range<UInt64>)
  func roleConflictIsResolved(role: ICERole, seed: UInt64) {
    var simulation = Ends.pair((.full, role), (.full, role), seed: seed)
    #expect(simulation.run(for: .seconds(5)) { $0.isAgreed })
    #expect(simulation.agents[0].role != simulation.agents[1].role)
  }

  @Test func aLiteAgentMakesItsPeerControl() {
    var simulation = Ends.pair((.lite, .controlled))
    var client = Ends.agent(.full, .controlled, "clie", seed: 9)
    client.addLocalCandidate(.host(Ends.client))
    client.setRemote(credentials: Ends.credentials("serv"))  // nobody said that the peer is lite
    client.addRemoteCandidate(.host(Ends.server))
    simulation.agents[1] = client
    #expect(simulation.run(for: .seconds(5)) { $0.isAgreed })
    #expect(simulation.agents.map(\.role) == [.controlled, .controlling])
    #expect(simulation.outputs(of: 0).contains(.rejected(.roleConflict)))
  }

  @Test(arguments: 0..<20 as Range<UInt64>, [ICEMode.lite, .full])
  func aBadLinkOnlyDelays(seed: UInt64, server: ICEMode) {
    var simulation = Ends.pair((server, .controlled), seed: seed)
    simulation.link = .init(delay: .milliseconds(50), jitter: .milliseconds(80), loss: 0.3, duplication: 0.2)
    #expect(simulation.run(for: .seconds(35)) { $0.isAgreed })
  }

  @Test func candidatesMayComeLate() {
    var simulation = Ends.pair((.full, .controlled))
    var client = Ends.agent(.full, .controlling, "clie", seed: 9)
    client.addLocalCandidate(.host(Ends.client))
    simulation.agents[1] = client
    #expect(!simulation.run(for: .seconds(2)) { $0.agents[1].selectedPath != nil })
    simulation.agents[1].setRemote(credentials: Ends.credentials("serv"))
    simulation.agents[1].addRemoteCandidate(.host(Ends.server))
    #expect(simulation.run(for: .seconds(2)) { $0.isAgreed })
  }

  @Test func aCandidateOfAnotherGenerationIsIgnored() {
    var simulation = Ends.pair((.lite, .controlled))
    var client = Ends.agent(.full, .controlling, "clie", seed: 9)
    client.addLocalCandidate(.host(Ends.client))
    client.setRemote(credentials: Ends.credentials("serv"))
    var stale = ICECandidate.host(Ends.server)
    stale.usernameFragment = "old"
    client.addRemoteCandidate(stale)
    simulation.agents[1] = client
    #expect(!simulation.run(for: .seconds(2)) { $0.isAgreed })
    #expect(simulation.transmissions[1] == 0)
  }

  @Test(arguments: [ICEMode.lite, .full])
  func anAddressBehindNATIsLearnedFromTheCheck(server: ICEMode) {
    var simulation = Ends.pair((server, .controlled))
    let outside = TransportAddress.test(99, 1, port: 61_000)
    simulation.nat = [Ends.client: outside]
    #expect(simulation.run(for: .seconds(2)) { $0.isAgreed })
    #expect(simulation.agents[0].selectedPath?.remote == outside)
  }

  @Test func pacingSpreadsNewChecks() {
    var simulation = Ends.pair((.lite, .controlled))
    for host in 10..<20 as Range<UInt8> {
      simulation.agents[1].addRemoteCandidate(.host(.test(7, host)))
    }
    simulation.dead = [Ends.server]
    _ = simulation.run(for: .milliseconds(225))
    #expect(simulation.transmissions[1] == 5)
  }

  @Test func withoutAnyAnswerSetUpFails() {
    var simulation = Ends.pair((.lite, .controlled))
    simulation.dead = [Ends.server]
    #expect(simulation.run(for: .seconds(60)) { $0.agents.allSatisfy { $0.state == .failed } })
    #expect(simulation.elapsed == 39_500)
    #expect(simulation.transmissions[1] == ICEConfiguration.maximumTransmissions)
    #expect(simulation.transmissions[0] == 0)
  }

  @Test func aTCPPathIsTakenWhenUDPIsBlocked() {
    var simulation = Ends.pair((.lite, .controlled))
    let passive = TransportAddress.test(0, 1, port: 4_430)
    let active = TransportAddress.test(1, 2, port: 9)
    simulation.agents[0].addLocalCandidate(.host(passive, tcpType: .passive))
    simulation.agents[1].addLocalCandidate(.host(active, tcpType: .active))
    simulation.agents[1].addRemoteCandidate(.host(passive, tcpType: .passive))
    simulation.owners[passive] = 0
    simulation.owners[active] = 1
    simulation.dead = [Ends.server]
    #expect(simulation.run(for: .seconds(5)) { $0.isAgreed })
    #expect(simulation.agents[0].selectedPath?.transport == .tcp)
    #expect(simulation.elapsed < 500)
  }

  @Test func udpIsPreferredToTCPThatAnswersFirst() {
    var simulation = Ends.pair((.lite, .controlled))
    let passive = TransportAddress.test(0, 1, port: 4_430)
    let active = TransportAddress.test(1, 2, port: 9)
    simulation.agents[1].addLocalCandidate(.host(active, tcpType: .active))
    simulation.agents[1].addRemoteCandidate(.host(passive, tcpType: .passive))
    simulation.owners[passive] = 0
    simulation.owners[active] = 1
    simulation.dead = [Ends.server]
    _ = simulation.run(for: .milliseconds(200))
    simulation.dead = []
    simulation.agents[1].addLocalCandidate(.host(Ends.clientSecond))
    #expect(simulation.run(for: .seconds(5)) { $0.isAgreed })
    #expect(simulation.agents[1].selectedPath?.transport == .udp)
  }
}
