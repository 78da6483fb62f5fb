import ICE
import Primitives
import STUN
import Testing

@Suite struct LivenessTests {
  @Test(arguments: [ICEMode.lite, .full], 0..<4 as Range<UInt64>)
  func anIdleConnectionStaysConnected(server: ICEMode, seed: UInt64) {
    var simulation = connected(server, seed: seed)
    _ = simulation.run(for: .seconds(600))
    #expect(simulation.states(of: 0) == [.checking, .connected])
    #expect(simulation.states(of: 1) == [.checking, .connected])
  }

  @Test(arguments: [ICEMode.lite, .full])
  func silenceInterruptsThenFails(server: ICEMode) {
    var simulation = connected(server)
    simulation.dead = [Ends.client]
    let start = simulation.now
    #expect(simulation.run(for: .seconds(60)) { $0.agents.allSatisfy { $0.state == .failed } })
    for agent in 0..<2 {
      #expect(simulation.states(of: agent) == [.checking, .connected, .disconnected, .failed])
      let times = simulation.events[agent].suffix(2).map { ($0.time - start).seconds }
      #expect(times.allSatisfy { $0 <= 31 } && (times.first ?? 0) < 7.1)
      #expect((times.last ?? 0) > 29)
      #expect(simulation.agents[agent].selectedPath == nil)
    }
  }

  @Test func aPeerThatComesBackIsConnectedAgain() {
    var simulation = connected(.lite)
    simulation.dead = [Ends.client]
    #expect(simulation.run(for: .seconds(15)) { $0.agents.allSatisfy { $0.state == .disconnected } })
    simulation.dead = []
    #expect(simulation.run(for: .seconds(10)) { $0.isAgreed })
  }

  @Test func trafficCountsAsLifeOnlyOnTheSelectedPath() throws {
    var simulation = connected(.lite)
    let path = try #require(simulation.agents[0].selectedPath)
    let other = TransportPath(local: Ends.server, remote: Ends.clientSecond)
    simulation.dead = [Ends.client]
    for _ in 0..<10 {
      _ = simulation.run(for: .seconds(1))
      simulation.agents[0].noteTraffic(on: path, now: simulation.now)
    }
    #expect(simulation.agents[0].state == .connected)
    for _ in 0..<10 {
      _ = simulation.run(for: .seconds(1))
      simulation.agents[0].noteTraffic(on: other, now: simulation.now)
    }
    #expect(simulation.agents[0].state == .disconnected)
    simulation.agents[0].noteTraffic(on: path, now: simulation.now)
    #expect(simulation.agents[0].state == .connected)
  }

  /// Traffic arrives, but our checks are not answered: the peer has not consented (RFC 7675 §5.1).
  @Test func trafficIsNoConsent() throws {
    var simulation = connected(.lite)
    let path = try #require(simulation.agents[1].selectedPath)
    simulation.dead = [Ends.server]
    for _ in 0..<40 {
      _ = simulation.run(for: .seconds(1))
      simulation.agents[1].noteTraffic(on: path, now: simulation.now)
    }
    #expect(simulation.agents[1].state == .failed)
  }

  @Test func consentChecksAreFourToSixSecondsApart() {
    var simulation = connected(.lite)
    _ = simulation.run(for: .seconds(2))
    let before = simulation.transmissions[1]
    _ = simulation.run(for: .seconds(300))
    #expect((50...75).contains(simulation.transmissions[1] - before))
  }

  @Test func aLiteAgentSendsOnlyAnswersAndKeepalives() {
    var simulation = connected(.lite)
    _ = simulation.run(for: .seconds(2))
    simulation.dead = [Ends.client]
    let before = simulation.transmissions[0]
    _ = simulation.run(for: .seconds(20))
    #expect(simulation.transmissions[0] - before == 1)
  }

  private func connected(_ server: ICEMode, seed: UInt64 = 1) -> Simulation {
    var simulation = Ends.pair((server, .controlled), seed: seed)
    #expect(simulation.run(for: .seconds(5)) { $0.isAgreed })
    return simulation
  }
}
