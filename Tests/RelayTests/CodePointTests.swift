import Primitives
import RTP
import Relay
import Testing

/// What packets are marked with, for networks that tell them apart (RFC 8837 §5).
@Suite struct CodePointTests {
  @Test(arguments: [(1, DSCP.video), (2, .lesserVideo), (3, .lesserVideo), (4, .lesserVideo)])
  func urgentPicturesAreDroppedLast(priority: Int, expected: DSCP) throws {
    let world = try World()
    let caller = world.addCaller()
    let picture = try world.addSource(of: caller, mid: "v")
    let sound = try world.addSource(of: caller, kind: .audio, mid: "a", formats: [.opus])
    let viewer = try world.addViewer([(.video, [.vp8]), (.audio, [.opus])])
    world.relay.setTier(Tier(priority: priority, audience: .control), of: viewer.peer)
    world.connect(viewer, slot: 0, to: picture)
    world.connect(viewer, slot: 1, to: sound)
    var pictures = TestStream(1)
    var voice = TestStream(2, .opus, payloadType: 111)
    world.send(pictures.frame(keyframe: true), from: caller)
    #expect(world.takeMessages().map(\.codePoint) == [expected])
    world.send(voice.frame(sizes: [60], ticks: 960), from: caller)
    #expect(world.takeMessages().map(\.codePoint) == [.expedited])
    // What is sent again is as urgent as it was.
    world.sendRTCP(
      [
        .genericNACK(
          GenericNACK(
            senderSSRC: SSRC(1), mediaSSRC: viewer.slots[0].ssrc, lost: [viewer.media()[0].header.sequenceNumber]))
      ], from: viewer.peer)
    #expect(world.takeMessages().map(\.codePoint) == [expected])
  }
}
