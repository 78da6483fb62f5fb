import Primitives
import Relay
import SimulationSupport
import Testing

/// Short calls on networks made up by a seed: nothing traps, nothing spins, no viewer's stream is torn.
@Suite struct RandomCallTests {
  @Test(arguments: 0..<20) func anythingMayHappen(batch: UInt64) throws {
    let judged = try ((batch * 10)..<(batch * 10 + 10)).map { try call(seed: $0 + 1) }
    #expect(judged.reduce(0, +) > 5, "most sessions should survive")
  }

  /// Returns how many viewers had a session to judge at the end.
  private func call(seed: UInt64) throws -> Int {
    var random = RandomSource.seeded(seed)
    let call = try Call(seed: seed, viewers: 1 + Int(random.next() % 3))
    let addresses = [Call.callerAddress, Call.callerSecondAddress] + call.viewers.indices.map(Call.viewerAddress)
    for address in addresses { call.impair(address, Self.quality(&random)) }
    call.simulator.run(for: .milliseconds(1_500))
    for _ in 0..<6 {
      disturb(call, addresses, &random)
      call.simulator.run(for: .milliseconds(Int64(random.next() % 500)))
    }
    // Then all is well again: the picture must come back, provided the sessions have survived.
    for address in addresses { call.impair(address, SimulatedNetwork.Quality()) }
    call.callerPair.restart(at: Call.callerAddress, seed: seed, now: call.simulator.now)
    for (index, pair) in call.viewerPairs.enumerated() {
      pair.restart(at: Call.viewerAddress(index), seed: seed &+ UInt64(index) &+ 1, now: call.simulator.now)
    }
    call.simulator.run(for: .milliseconds(4_000))
    let end = call.simulator.now
    var judged = 0
    for (viewer, pair) in zip(call.viewers, call.viewerPairs) {
      #expect(viewer.foreignPackets == 0, "seed \(seed)")
      #expect(viewer.sequences.count == viewer.packets - viewer.duplicates, "seed \(seed)")
      guard pair.client.isConnected, pair.server.isConnected, call.callerPair.server.isConnected else { continue }
      judged += 1
      let isRunning = viewer.decoded.last.map { end - $0.capturedAt < .milliseconds(500) } ?? false
      #expect(isRunning, "seed \(seed): the picture did not come back")
    }
    #expect(call.relay.counters.packetsForwarded < 200_000, "seed \(seed)")
    return judged
  }

  private func disturb(_ call: Call, _ addresses: [TransportAddress], _ random: inout RandomSource) {
    let address = addresses[Int(random.next() % UInt64(addresses.count))]
    switch random.next() % 5 {
    case 0: call.simulator.network.setUp(false, address)
    case 1: call.simulator.network.setUp(true, address)
    case 2: call.impair(address, Self.quality(&random))
    case 3:
      call.simulator.network.translate(
        address, to: .simulated(200, UInt8(truncatingIfNeeded: random.next()), port: 7_000))
    default:
      let target = random.next() % 2 == 0 ? Call.callerAddress : Call.callerSecondAddress
      call.callerPair.restart(at: target, seed: random.next(), now: call.simulator.now)
    }
  }

  private static func quality(_ random: inout RandomSource) -> SimulatedNetwork.Quality {
    func share(_ limit: Double) -> Double {
      random.next() % 2 == 0 ? 0 : Double(random.next() % 1_000) / 1_000 * limit
    }
    return SimulatedNetwork.Quality(
      delay: .milliseconds(Int64(random.next() % 100)), jitter: .milliseconds(Int64(random.next() % 60)),
      loss: share(0.3), duplication: share(0.3), reordering: share(0.3),
      rate: random.next() % 3 == 0 ? 300_000 + Int(random.next() % 3_000_000) : nil)
  }
}
