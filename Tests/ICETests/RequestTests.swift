import ICE
import Primitives
import STUN
import Testing

/// A lite agent against requests made by hand.
@Suite struct RequestTests {
  let path = TransportPath(local: Ends.server, remote: Ends.client)
  let now = MonotonicTime(nanoseconds: 1_000_000_000)

  @Test func aGoodCheckIsAnsweredWithTheSourceAddress() throws {
    var agent = liteAgent()
    let request = Self.request(attributes: [.priority(1), .iceControlling(7)])
    let response = try deliver(request, to: &agent)
    #expect(response?.messageClass == .success)
    #expect(response?.transactionID == request.transactionID)
    #expect(response?.xorMappedAddress == Ends.client)
    #expect(agent.selectedPath == nil)
  }

  @Test func useCandidateSelects() throws {
    var agent = liteAgent()
    let outputs = outputs(of: Self.request(attributes: [.priority(1), .iceControlling(7), .useCandidate]), to: &agent)
    #expect(outputs.suffix(2) == [.selectedPathChanged(path), .stateChanged(.connected)])
  }

  @Test(
    arguments: [
      ("serv:clie", nil, [], 400, ICERejection.missingCredentials),
      ("nobody:clie", "serv", [], 401, .unknownUsernameFragment),
      ("serv:clie", "else", [], 401, .badIntegrity),
      ("serv", "serv", [], 400, .missingCredentials),
      ("serv:clie", "serv", [.unknown(type: 0x7007, value: [])], 420, .unknownAttributes([0x7007])),
      ("serv:clie", "serv", [.iceControlled(.max)], 487, .roleConflict),
    ] as [(String, String?, [STUNAttribute], UInt16, ICERejection)])
  func aForeignCheckIsRefused(
    username: String, key: String?, attributes: [STUNAttribute], code: UInt16, rejection: ICERejection
  ) throws {
    var agent = liteAgent()
    let request = Self.request(username: username, attributes: attributes + [.useCandidate])
    let bytes = request.serialize(
      integrityKey: key.map { Array(Ends.credentials($0).password.utf8) }, fingerprint: true)
    let outputs = outputs(of: bytes, to: &agent)
    #expect(outputs.contains(.rejected(rejection)))
    let response = try #require(outputs.lazy.compactMap(Self.transmitted).first)
    #expect(response.messageClass == .error)
    #expect(response.errorCode?.code == code)
    #expect(agent.selectedPath == nil)
    #expect(agent.state == .new)
  }

  @Test func sha256RequestsGetSHA256Answers() throws {
    var agent = liteAgent()
    let key = Array(Ends.credentials("serv").password.utf8)
    let bytes = Self.request(attributes: [.priority(1)])
      .serialize(integrityKey: key, fingerprint: true, algorithm: .sha256)
    guard case .transmit(let answer, _)? = outputs(of: bytes, to: &agent).first else {
      Issue.record("no answer")
      return
    }
    let integrity = try answer.withUnsafeBytes { try STUNMessage(parsing: $0).integrity(key: key, in: $0) }
    #expect(integrity == .valid(.sha256))
  }

  @Test func aBetterNominatedPathIsTakenAtOnce() {
    var agent = liteAgent()
    nominate(Ends.client, priority: 100, at: now, &agent)
    nominate(Ends.clientSecond, priority: 200, at: now, &agent)
    #expect(agent.selectedPath?.remote == Ends.clientSecond)
  }

  /// An RFC 5245 peer nominates every pair once, the best one too (RFC 5245 §8.1.1.2).
  @Test func aWorseNominatedPathIsNotTakenAtOnce() {
    var agent = liteAgent()
    nominate(Ends.client, priority: 200, at: now, &agent)
    nominate(Ends.clientSecond, priority: 100, at: now + .milliseconds(20), &agent)
    #expect(agent.selectedPath?.remote == Ends.client)
  }

  @Test func aWorsePathIsTakenWhenThePeerInsists() {
    var agent = liteAgent()
    nominate(Ends.client, priority: 200, at: now, &agent)
    nominate(Ends.clientSecond, priority: 100, at: now + .milliseconds(20), &agent)
    nominate(Ends.clientSecond, priority: 100, at: now + .milliseconds(70), &agent)
    #expect(agent.selectedPath?.remote == Ends.clientSecond)
  }

  @Test func aWorsePathIsTakenAtOnceWhenTheBetterOneIsQuiet() {
    var agent = liteAgent()
    nominate(Ends.client, priority: 200, at: now, &agent)
    nominate(Ends.clientSecond, priority: 100, at: now + .milliseconds(1_100), &agent)
    #expect(agent.selectedPath?.remote == Ends.clientSecond)
  }

  @Test func aRetransmittedNominationIsNoInsistence() {
    var agent = liteAgent()
    nominate(Ends.client, priority: 200, at: now, &agent)
    let again = Self.request(attributes: [.priority(100), .iceControlling(7), .useCandidate])
    let other = TransportPath(local: Ends.server, remote: Ends.clientSecond)
    for _ in 0..<3 { _ = outputs(of: again, to: &agent, on: other) }
    #expect(agent.selectedPath?.remote == Ends.client)
  }

  @Test func aFailedLiteAgentTakesANewNomination() {
    var agent = liteAgent()
    nominate(Ends.client, priority: 200, at: now, &agent)
    agent.handleTimeout(now: now + .seconds(31))
    #expect(agent.state == .failed)
    #expect(agent.selectedPath == nil)
    nominate(Ends.client, priority: 200, at: now + .seconds(32), &agent)
    #expect(agent.state == .connected)
  }

  @Test func pendingOutputsAreBounded() {
    var agent = liteAgent()
    let bytes = Self.request(attributes: [.priority(1)]).serialize(
      integrityKey: Array(Ends.credentials("serv").password.utf8), fingerprint: true)
    for _ in 0..<(2 * ICEConfiguration.maximumPendingOutputs) {
      bytes.withUnsafeBytes { agent.receive($0, on: path, now: now) }
    }
    var count = 0
    while agent.poll() != nil { count += 1 }
    #expect((ICEConfiguration.maximumPendingOutputs...ICEConfiguration.maximumPendingOutputs + 1).contains(count))
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func damagedMessagesNeitherTrapNorSelect(seed: UInt64) {
    var random = RandomSource.seeded(seed)
    var agents = [liteAgent(), Ends.agent(.full, .controlled, "serv", seed: seed)]
    let valid = Self.request(attributes: [.priority(1), .iceControlling(7), .useCandidate])
      .serialize(integrityKey: Array(Ends.credentials("serv").password.utf8), fingerprint: false)
    for _ in 0..<500 {
      var bytes = valid
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
      guard bytes != valid else { continue }
      for index in agents.indices {
        _ = outputs(of: bytes, to: &agents[index])
        #expect(agents[index].selectedPath == nil)
      }
    }
  }

  private func liteAgent() -> ICEAgent {
    var agent = Ends.agent(.lite, .controlled, "serv", seed: 3)
    agent.addLocalCandidate(.host(Ends.server))
    return agent
  }

  private func nominate(_ remote: TransportAddress, priority: UInt32, at time: MonotonicTime, _ agent: inout ICEAgent) {
    let request = Self.request(attributes: [.priority(priority), .iceControlling(7), .useCandidate])
    let path = TransportPath(local: Ends.server, remote: remote)
    _ = outputs(of: request, to: &agent, on: path, at: time)
  }

  static func request(username: String = "serv:clie", attributes: [STUNAttribute]) -> STUNMessage {
    var random = RandomSource.system
    return STUNMessage(
      .request, .binding, transactionID: STUNTransactionID(using: &random),
      attributes: [.username(username)] + attributes)
  }

  private func deliver(_ request: STUNMessage, to agent: inout ICEAgent) throws -> STUNMessage? {
    outputs(of: request, to: &agent).lazy.compactMap(Self.transmitted).first
  }

  private func outputs(
    of request: STUNMessage, to agent: inout ICEAgent, on path: TransportPath? = nil, at time: MonotonicTime? = nil
  ) -> [ICEAgent.Output] {
    let key = Array(Ends.credentials("serv").password.utf8)
    return outputs(
      of: request.serialize(integrityKey: key, fingerprint: true), to: &agent, on: path, at: time)
  }

  private func outputs(
    of bytes: [UInt8], to agent: inout ICEAgent, on path: TransportPath? = nil, at time: MonotonicTime? = nil
  ) -> [ICEAgent.Output] {
    bytes.withUnsafeBytes { agent.receive($0, on: path ?? self.path, now: time ?? now) }
    var outputs: [ICEAgent.Output] = []
    while let output = agent.poll() { outputs.append(output) }
    return outputs
  }

  static func transmitted(_ output: ICEAgent.Output) -> STUNMessage? {
    guard case .transmit(let bytes, _) = output else { return nil }
    return try? bytes.withUnsafeBytes { try STUNMessage(parsing: $0) }
  }
}
