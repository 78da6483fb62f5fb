import MediaClient
import MediaServer
import Primitives
import SDP
import Testing

/// Signalling without HTTP: the offer goes straight to the media plane.
private struct DirectTarget: SignallingTarget {
  let name = "in process"
  let media: MediaServer

  func join(
    _ participant: LoadParticipant, from endpoint: ClientEndpoint, codec: MediaCodec
  ) async throws -> SignalledSession {
    let incident = try #require(IncidentID("load-\(participant.caller)"))
    return try await negotiate(participant, from: endpoint, codec: codec) { offer in
      try await media.connect(
        PeerRequest(
          incident: incident, permissions: participant.role == .caller ? .publish : .subscribe,
          name: participant.description, offer: offer)
      ).sdp
    }
  }

  func leave(_ participant: LoadParticipant) async {}
}

@Suite("A load run against a server in this process")
struct LoadRunTests {
  @Test(.timeLimit(.minutes(5)), arguments: [(1, true, false), (4, false, false), (4, true, true)])
  func `everyone connects, everything sent arrives and its delay is measured`(
    every: Int, sendsNACK: Bool, givesFeedback: Bool
  ) async throws {
    let media = try MediaServer(.init(addresses: [IPAddress(v4: 0x7f00_0001)]))
    var plan = LoadPlan()
    plan.callers = 2
    plan.viewers = 3
    plan.duration = .seconds(1)
    plan.behaviour = LoadReceiver.Behaviour(
      decryptsEvery: every, sendsNACK: sendsNACK, sendsTransportFeedback: givesFeedback)
    let run = try LoadRun(plan, clip: Clip(path: Fixtures.webm), target: DirectTarget(media: media)) { _ in }
    let result = try await run.run()
    let statistics = await media.statistics()
    await media.stop()
    // Only links that are measured are probed.
    let counted = { (name: String) in statistics.counters.first { $0.name == "sightline_\(name)_total" }?.value }
    let probes = try #require(counted("probes_sent"))
    #expect((probes > 0) == givesFeedback)
    #expect(counted("absurd_feedback") == 0)
    #expect(result.sessions.callers == 2 && result.sessions.viewers == 6 && result.sessions.receiving == 6)
    #expect(result.sessions.failures == [] && result.sessions.lost == 0)
    #expect(result.traffic.lostPackets == 0)
    // Each packet goes to three viewers. What is on its way at either end of the window blurs this, by less than a stream.
    #expect(abs(result.traffic.packetsPerSecond - 3 * result.traffic.sentPacketsPerSecond) < 250)
    #expect(result.delay.packets > result.counters.packets / UInt64(2 * every))
    #expect(result.delay.p50 > 0 && result.delay.p50 <= result.delay.p99)
    #expect(result.counters.rejected == 0 && result.counters.unknown == 0)
    #expect(result.setup.firstPacket?.count == 6)
  }
}
