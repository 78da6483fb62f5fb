import ICE
import Primitives
import STUN
import Testing

/// A full agent against responses and requests made by hand.
@Suite struct FullAgentTests {
  let path = TransportPath(local: Ends.client, remote: Ends.server)
  let now = MonotonicTime(nanoseconds: 1_000_000_000)

  @Test func aGoodResponseSelectsAndNominates() throws {
    var agent = fullAgent()
    let check = try #require(firstCheck(&agent))
    #expect(!check.usesCandidate)
    #expect(check.username == "serv:clie")
    #expect(check.priority == ICECandidate.priority(type: .peerReflexive))
    let outputs = respond(.success, to: check, key: "serv", on: path, &agent)
    #expect(agent.selectedPath == path)
    let nomination = try #require(outputs.lazy.compactMap(RequestTests.transmitted).first)
    #expect(nomination.usesCandidate)
    #expect(nomination.transactionID != check.transactionID)
  }

  @Test func aForgedResponseIsRejectedAndTheCheckGoesOn() throws {
    var agent = fullAgent()
    let check = try #require(firstCheck(&agent))
    #expect(respond(.success, to: check, key: "else", on: path, &agent) == [.rejected(.badIntegrity)])
    #expect(agent.selectedPath == nil)
    _ = respond(.success, to: check, key: "serv", on: path, &agent)
    #expect(agent.selectedPath == path)
  }

  @Test func aResponseOverAnotherPathFailsThePair() throws {
    var agent = fullAgent()
    let check = try #require(firstCheck(&agent))
    let other = TransportPath(local: Ends.client, remote: .test(66, 6))
    #expect(respond(.success, to: check, key: "serv", on: other, &agent) == [])
    _ = respond(.success, to: check, key: "serv", on: path, &agent)
    #expect(agent.selectedPath == nil)
  }

  @Test func aForgedRoleConflictChangesNothing() throws {
    var agent = fullAgent()
    let check = try #require(firstCheck(&agent))
    _ = respond(.error, [.errorCode(.roleConflict)], to: check, key: "else", on: path, &agent)
    #expect(agent.role == .controlling)
    _ = respond(.error, [.errorCode(.roleConflict)], to: check, key: "serv", on: path, &agent)
    #expect(agent.role == .controlled)
  }

  /// The larger tie-breaker controls (RFC 8445 §7.3.1.1).
  @Test(arguments: [
    (ICERole.controlling, STUNAttribute.iceControlling(.max), ICERole.controlled),
    (.controlling, .iceControlling(0), .controlling),
    (.controlled, .iceControlled(.max), .controlled),
    (.controlled, .iceControlled(0), .controlling),
    (.controlling, .iceControlled(.max), .controlling),
    (.controlled, .iceControlling(.max), .controlled),
  ])
  func theLargerTieBreakerControls(role: ICERole, claim: STUNAttribute, expected: ICERole) {
    var agent = fullAgent(role)
    let request = RequestTests.request(username: "clie:serv", attributes: [.priority(1), claim])
    let bytes = request.serialize(integrityKey: Array(Ends.credentials("clie").password.utf8), fingerprint: true)
    bytes.withUnsafeBytes { agent.receive($0, on: path, now: now) }
    #expect(agent.role == expected)
  }

  private func fullAgent(_ role: ICERole = .controlling) -> ICEAgent {
    var agent = Ends.agent(.full, role, "clie", seed: 8)
    agent.addLocalCandidate(.host(Ends.client))
    agent.setRemote(credentials: Ends.credentials("serv"))
    agent.addRemoteCandidate(.host(Ends.server))
    return agent
  }

  private func firstCheck(_ agent: inout ICEAgent) -> STUNMessage? {
    agent.handleTimeout(now: now)
    return drain(&agent).lazy.compactMap(RequestTests.transmitted).first
  }

  private func respond(
    _ kind: STUNClass, _ attributes: [STUNAttribute] = [.xorMappedAddress(Ends.client)], to check: STUNMessage,
    key: String, on path: TransportPath, _ agent: inout ICEAgent
  ) -> [ICEAgent.Output] {
    STUNMessage(kind, .binding, transactionID: check.transactionID, attributes: attributes)
      .serialize(integrityKey: Array(Ends.credentials(key).password.utf8), fingerprint: true)
      .withUnsafeBytes { agent.receive($0, on: path, now: now + .milliseconds(30)) }
    return drain(&agent)
  }

  private func drain(_ agent: inout ICEAgent) -> [ICEAgent.Output] {
    var outputs: [ICEAgent.Output] = []
    while let output = agent.poll() { outputs.append(output) }
    return outputs
  }
}
