import MediaClient
import MediaServer
import Primitives
import Testing

/// Whose pictures and sound come to whom, and in which order.
@Suite(.serialized) struct PartTests {
  @Test("a caller gets what the control room sends, and nothing of another caller")
  func callersHearTheControlRoomAlone() async throws {
    let stage = try Stage()
    let incident = try #require(IncidentID("two-callers"))
    let clip = try Clip(path: clipPath)
    let (caller, colleague) = (CountingReceiver(), CountingReceiver())
    let other = try await stage.join(incident, .publish(clip.codec), as: .caller, clip: clip)
    let listening = try await stage.join(incident, .watch(slots: 1), as: .caller, receiver: caller)
    _ = try await stage.join(incident, .watch(slots: 1), as: .control, receiver: colleague)
    try await eventually("the control room gets the caller") { colleague.counts.packets > 100 }
    #expect(caller.counts.packets == 0)
    #expect(await stage.server.slots(of: listening.peer).isEmpty)

    let unit = try await stage.join(incident, .publish(clip.codec), as: .field, clip: clip)
    try await eventually("the unit's streams are live") {
      await stage.server.overview(of: incident).sources.filter { $0.peer == unit.peer && $0.state == .live }.count == 2
    }
    #expect(caller.counts.packets == 0)

    _ = try await stage.join(incident, .publish(clip.codec), as: .control, clip: clip)
    try await eventually("the caller gets the control room") { caller.counts.packets > 100 }
    let foreign = await stage.server.overview(of: incident).sources.first { $0.peer == other.peer }
    await #expect(throws: MediaError.self, "a caller cannot choose another caller either") {
      let slot = try #require(await stage.server.slots(of: listening.peer).keys.first)
      try await stage.server.select(try #require(foreign).id, on: slot, of: listening.peer)
    }
    await stage.close()
  }

  @Test("the scene comes before units and colleagues on the slots of those who watch")
  func theSceneComesFirst() async throws {
    let stage = try Stage()
    let incident = try #require(IncidentID("order"))
    let clip = try Clip(path: clipPath)
    let colleague = try await stage.join(incident, .publish(clip.codec), as: .control, clip: clip)
    let caller = try await stage.join(incident, .publish(clip.codec), as: .caller, clip: clip)
    try await eventually("both are live") {
      await stage.server.overview(of: incident).sources.filter { $0.state == .live }.count == 4
    }
    let viewer = try await stage.join(incident, .watch(slots: 2), as: .field)
    let sources = await stage.server.overview(of: incident).sources
    let placed = await stage.server.slots(of: viewer.peer).sorted { ($0.key.count, $0.key) < ($1.key.count, $1.key) }
    let peers = placed.map { slot in sources.first { $0.id == slot.value.source }?.peer }
    #expect(peers.count == 4)
    #expect(peers.prefix(2).allSatisfy { $0 == caller.peer })
    #expect(peers.suffix(2).allSatisfy { $0 == colleague.peer })
    await stage.close()
  }

  @Test("a picture that was chosen for one slot does not come on another by itself")
  func aChosenPictureComesOnce() async throws {
    let stage = try Stage()
    let incident = try #require(IncidentID("chosen"))
    let clip = try Clip(path: clipPath)
    _ = try await stage.join(incident, .publish(clip.codec), as: .caller, clip: clip)
    let second = try await stage.join(incident, .publish(clip.codec), as: .caller, clip: clip)
    let viewer = try await stage.join(incident, .watch(slots: 2), as: .control)
    let videos = await stage.server.overview(of: incident).sources.filter { $0.kind == .video }
    let video = try #require(videos.first { $0.peer == second.peer })
    let before = await stage.server.slots(of: viewer.peer)
    let firstSlot = try #require(
      before.first { slot in videos.contains { $0.id == slot.value.source && $0.id != video.id } }?.key)
    try await stage.server.select(video.id, on: firstSlot, of: viewer.peer)
    let placed = await stage.server.slots(of: viewer.peer)
    #expect(placed[firstSlot]?.source == video.id)
    #expect(placed.count == before.count)
    #expect(Set(placed.values.map(\.source)).count == placed.count)
    await stage.close()
  }
}
