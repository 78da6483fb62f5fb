import Primitives
import RTP
import Relay
import Testing

/// How packets of one turn become messages that the kernel splits.
@Suite struct BatchingTests {
  /// Sends packets of these sizes in one turn, the first starting a keyframe, to one viewer.
  static func messages(_ sizes: [Int], viewers count: Int = 1) throws -> (messages: [SentMessage], viewers: [Viewer]) {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewers = try (0..<count).map { _ in try world.addViewer() }
    for viewer in viewers { world.connect(viewer, to: source) }
    var stream = TestStream(1)
    _ = world.takeMessages()
    world.send(stream.frame(keyframe: true, sizes: sizes), from: caller)
    return (world.takeMessages(), viewers)
  }

  /// Bytes that header and tag add.
  static let overhead = 12 + 16

  struct Case: Sendable {
    let sizes: [Int]
    /// Payload sizes of each message's datagrams, padding included.
    let expected: [[Int]]
  }

  @Test(arguments: [
    Case(sizes: [500], expected: [[500]]),
    Case(sizes: [1_000, 1_000, 1_000], expected: [[1_000, 1_000, 1_000]]),
    Case(sizes: [1_000, 1_000, 400], expected: [[1_000, 1_000, 400]]),
    Case(sizes: [1_000, 400, 1_000], expected: [[1_000, 400], [1_000]]),
    Case(sizes: [999, 1_000, 999, 1_000], expected: [[1_000, 1_000, 1_000, 1_000]]),
    Case(sizes: [1_000, 999, 998, 997], expected: [[1_000, 1_000, 1_000, 1_000]]),
    Case(sizes: [1_000, 996], expected: [[1_000, 996]]),
    Case(sizes: [400, 1_000], expected: [[400], [1_000]]),
    Case(sizes: [20, 21, 500, 499, 100], expected: [[21, 21], [500, 500, 100]]),
  ])
  func packetsOfOneSizeShareAMessage(_ test: Case) throws {
    let (messages, viewers) = try Self.messages(test.sizes)
    #expect(messages.map { $0.sizes.map { $0 - Self.overhead } } == test.expected)
    let received = viewers[0].media()
    #expect(received.map(\.header.payloadLength) == test.sizes, "padding is no payload")
    #expect(received.map(\.header.paddingLength) == zip(test.expected.flatMap { $0 }, test.sizes).map { $0 - $1 })
    #expect(received.tags == test.sizes.indices.map(UInt32.init))
    #expect(viewers[0].rejections.isEmpty)
  }

  @Test func aMessageHasNoMoreSegmentsThanTheKernelTakes() throws {
    let (messages, viewers) = try Self.messages(Array(repeating: 100, count: 100))
    #expect(messages.map(\.sizes.count) == [64, 36])
    #expect(viewers[0].media().isContinuous)
    let (large, _) = try Self.messages(Array(repeating: 1_200, count: 100))
    #expect(large.allSatisfy { $0.sizes.reduce(0, +) <= EgressBuffer.maximumMessageLength })
    #expect(large.flatMap(\.sizes).count == 100)
  }

  @Test func aFullBufferIsResumedWithoutLossOrRepetition() throws {
    let sizes = (0..<120).map { $0 % 3 == 2 ? 300 + $0 : 1_200 }
    let (_, viewers) = try Self.messages(sizes, viewers: 40)
    for viewer in viewers {
      #expect(viewer.media().tags == Array(0..<120))
      #expect(viewer.media().isContinuous)
      #expect(viewer.rejections.isEmpty)
    }
  }

  @Test func aReplayThatFillsTheBufferIsResumed() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    var stream = TestStream(1)
    // Sizes that never share a message: more messages than the buffer has places.
    world.send(stream.frame(keyframe: true, sizes: (0..<120).map { 100 + 10 * $0 }), from: caller)
    let viewers = try (0..<5).map { _ in try world.addViewer() }
    for viewer in viewers { world.relay.connect(viewer.slots[0].handle, to: source, now: world.now) }
    world.flush()
    for viewer in viewers {
      #expect(viewer.media().tags == Array(0..<120))
      #expect(viewer.rejections.isEmpty)
    }
  }

  @Test func moreThanOneTurnHoldsIsFlushedOnTheWay() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true, sizes: Array(repeating: 50, count: 1_000)), from: caller)
    #expect(viewer.media().tags == Array(0..<1_000))
  }
}
