import MediaClient
import MediaServer
import Primitives
import Synchronization
import Testing

/// A crowd of viewers on several media threads.
@Suite(.serialized) struct AnnexTests {
  @Test(
    "a viewer stays at home unless another thread has far less to do",
    arguments: [
      ([0], 0, 0), ([500], 0, 0), ([0, 0, 0], 1, 1), ([15, 0], 0, 0), ([16, 0], 0, 1), ([40, 25, 24], 0, 2),
      ([40, 25, 25], 0, 0), ([3, 80], 0, 0), ([80, 3], 0, 1), ([90, 70, 20, 60], 2, 2),
    ])
  func placement(peers: [Int], home: Int, expected: Int) {
    #expect(Placement.thread(home: home, peers: peers) == expected)
  }

  /// A server of three threads with a caller and a crowd.
  private struct Crowd {
    let stage: Stage
    let incident: IncidentID
    let caller: (peer: PeerID, events: AsyncStream<ClientPeer.ClientEvent>)
    var viewers: [(peer: PeerID, receiver: CountingReceiver)] = []
    let clip: Clip

    init(viewers count: Int) async throws {
      stage = try Stage(shards: 3)
      incident = try #require(IncidentID("crowd"))
      clip = try Clip(path: clipPath)
      caller = try await stage.join(incident, .publish(clip.codec), clip: clip)
      for _ in 0..<count {
        let receiver = CountingReceiver()
        let joined = try await stage.join(incident, .watch(slots: 1), receiver: receiver)
        viewers.append((joined.peer, receiver))
      }
    }

    func row(_ name: String) async -> UInt64? {
      let statistics = await stage.server.statistics()
      return (statistics.counters + statistics.gauges).first { $0.name == name }?.value
    }
  }

  @Test func everybodyInACrowdSeesTheCaller() async throws {
    let crowd = try await Crowd(viewers: 60)
    try await eventually("every viewer gets sound and picture", within: .seconds(20)) {
      crowd.viewers.allSatisfy { $0.receiver.counts.packets > 300 && $0.receiver.counts.ssrcs.count == 2 }
    }
    for viewer in crowd.viewers {
      #expect(viewer.receiver.counts.lost == 0)
      #expect(viewer.receiver.counts.rejected == 0)
      #expect(viewer.receiver.counts.keyframes > 0)
    }
    #expect(await crowd.row("sightline_mirrored_sources") == 4, "sound and picture on two further threads")
    #expect(await crowd.row("sightline_mirrors_dropped_total") == 0)
    #expect(await crowd.row("sightline_peers") == 61)
    #expect(await crowd.row("sightline_incidents") == 1)
    #expect(await crowd.row("sightline_sources") == 2)
    let overview = await crowd.stage.server.overview(of: crowd.incident)
    #expect(overview.sources.count == 2)
    #expect(Set(overview.peers.map(\.id)) == Set(crowd.viewers.map(\.peer) + [crowd.caller.peer]))
    #expect(overview.peers.allSatisfy { $0.state == .connected })
    await crowd.stage.close()
  }

  @Test func aCallerWhoComesAgainIsSeenByTheWholeCrowd() async throws {
    let crowd = try await Crowd(viewers: 40)
    try await eventually("everybody sees the first caller", within: .seconds(20)) {
      crowd.viewers.allSatisfy { $0.receiver.counts.keyframes > 0 && $0.receiver.counts.ssrcs.count == 2 }
    }
    let before = crowd.viewers.map(\.receiver.counts)
    await crowd.stage.server.disconnect(crowd.caller.peer, reason: "test")
    try await eventually("nothing is left of the first caller") {
      await crowd.row("sightline_mirrored_sources") == 0
    }
    _ = try await crowd.stage.join(crowd.incident, .publish(crowd.clip.codec), clip: crowd.clip)
    try await eventually("everybody sees the second caller") {
      zip(crowd.viewers, before).allSatisfy { $0.receiver.counts.keyframes > $1.keyframes }
    }
    for (viewer, before) in zip(crowd.viewers, before) {
      #expect(viewer.receiver.counts.lost == 0)
      #expect(viewer.receiver.counts.ssrcs == before.ssrcs, "the same slots")
    }
    await crowd.stage.close()
  }

  @Test func aViewerFarFromHomeIsServedLikeAnyOther() async throws {
    let crowd = try await Crowd(viewers: 40)
    let server = crowd.stage.server
    let events = await server.events(of: crowd.incident)
    let told = Mutex<Set<PeerID>>([])
    let listening = Task {
      for await event in events {
        if case .peerChanged(let peer) = event, case .closed = peer.state { told.withLock { _ = $0.insert(peer.id) } }
      }
    }
    let sources = await server.overview(of: crowd.incident).sources
    let picture = try #require(sources.first { $0.kind == .video })
    // Wherever a viewer is: it can choose, is asked about, and is limited.
    for viewer in crowd.viewers {
      let slots = await server.slots(of: viewer.peer)
      #expect(Set(slots.values.map(\.source)) == Set(sources.map(\.id)))
      let slot = try #require(slots.first { $0.value.source == picture.id }?.key)
      try await server.select(picture.id, on: slot, of: viewer.peer)
      try await server.limit(slot, of: viewer.peer, toHeight: 180)
    }
    await server.setPriority(1, of: crowd.incident)
    for viewer in crowd.viewers { await server.disconnect(viewer.peer, reason: "test") }
    try await eventually("the incident hears of everybody who leaves") {
      told.withLock { $0 == Set(crowd.viewers.map(\.peer)) }
    }
    #expect(await server.overview(of: crowd.incident).peers.map(\.id) == [crowd.caller.peer])
    try await eventually("annexes close with their last viewer") {
      await crowd.row("sightline_mirrored_sources") == 0
    }
    listening.cancel()
    await crowd.stage.close()
  }
}
