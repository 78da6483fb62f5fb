import ICE
import Primitives
import STUN
import Testing

@Suite struct GatheringTests {
  let stunServer = TransportAddress.test(200, 1, port: 3_478)
  let mapped = TransportAddress.test(99, 9, port: 50_000)
  let start = MonotonicTime(nanoseconds: 1_000_000_000)

  @Test func aMappedAddressBecomesAServerReflexiveCandidate() throws {
    var agent = Ends.agent(.full, .controlling, "clie", seed: 4, stunServers: [stunServer])
    agent.addLocalCandidate(.host(Ends.client))
    #expect(!agent.isGatheringComplete)
    try answer(&agent, at: start)
    let expected = ICEAgent.Output.candidateGathered(
      ICECandidate(
        foundation: ICECandidate.foundation(
          type: .serverReflexive, base: Ends.client.ip, transport: .udp, server: stunServer.ip),
        transport: .udp, priority: ICECandidate.priority(type: .serverReflexive), address: mapped,
        type: .serverReflexive, relatedAddress: Ends.client))
    #expect(agent.poll() == expected)
    #expect(agent.poll() == nil)
    #expect(agent.isGatheringComplete)
  }

  @Test func theBindingIsKeptOpenUntilThereIsAPath() throws {
    var agent = Ends.agent(.full, .controlling, "clie", seed: 4, stunServers: [stunServer])
    agent.addLocalCandidate(.host(Ends.client))
    try answer(&agent, at: start)
    _ = agent.poll()
    let refresh = try #require(agent.deadline)
    #expect((refresh - start).seconds == 15)
    try answer(&agent, at: refresh)
    #expect(agent.poll() == nil, "the same address is no news")
  }

  @Test func aSilentServerIsGivenUp() throws {
    var agent = Ends.agent(.full, .controlling, "clie", seed: 4, stunServers: [stunServer])
    agent.addLocalCandidate(.host(Ends.client))
    var steps = 0
    var sent = 0
    var now = start
    while let deadline = agent.deadline, steps < 100 {
      now = max(now, deadline)
      agent.handleTimeout(now: now)
      while agent.poll() != nil { sent += 1 }
      steps += 1
    }
    #expect(sent == ICEConfiguration.maximumTransmissions)
    #expect(agent.isGatheringComplete)
    #expect((now - start).seconds == 39.5)
  }

  @Test func aResponseFromElsewhereIsNotTaken() throws {
    var agent = Ends.agent(.full, .controlling, "clie", seed: 4, stunServers: [stunServer])
    agent.addLocalCandidate(.host(Ends.client))
    try answer(&agent, at: start, from: .test(66, 6))
    #expect(agent.poll() == .rejected(.unexpectedResponse))
    #expect(!agent.isGatheringComplete)
  }

  private func answer(
    _ agent: inout ICEAgent, at now: MonotonicTime, from source: TransportAddress? = nil
  ) throws {
    agent.handleTimeout(now: now)
    guard case .transmit(let bytes, let path)? = agent.poll() else {
      Issue.record("no question was sent")
      return
    }
    #expect(path == TransportPath(local: Ends.client, remote: stunServer))
    let request = try bytes.withUnsafeBytes { try STUNMessage(parsing: $0) }
    let response = STUNMessage(
      .success, .binding, transactionID: request.transactionID, attributes: [.xorMappedAddress(mapped)])
    response.serialize(integrityKey: nil, fingerprint: true).withUnsafeBytes {
      agent.receive($0, on: TransportPath(local: path.local, remote: source ?? path.remote), now: now)
    }
  }
}
