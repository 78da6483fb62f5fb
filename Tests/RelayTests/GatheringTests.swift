import Primitives
import RTP
import Relay
import Testing

/// A picture that comes in pieces goes to a crowd in one message, and nobody waits long for the rest of it.
@Suite struct GatheringTests {
  private let world: World
  private let caller: PeerHandle
  private let source: SourceHandle
  private var stream = TestStream(1)

  init() throws {
    world = try World()
    caller = world.addCaller()
    source = try world.addSource(of: caller)
  }

  /// Viewers who have had a keyframe.
  private mutating func crowd(of count: Int) throws -> [Viewer] {
    let viewers = try (0..<count).map { _ in try world.addViewer() }
    for viewer in viewers { world.connect(viewer, to: source) }
    world.send(stream.frame(keyframe: true), from: caller)
    forget(viewers)
    return viewers
  }

  private func forget(_ viewers: [Viewer]) {
    viewers.forEach { $0.forgetReceived() }
    _ = world.takeMessages()
  }

  @Test mutating func aPictureInPiecesIsOneMessageForEach() throws {
    let viewers = try crowd(of: 8)
    let picture = stream.frame(sizes: [500, 500, 500])
    world.send(Array(picture[..<2]), from: caller)
    #expect(world.takeMessages().isEmpty)
    world.send(Array(picture[2...]), from: caller)
    let messages = world.takeMessages()
    #expect(messages.map(\.sizes.count) == Array(repeating: 3, count: 8))
    #expect(Set(messages.map(\.destination)).count == 8)
    for viewer in viewers { #expect(viewer.media().isContinuous && viewer.media().count == 3) }
    #expect(world.relay.gatheringDeadline == nil)
  }

  @Test mutating func aPictureOfWhichTheRestIsMissingGoesOutAsItIs() throws {
    let viewers = try crowd(of: 8)
    let picture = stream.frame(sizes: [500, 500])
    world.send([picture[0]], from: caller)
    let deadline = try #require(world.relay.gatheringDeadline)
    #expect((deadline - world.now).nanoseconds <= 1_000_000, "nobody waits longer than a millisecond")
    world.advance(1)
    #expect(viewers.allSatisfy { $0.media().count == 1 })
    world.send([picture[1]], from: caller)
    #expect(viewers.allSatisfy { $0.media().count == 2 && $0.media().isContinuous })
  }

  @Test mutating func soundAndSmallAudiencesDoNotWait() throws {
    let viewers = try crowd(of: 2)
    let picture = stream.frame(sizes: [500, 500])
    world.send([picture[0]], from: caller)
    #expect(viewers.allSatisfy { $0.media().count == 1 })
    let sound = try world.addSource(of: caller, kind: .audio, mid: "a", formats: [.opus])
    let listeners = try (0..<8).map { _ in try world.addViewer([(.audio, [.opus])]) }
    for listener in listeners { world.connect(listener, to: sound) }
    var voice = TestStream(2, .opus, payloadType: 111)
    world.send([voice.packet(isFirst: true, isKeyframe: false, marker: false, size: 60)], from: caller)
    #expect(listeners.allSatisfy { $0.media().count == 1 })
  }

  @Test("a large picture begins before all of it has come")
  mutating func aLargePictureBegins() throws {
    let viewers = try crowd(of: 4)
    let picture = stream.frame(sizes: Array(repeating: 1_000, count: 60))
    world.send(Array(picture[..<40]), from: caller)
    #expect(viewers.allSatisfy { $0.media().count == 40 })
    world.send(Array(picture[40...]), from: caller)
    #expect(viewers.allSatisfy { $0.media().count == 60 && $0.media().isContinuous })
  }

  @Test("who joins in the middle of a picture is shown everything once")
  mutating func aNewcomersReplayDoesNotRepeatWhatWaits() throws {
    let viewers = try crowd(of: 8)
    let picture = stream.frame(sizes: [500, 500, 500])
    world.send(Array(picture[..<2]), from: caller)
    let newcomer = try world.addViewer()
    world.connect(newcomer, to: source)
    world.send(Array(picture[2...]), from: caller)
    for viewer in viewers { #expect(viewer.media().count == 3 && viewer.media().isContinuous) }
    #expect(newcomer.media().tags == [0, 1, 2, 3])
    #expect(newcomer.media().isContinuous && newcomer.rejections.isEmpty, "nothing comes twice")
  }

  /// What waits must not be taken for what is being sent, when that fills the buffer and makes others wait.
  @Test mutating func aPictureThatIsReleasedInTheMiddleOfAnotherReachesEverybody() throws {
    world.relay.egressBitsPerSecond = 50_000_000
    world.advance(200)
    world.relay.setPriority(1, of: source)
    let urgent = try crowd(of: 8)
    for viewer in urgent { world.relay.setTier(Tier(priority: 1, audience: .control), of: viewer.peer) }
    let other = world.addCaller()
    let otherSource = try world.addSource(of: other)
    var otherStream = TestStream(2, firstTag: 10_000)
    var others: [Viewer] = []
    for priority in [4, 4, 4, 4, 2, 2, 2, 2] {
      let viewer = try world.addViewer()
      others.append(viewer)
      world.relay.setTier(Tier(priority: priority, audience: .control), of: viewer.peer)
      world.connect(viewer, to: otherSource)
    }
    world.send(otherStream.frame(keyframe: true), from: other)
    world.advance(100)
    forget(urgent)
    let picture = stream.frame(sizes: [500, 500])
    let large = otherStream.frame(sizes: Array(repeating: 1_000, count: 60))
    world.send([(picture[0], caller)] + large.map { ($0, other) })
    world.send([picture[1]], from: caller)
    #expect(world.relay.counters.packetsPaced > 0, "or nothing was held back, and this says nothing")
    for viewer in urgent { #expect(viewer.media().count == 2 && viewer.media().isContinuous) }
    for viewer in urgent + others { #expect(viewer.rejections.isEmpty, "nothing comes twice") }
  }

  /// A number may jump, but then it must not stand for another packet that was not sent yet.
  @Test mutating func aJumpByAWholeRingDisplacesNothing() throws {
    let viewers = try crowd(of: 8)
    let first = stream.packet(isFirst: true, isKeyframe: false, marker: false, size: 500)
    stream.sequence &+= 511
    let second = stream.packet(isFirst: false, isKeyframe: false, marker: true, size: 500)
    world.send([first, second], from: caller)
    world.advance(1)
    for viewer in viewers { #expect(viewer.media().tags == [1] && viewer.rejections.isEmpty) }
    #expect(world.relay.counters.jumps == 1)
  }

  @Test mutating func aSourceMayLeaveWhileItsPictureWaits() throws {
    let viewers = try crowd(of: 8)
    world.send([stream.frame(sizes: [500, 500])[0]], from: caller)
    world.remove(caller)
    #expect(world.relay.gatheringDeadline == nil && !world.relay.hasPending)
    world.advance(5)
    #expect(viewers.allSatisfy { $0.received.isEmpty })
  }
}
