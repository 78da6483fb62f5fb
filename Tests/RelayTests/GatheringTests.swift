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

  @Test("more than a message takes is not waited for")
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

  @Test mutating func aSourceMayLeaveWhileItsPictureWaits() throws {
    let viewers = try crowd(of: 8)
    world.send([stream.frame(sizes: [500, 500])[0]], from: caller)
    world.remove(caller)
    #expect(world.relay.gatheringDeadline == nil && !world.relay.hasPending)
    world.advance(5)
    #expect(viewers.allSatisfy { $0.received.isEmpty })
  }
}
