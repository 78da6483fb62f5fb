import COpenSSL
import Primitives
import Testing

import DTLS

@Suite struct RobustnessTests {
  @Test(arguments: 1...10)
  func randomDatagramsDoNotDisturbAHandshake(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    let pair = try SimulatedPair()
    pair.tamper = { [unowned pair] datagram, destination in
      for _ in 0..<10 {
        let garbage = random.bytes(Int(random.next() % 200))
        (destination == .client ? pair.client : pair.server).receive(garbage, now: pair.now)
      }
      return datagram
    }
    pair.handshake()
    #expect(pair.parameters != nil)
  }

  @Test(arguments: [
    // Unknown type, unprotected application data, a warning, an alert of the wrong size, an empty record.
    [30, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0], [23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0],
    [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0], [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 2],
    [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0],
    // Foreign epochs and versions.
    [22, 0xfe, 0xfd, 0, 7, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3], [22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3],
    [23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3],
    [21, 0xfe, 0xfd, 0xff, 0xff, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40],
  ])
  func foreignRecordsDoNotDisturbAHandshake(record: [UInt8]) throws {
    let pair = try SimulatedPair()
    pair.tamper = { [unowned pair] datagram, destination in
      for _ in 0..<20 { (destination == .client ? pair.client : pair.server).receive(record, now: pair.now) }
      return record + datagram
    }
    pair.handshake()
    #expect(pair.parameters != nil)
    for transport in [pair.client, pair.server] {
      for _ in 0..<20 { transport.receive(record, now: pair.now) }
      #expect(transport.state.isConnected)
    }
  }

  @Test(arguments: 1...60)
  func mutatedHandshakesEndInAState(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    let pair = try SimulatedPair()
    pair.tamper = { datagram, _ in
      guard random.next() % 2 == 0 else { return datagram }
      return mutate(datagram, using: &random)
    }
    pair.client.start(now: pair.now)
    pair.run { pair.parameters != nil }
    #expect(pair.client.state.isConnected || pair.client.state.isTerminal)
    #expect(ERR_peek_error() == 0)
    if let parameters = pair.parameters { #expect(parameters.client == parameters.server) }
  }

  @Test(arguments: 1...10)
  func mutatedRecordsDoNotDisturbAConnection(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    let pair = try SimulatedPair()
    pair.handshake()
    for index in 0..<50 {
      let message = [UInt8(index), 1, 2, 3]
      pair.client.sendApplicationData(message)
      for datagram in pair.client.drainDatagrams() {
        for _ in 0..<5 {
          pair.server.receive(mutate(datagram, using: &random), now: pair.now)
          #expect(pair.server.drainMessages().allSatisfy { $0 == message })
        }
      }
    }
    #expect(pair.server.state.isConnected)
    #expect(ERR_peek_error() == 0)
  }

  @Test func truncatedDatagramsDoNotTrap() throws {
    let pair = try SimulatedPair()
    var seen: [(datagram: [UInt8], destination: DTLSRole)] = []
    pair.tamper = { datagram, destination in
      seen.append((datagram, destination))
      return datagram
    }
    pair.handshake()
    for (datagram, destination) in seen {
      let fresh = try SimulatedPair()
      let target = destination == .client ? fresh.client : fresh.server
      if destination == .client { fresh.client.start(now: fresh.now) }
      for length in 0..<datagram.count { target.receive(Array(datagram[..<length]), now: fresh.now) }
      #expect(ERR_peek_error() == 0)
    }
    #expect(seen.count >= 4)
  }

  @Test func oneBadPeerDoesNotPoisonAnother() throws {
    let identity = try DTLSIdentity()
    let peer = try DTLSIdentity()
    let now = MonotonicTime.zero
    // A well-formed record with a handshake message that cannot be.
    let nonsense: [UInt8] = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    let bad = DTLSTransport(identity: identity, role: .server, expectedPeer: peer.fingerprint(.sha256))
    let good = DTLSTransport(identity: identity, role: .server, expectedPeer: peer.fingerprint(.sha256))
    let client = DTLSTransport(identity: peer, role: .client, expectedPeer: identity.fingerprint(.sha256))
    client.start(now: now)
    for _ in 0..<6 {
      bad.receive(nonsense, now: now)
      for datagram in client.drainDatagrams() { good.receive(datagram, now: now) }
      for datagram in good.drainDatagrams() { client.receive(datagram, now: now) }
    }
    guard case .failed(.protocolViolation) = bad.state else {
      Issue.record("expected a protocol violation, not \(bad.state)")
      return
    }
    #expect(bad.nextDatagram()?.first == 21)
    #expect(good.state.isConnected)
    #expect(client.state.isConnected)
  }

  @Test func oneIdentityServesManyThreads() async throws {
    let (ours, theirs) = (try DTLSIdentity(), try DTLSIdentity())
    let connected = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<16 {
        group.addTask {
          let server = DTLSTransport(identity: ours, role: .server, expectedPeer: theirs.fingerprint(.sha256))
          let client = DTLSTransport(identity: theirs, role: .client, expectedPeer: ours.fingerprint(.sha256))
          client.start(now: .zero)
          for _ in 0..<6 {
            for datagram in client.drainDatagrams() { server.receive(datagram, now: .zero) }
            for datagram in server.drainDatagrams() { client.receive(datagram, now: .zero) }
          }
          return server.state.isConnected && client.state.isConnected
        }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(connected == 16)
  }

  private func mutate(_ datagram: [UInt8], using random: inout RandomSource) -> [UInt8] {
    var mutated = datagram
    switch random.next() % 3 {
    case 0:
      mutated.removeLast(Int(random.next() % UInt64(datagram.count)))
    case 1:
      for _ in 0...(random.next() % 4) {
        mutated[Int(random.next() % UInt64(mutated.count))] ^= 1 << UInt8(random.next() % 8)
      }
    default:
      mutated += random.bytes(Int(random.next() % 40))
    }
    return mutated
  }
}

@Suite struct RecordRunsTests {
  private let good: [UInt8] = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 8, 9]
  private let bad: [UInt8] = [99, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 8]

  @Test func adjacentRecordsStayTogether() {
    #expect(runs(of: good + good, limit: 100) == [good + good])
  }

  @Test func aLimitCutsBetweenRecords() {
    #expect(runs(of: good + good + good, limit: 31) == [good + good, good])
    #expect(runs(of: good + good, limit: 15) == [good, good])
  }

  @Test func aRecordLongerThanTheLimitIsLeftOut() {
    #expect(runs(of: good + good, limit: 14) == [])
  }

  @Test func unacceptableRecordsAreLeftOut() {
    #expect(runs(of: bad + good + bad + bad + good, limit: 100) == [good, good])
    #expect(runs(of: bad, limit: 100) == [])
  }

  @Test func anIncompleteTailIsLeftOut() {
    for length in 0..<good.count { #expect(runs(of: good + good[..<length], limit: 100) == [good]) }
    #expect(runs(of: [], limit: 100) == [])
  }

  @Test func aUnifiedHeaderKeepsTheRestInOnePiece() {
    let protected: [UInt8] = [0b0010_1111, 1, 2, 3, 4]
    #expect(runs(of: good + protected, limit: 100) == [good + protected])
  }

  private func runs(of datagram: [UInt8], limit: Int) -> [[UInt8]] {
    datagram.withUnsafeBytes { bytes in
      var records = DTLSRecordRuns(bytes)
      var result: [[UInt8]] = []
      while let run = records.next(limit: limit) { result.append(Array(run)) }
      return result
    }
  }
}
