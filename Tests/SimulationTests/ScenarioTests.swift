import Primitives
import Relay
import SimulationSupport
import Testing

/// Whole calls on simulated networks.
@Suite struct ScenarioTests {
  static let impaired = SimulatedNetwork.Quality(delay: .milliseconds(50), jitter: .milliseconds(20), loss: 0.05)

  /// A call of 20 s in which the caller and the first of two viewers have bad links.
  private func impairedCall(seed: UInt64) throws -> Call {
    let call = try Call(seed: seed, viewers: 2)
    call.impair(Call.callerAddress, Self.impaired)
    call.impair(Call.viewerAddress(0), Self.impaired)
    try #require(call.connect())
    call.simulator.run(for: .seconds(20))
    return call
  }

  @Test(arguments: 1...6) func thePictureKeepsRunningOnABadLink(seed: UInt64) throws {
    let call = try impairedCall(seed: seed)
    let end = call.simulator.now + TimeInterval64.seconds(-2)
    let start = end + TimeInterval64.seconds(-15)
    for viewer in call.viewers {
      let complete = viewer.completeShare(from: start, to: end, within: .milliseconds(600))
      #expect(complete >= 0.97, "\(complete)")
      // A packet that repair does not bring in time costs all frames up to the keyframe that is then asked for.
      let shown = viewer.share(from: start, to: end, within: .milliseconds(600))
      #expect(shown >= 0.97, "\(shown)")
      #expect(viewer.foreignPackets == 0)
      #expect(viewer.senderReports > 10)
    }
    let counters = call.relay.counters
    #expect(counters.nacksSent > 50)
    #expect(counters.recovered > 50)
    #expect(counters.retransmitted > 50)
    #expect(call.viewers[0].repaired > 50)
    #expect(call.caller.retransmitted > 50)
    #expect(call.caller.keyframesSent < 15, "repair, not keyframes")
  }

  @Test func oneSeedIsOneCourseOfEvents() throws {
    let first = try impairedCall(seed: 7)
    let second = try impairedCall(seed: 7)
    let other = try impairedCall(seed: 8)
    #expect(first.trace == second.trace)
    #expect(first.viewers[0].packets == second.viewers[0].packets)
    #expect(first.trace != other.trace)
  }

  @Test(arguments: 1...5) func aCallerThatChangesNetworksIsTheSameStream(seed: UInt64) throws {
    let call = try Call(seed: seed, viewers: 2)
    try #require(call.connect())
    call.simulator.run(for: .seconds(10))
    call.simulator.network.setUp(false, Call.callerAddress)
    call.simulator.run(for: .seconds(1))
    let restart = call.simulator.now
    call.callerPair.restart(at: Call.callerSecondAddress, seed: seed, now: restart)
    call.simulator.run(for: .seconds(5))
    for viewer in call.viewers {
      let back = try #require(viewer.decoded.first { $0.decodedAt > restart })
      #expect(back.decodedAt - restart < .seconds(2), "\((back.decodedAt - restart).milliseconds) ms")
      #expect(viewer.foreignPackets == 0)
      let end = call.simulator.now + TimeInterval64.milliseconds(-500)
      #expect(viewer.share(from: end + TimeInterval64.seconds(-2), to: end, within: .milliseconds(200)) > 0.97)
    }
    let statistics = try #require(call.viewerPairs[0].client.session.inboundStatistics)
    #expect(statistics.authenticationFailed + statistics.replayed + statistics.tooOld == 0)
    #expect(call.callerPair.server.closeReason == nil)
  }

  @Test(arguments: 1...5) func whoJoinsLateSeesAPictureAtOnce(seed: UInt64) throws {
    let call = try Call(seed: seed, viewers: 1)
    let distance = SimulatedNetwork.Quality(delay: .milliseconds(50))
    call.impair(Call.callerAddress, distance)
    try #require(call.connect())
    call.simulator.run(for: .seconds(8))
    call.impair(Call.viewerAddress(1), distance)
    let viewer = try call.addViewer()
    try #require(call.connect())
    let connected = try #require(
      call.viewerPairs[1].server.events.first { if case .connected = $0.event { true } else { false } }?.time)
    call.simulator.run(for: .seconds(3))
    let picture = try #require(viewer.decoded.first)
    #expect(picture.decodedAt - connected <= .milliseconds(100), "one round trip")
    let live = try #require(viewer.decoded.first { $0.decodedAt - $0.capturedAt < .milliseconds(150) })
    #expect(live.decodedAt - connected < .milliseconds(400), "a request and a keyframe travel there and back")
    #expect(viewer.keyframesRequested == 0)
  }

  @Test func oneBadViewerIsNobodyElsesProblem() throws {
    let call = try Call(seed: 5, viewers: 4)
    call.impair(Call.viewerAddress(2), SimulatedNetwork.Quality(delay: .milliseconds(60), loss: 0.10))
    try #require(call.connect())
    let start = call.simulator.now + .seconds(1)
    call.simulator.run(for: .seconds(15))
    let end = call.simulator.now + TimeInterval64.seconds(-1)
    for index in [0, 1, 3] {
      #expect(call.viewers[index].share(from: start, to: end, within: .milliseconds(50)) > 0.99)
      #expect(call.viewers[index].repaired == 0)
      #expect(call.viewers[index].duplicates == 0)
    }
    #expect(call.viewers[2].repaired > 50)
    #expect(call.viewers[2].share(from: start, to: end, within: .milliseconds(700)) > 0.95)
  }
}
