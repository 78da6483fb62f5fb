import Primitives
import RTP
import Relay
import Testing

/// A caller who takes long to answer: new viewers see what is kept, and it is not asked over and over.
@Suite struct FarCallerTests {
  @Test func newViewerSeesEverythingSinceTheLastKeyframe() throws {
    let stage = try Stage(answer: 600)
    for _ in 0..<70 { stage.sendPicture() }
    let viewer = try stage.join()
    #expect(viewer.media().count == 71, "the keyframe and all after it")
    #expect(viewer.media().isContinuous)
    stage.world.advance(50)
    #expect(stage.requests == 1, "and a fresh one is asked for")
  }

  /// A fresh keyframe is there before the viewer has missed much.
  @Test func fromANearCallerTheKeyframeAloneBridgesTheTime() throws {
    let stage = try Stage(answer: 60)
    for _ in 0..<70 { stage.sendPicture() }
    let viewer = try stage.join()
    #expect(viewer.media().count == 1)
    stage.world.advance(50)
    #expect(stage.requests == 1)
  }

  @Test func replayEndsAtTheNextKeyframeAfterAWholePicture() throws {
    let stage = try Stage(answer: 600)
    for _ in 0..<34 { stage.sendPicture(sizes: [1_000, 1_000, 1_000]) }
    let viewer = try stage.join()
    let (old, begun) = (stage.keyframe, viewer.media().count)
    #expect(begun > 5 && begun < 40, "a link that is not known takes no more at once")
    let fresh = stage.sendPicture(keyframe: true)
    stage.world.advance(200)
    let tags = viewer.media().map(\.tag)
    let jump = try #require(tags.firstIndex(of: fresh))
    #expect(tags[..<jump].elementsEqual(old..<(old + UInt32(jump))))
    #expect(jump >= begun && jump < begun + 3 && jump % 3 == 1, "the picture that was begun is whole")
    #expect(viewer.media().isContinuous)
    #expect(stage.world.relay.counters.replaysShortened == 1)
    let next = stage.sendPicture()
    stage.world.advance(50)
    #expect(viewer.media().map(\.tag).suffix(2) == [fresh, next])
  }

  /// What one viewer lacks of it is repaired, however old it is, and the whole is not sent again.
  @Test func longReplayIsRepairedAndNotRepeated() throws {
    let stage = try Stage(answer: 600)
    for _ in 0..<70 { stage.sendPicture() }
    let viewer = try stage.join()
    let media = viewer.media()
    try #require(media.count == 71)
    let missing = GenericNACK(
      senderSSRC: SSRC(1), mediaSSRC: viewer.slots[0].ssrc, lost: [media[3].header.sequenceNumber])
    stage.world.sendRTCP([.genericNACK(missing)], from: viewer.peer)
    stage.world.advance(20)
    #expect(viewer.retransmissions().map(\.original) == [media[3].sequence])
    stage.askForAKeyframe(of: viewer)
    stage.world.advance(100)
    #expect(viewer.media().count == 71)
  }

  /// Others' pictures would pay for it.
  @Test func fullNodeSendsTheKeyframeAlone() throws {
    let stage = try Stage(answer: 600)
    for _ in 0..<70 { stage.sendPicture() }
    stage.world.relay.egressBitsPerSecond = 5_000_000
    stage.world.advance(200)
    #expect(try stage.join().media().count == 1)
  }

  /// Its link is not measured: all would leave at once.
  @Test func viewerWithoutFeedbackGetsTheKeyframeAlone() throws {
    let stage = try Stage(answer: 600)
    for _ in 0..<70 { stage.sendPicture(sizes: [100, 100]) }
    #expect(try stage.join(transportExtension: 0).media().count == 1)
  }

  @Test func whatIsTooOldIsNotReplayed() throws {
    let stage = try Stage(answer: 600)
    for _ in 0..<100 { stage.sendPicture() }
    #expect(try stage.join().media().count == 1, "3.3 s")
  }

  @Test func anOutageDoesNotMakeTheCallerFarForLong() throws {
    let stage = try Stage(answer: 60_000)
    for _ in 0..<3 { stage.answer(after: 60) }
    for _ in 0..<70 { stage.sendPicture() }
    #expect(try stage.join().media().count == 1)
  }

  @Test func requestIsRepeatedWhenAnAnswerShouldHaveCome() throws {
    let stage = try Stage(answer: 1_000)
    stage.world.advance(2_000)
    stage.askForAKeyframe()
    stage.world.advance(1_200)
    #expect(stage.requests == 1)
    stage.world.advance(200)
    #expect(stage.requests == 1, "once more")
  }

  @Test func oneLostRequestDoesNotMakeTheCallerFarForLong() throws {
    let stage = try Stage(answer: 450)
    stage.answer(after: 60)
    for _ in 0..<70 { stage.sendPicture() }
    #expect(try stage.join().media().count == 1)
  }

  /// A caller that takes `answer` milliseconds for a keyframe, and a viewer that has asked for the first.
  private final class Stage {
    let world: World
    private let caller: PeerHandle
    private let source: SourceHandle
    private let first: Viewer
    private var stream = TestStream(1)
    /// The tag of the last keyframe's first packet.
    private(set) var keyframe: UInt32 = 0

    init(answer: Int64) throws {
      world = try World()
      caller = world.addCaller()
      source = try world.addSource(of: caller)
      first = try world.addViewer()
      world.connect(first, to: source)
      sendPicture(keyframe: true)
      self.answer(after: answer)
    }

    /// The caller is asked for a keyframe, and sends it so many milliseconds later.
    func answer(after milliseconds: Int64) {
      world.advance(2_000)
      askForAKeyframe()
      world.advance(milliseconds)
      sendPicture(keyframe: true)
      _ = world.takeFeedback(to: caller)
    }

    func askForAKeyframe(of viewer: Viewer? = nil) {
      let viewer = viewer ?? first
      let request = PictureLossIndication(senderSSRC: SSRC(1), mediaSSRC: viewer.slots[0].ssrc)
      world.sendRTCP([.pictureLossIndication(request)], from: viewer.peer)
    }

    /// Sends a picture, and lets the time of one pass; returns the tag of its first packet.
    @discardableResult
    func sendPicture(keyframe isKeyframe: Bool = false, sizes: [Int] = [100]) -> UInt32 {
      let tag = stream.tag
      if isKeyframe { keyframe = tag }
      world.send(stream.frame(keyframe: isKeyframe, sizes: sizes), from: caller)
      world.advance(33)
      return tag
    }

    /// A viewer whose link is going to be measured.
    func join(transportExtension: UInt8 = 5) throws -> Viewer {
      _ = world.takeFeedback(to: caller)
      let viewer = try world.addViewer(transportExtension: transportExtension)
      world.connect(viewer, to: source)
      world.advance(20)
      return viewer
    }

    var requests: Int { world.takeFeedback(to: caller).keyframeRequests }
  }
}
