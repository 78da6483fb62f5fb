import MediaClient
import MediaServer
import Primitives
import Testing

@Suite(.serialized) struct CallTests {
  @Test func viewersReceiveWhatACallerSends() async throws {
    let stage = try Stage()
    let incident = try #require(IncidentID("call"))
    let clip = try Clip(path: clipPath)
    _ = try await stage.join(incident, .publish(clip.codec), clip: clip)
    let viewers = (0..<3).map { _ in CountingReceiver() }
    for viewer in viewers { _ = try await stage.join(incident, .watch(slots: 1), receiver: viewer) }
    try await eventually("every viewer gets packets of two streams") {
      viewers.allSatisfy { $0.counts.packets > 300 && $0.counts.ssrcs.count == 2 }
    }
    for viewer in viewers {
      let counts = viewer.counts
      #expect(counts.rejected == 0)
      #expect(counts.lost == 0)
      #expect(counts.keyframes > 0)
      #expect(counts.reports > 0)
    }
    try await eventually("sound and picture are told of, live and with their rates") {
      let sources = await stage.server.overview(of: incident).sources
      return sources.count == 2 && sources.allSatisfy { $0.state == .live }
        && sources.contains { $0.codec == "VP8" && $0.bitrate > 100_000 }
    }
    await stage.close()
  }

  @Test func viewerThatWaitsSeesTheCallerWhoComesLater() async throws {
    let stage = try Stage()
    let incident = try #require(IncidentID("late"))
    let viewer = CountingReceiver()
    _ = try await stage.join(incident, .watch(slots: 1), receiver: viewer)
    let clip = try Clip(path: clipPath)
    let caller = try await stage.join(incident, .publish(clip.codec), clip: clip)
    try await eventually("sound and picture arrive") { viewer.counts.keyframes > 0 && viewer.counts.ssrcs.count == 2 }
    await stage.server.disconnect(caller.peer, reason: "test")
    for await event in caller.events {
      if case .closed = event { break }
    }
    let before = viewer.counts
    _ = try await stage.join(incident, .publish(clip.codec), clip: clip)
    try await eventually("the next caller takes the same slot") {
      viewer.counts.keyframes > before.keyframes
    }
    #expect(viewer.counts.ssrcs == before.ssrcs)
    #expect(viewer.counts.lost == 0)
    await stage.close()
  }

  @Test func badOfferNamesItsLine() async throws {
    let stage = try Stage()
    let incident = try #require(IncidentID("bad"))
    let error = await #expect(throws: MediaError.self) {
      try await stage.server.connect(
        PeerRequest(incident: incident, permissions: .publish, name: "x", offer: "v=0\r\no=x\r\n"))
    }
    #expect(error?.code == .badDescription)
    #expect(error?.text.contains("line 2") == true)
    await stage.close()
  }

  @Test func unknownPeerIsSaid() async throws {
    let stage = try Stage()
    var random = RandomSource.seeded(1)
    let nobody = PeerID(using: &random)
    let error = await #expect(throws: MediaError.self) {
      try await stage.server.select(nil, on: "0", of: nobody)
    }
    #expect(error?.code == .unknownPeer)
    await stage.close()
  }
}
