import ICE
import Primitives
import STUN
import Testing

@Suite struct RestartTests {
  @Test(arguments: [ICEMode.lite, .full])
  func theOldPathStaysUntilTheNewOneIsProven(server: ICEMode) {
    var simulation = connected(server)
    let oldPaths = simulation.agents.map(\.selectedPath)
    restartServer(&simulation)
    #expect(simulation.agents[0].acceptedUsernameFragments == ["serv2", "serv"])

    // The client has not heard of the restart yet: its consent checks are answered all the same.
    _ = simulation.run(for: .seconds(12))
    #expect(simulation.agents.map(\.selectedPath) == oldPaths)
    #expect(simulation.agents.allSatisfy { $0.state == .connected })

    restartClient(&simulation)
    simulation.agents[1].addLocalCandidate(.host(Ends.clientSecond))
    simulation.agents[1].removeLocalCandidates(base: Ends.client)
    simulation.agents[1].addRemoteCandidate(.host(Ends.server))
    #expect(simulation.agents.map(\.selectedPath) == oldPaths)
    #expect(simulation.run(for: .seconds(5)) { $0.isAgreed && $0.agents[0].selectedPath?.remote == Ends.clientSecond })
    #expect(simulation.states(of: 0) == [.checking, .connected], "media never stopped")
    #expect(simulation.states(of: 1) == [.checking, .connected])

    _ = simulation.run(for: .seconds(11))
    #expect(simulation.agents[0].acceptedUsernameFragments == ["serv2"])
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func theDeadOldPathIsReplaced(seed: UInt64) {
    var simulation = connected(.lite, seed: seed)
    simulation.link = .init(delay: .milliseconds(40), jitter: .milliseconds(30), loss: 0.2)
    simulation.dead = [Ends.client]
    #expect(simulation.run(for: .seconds(10)) { $0.agents.allSatisfy { $0.state == .disconnected } })
    restartServer(&simulation)
    restartClient(&simulation)
    simulation.agents[1].addLocalCandidate(.host(Ends.clientSecond))
    simulation.agents[1].addRemoteCandidate(.host(Ends.server))
    #expect(simulation.run(for: .seconds(30)) { $0.isAgreed && $0.agents[0].selectedPath?.remote == Ends.clientSecond })
  }

  @Test func aSecondRestartKeepsTheGenerationThatCarriesThePath() {
    var simulation = connected(.lite)
    restartServer(&simulation)
    simulation.agents[0].restart(localCredentials: Ends.credentials("serv3"), now: simulation.now)
    #expect(simulation.agents[0].acceptedUsernameFragments == ["serv3", "serv"])
    _ = simulation.run(for: .seconds(20))
    #expect(simulation.agents[0].state == .connected)
    #expect(simulation.agents[0].selectedPath != nil)
  }

  @Test func aFailedAgentStartsAgain() {
    var simulation = connected(.lite)
    simulation.dead = [Ends.client]
    #expect(simulation.run(for: .seconds(60)) { $0.agents.allSatisfy { $0.state == .failed } })
    simulation.dead = []
    restartServer(&simulation)
    restartClient(&simulation)
    simulation.agents[1].addRemoteCandidate(.host(Ends.server))
    #expect(simulation.run(for: .seconds(5)) { $0.isAgreed })
    #expect(simulation.states(of: 1) == [.checking, .connected, .disconnected, .failed, .checking, .connected])
  }

  /// Outages and restarts at random moments, signalled with random delays, over a bad link.
  @Test(arguments: 0..<25 as Range<UInt64>, [ICEMode.lite, .full])
  func aStormOfRestartsEndsInOnePath(seed: UInt64, server: ICEMode) {
    var random = RandomSource.seeded(seed &+ 1_000)
    var simulation = Ends.pair((server, .controlled), seed: seed)
    simulation.link = .init(delay: .milliseconds(30), jitter: .milliseconds(60), loss: 0.15, duplication: 0.1)
    for round in 0..<5 {
      _ = simulation.run(for: .milliseconds(Int64.random(in: 0...40_000, using: &random)))
      simulation.dead = Bool.random(using: &random) ? [Ends.client] : []
      _ = simulation.run(for: .milliseconds(Int64.random(in: 0...20_000, using: &random)))
      let names = ("serv\(round)x", "clie\(round)x")
      simulation.agents[0].restart(localCredentials: Ends.credentials(names.0), now: simulation.now)
      simulation.agents[0].setRemote(credentials: Ends.credentials(names.1))
      simulation.agents[0].addRemoteCandidate(.host(Ends.client))
      _ = simulation.run(for: .milliseconds(Int64.random(in: 0...3_000, using: &random)))
      simulation.agents[1].restart(localCredentials: Ends.credentials(names.1), now: simulation.now)
      simulation.agents[1].setRemote(credentials: Ends.credentials(names.0), isLite: server == .lite)
      simulation.agents[1].addRemoteCandidate(.host(Ends.server))
    }
    simulation.dead = []
    #expect(simulation.run(for: .seconds(60)) { $0.isAgreed })
    // Whatever carried the path before, the last generation carries it in the end.
    simulation.link.loss = 0
    _ = simulation.run(for: .seconds(60))
    #expect(simulation.agents.map(\.acceptedUsernameFragments) == [["serv4x"], ["clie4x"]])
    #expect(simulation.isAgreed)
  }

  private func connected(_ server: ICEMode, seed: UInt64 = 1) -> Simulation {
    var simulation = Ends.pair((server, .controlled), seed: seed)
    #expect(simulation.run(for: .seconds(5)) { $0.isAgreed })
    return simulation
  }

  private func restartServer(_ simulation: inout Simulation) {
    simulation.agents[0].restart(localCredentials: Ends.credentials("serv2"), now: simulation.now)
    simulation.agents[0].setRemote(credentials: Ends.credentials("clie2"))
  }

  private func restartClient(_ simulation: inout Simulation) {
    simulation.agents[1].restart(localCredentials: Ends.credentials("clie2"), now: simulation.now)
    simulation.agents[1].setRemote(credentials: Ends.credentials("serv2"))
  }
}
