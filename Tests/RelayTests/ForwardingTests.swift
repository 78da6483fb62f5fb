import Primitives
import RTP
import Relay
import Testing

/// One source to its viewers: rewriting, formats, gating.
@Suite struct ForwardingTests {
  @Test func everyViewerGetsEveryPacketInItsOwnNumbers() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewers = try (0..<5).map { _ in try world.addViewer([(.video, [.at(120, .vp8)])]) }
    for viewer in viewers { world.connect(viewer, to: source) }
    var stream = TestStream(1)
    for index in 0..<50 {
      world.send(stream.frame(keyframe: index == 0, sizes: [1_000, 1_000, 400]), from: caller)
      world.advance(30)
    }
    for viewer in viewers {
      #expect(viewer.rejections.isEmpty)
      #expect(viewer.media().tags == Array(0..<150))
      #expect(viewer.media().isContinuous)
      #expect(viewer.media().allSatisfy { $0.header.payloadType == PayloadType(120) })
      #expect(viewer.media().map(\.header.marker) == (0..<150).map { $0 % 3 == 2 })
      let times = viewer.media().map(\.header.timestamp)
      #expect(zip(times, times.dropFirst()).allSatisfy { [0, 3_000].contains($1 &- $0) })
    }
    #expect(Set(viewers.map { $0.media()[0].sequence }).count > 1)
  }

  @Test func numbersRollOverOnBothSides() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1, sequence: 65_000, timestamp: .max - 10_000)
    for index in 0..<1_100 {
      world.send(stream.frame(keyframe: index == 0, sizes: Array(repeating: 20, count: 64)), from: caller)
      if index % 10 == 0 { world.advance(10) }
    }
    #expect(viewer.rejections.isEmpty)
    #expect(viewer.media().count == 70_400)
    #expect(viewer.media().isContinuous)
    #expect(viewer.media().tags == Array(0..<70_400))
  }

  @Test func nothingIsShownBeforeAKeyframeStarts() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    for _ in 0..<10 { world.send(stream.frame(sizes: [500, 300]), from: caller) }
    #expect(viewer.received.isEmpty)
    world.send(stream.frame(keyframe: true, sizes: [500, 300]), from: caller)
    #expect(viewer.media().tags == [20, 21])
  }

  /// The relay knows the codec of a format whichever side named it first.
  @Test(arguments: [false, true]) func aViewerMayComeBeforeTheCaller(isViewerFirst: Bool) throws {
    let world = try World()
    var viewer = isViewerFirst ? try world.addViewer() : nil
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    viewer = try viewer ?? world.addViewer()
    let watching = try #require(viewer)
    world.connect(watching, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    #expect(watching.media().tags == [0])
  }

  struct FormatCase: Sendable {
    let sent: MediaFormat
    let slot: [RelayedFormat]
    /// The payload type at which it must arrive; nil when it must not.
    let expected: UInt8?
  }

  @Test(arguments: [
    FormatCase(sent: .vp8, slot: [.at(100, .vp8)], expected: 100),
    FormatCase(sent: .vp8, slot: [.at(100, .h264(profile: 0x42e0))], expected: nil),
    FormatCase(sent: .h264(profile: 0x42e0), slot: [.at(100, .h264(profile: 0x6400))], expected: 100),
    FormatCase(sent: .h264(profile: 0x4200), slot: [.at(100, .h264(profile: 0x42e0))], expected: 100),
    FormatCase(
      sent: .h264(profile: 0x42e0), slot: [.at(100, .h264(profile: 0x6400)), .at(102, .h264(profile: 0x42e0))],
      expected: 102),
    FormatCase(sent: .h264(profile: 0x6400), slot: [.at(100, .h264(profile: 0x42e0))], expected: nil),
    FormatCase(sent: .h264(profile: 0x4d00), slot: [.at(100, .h264(profile: 0x640c))], expected: 100),
    FormatCase(sent: .vp8, slot: [.at(98, .vp9(profile: 0)), .at(100, .vp8)], expected: 100),
  ])
  func theViewersPayloadTypeIsThatOfAFormatItDecodes(_ test: FormatCase) throws {
    for isViewerFirst in [false, true] {
      let world = try World()
      var viewer = isViewerFirst ? try world.addViewer([(.video, test.slot)]) : nil
      let caller = world.addCaller()
      let source = try world.addSource(of: caller, formats: [.at(35, test.sent)])
      viewer = try viewer ?? world.addViewer([(.video, test.slot)])
      let watching = try #require(viewer)
      world.connect(watching, to: source)
      var stream = TestStream(1, test.sent, payloadType: 35)
      world.send(stream.frame(keyframe: true, sizes: [300]), from: caller)
      #expect(watching.media().map { $0.header.payloadType.rawValue } == (test.expected.map { [$0] } ?? []))
    }
  }

  @Test func noPeerCanUseUpTheFormatNumbers() throws {
    let world = try World()
    let hostile = world.addCaller()
    for profile in 0..<1_000 {
      _ = try world.addSource(
        of: hostile, mid: "\(profile)",
        formats: [
          .at(40, .h264(profile: UInt16(0x4200 + profile))), .at(42, .h264(profile: UInt16(profile))),
          .at(44, .av1(profile: UInt8(profile % 256))), .at(46, .vp9(profile: UInt8(profile % 256))),
        ])
    }
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    #expect(viewer.media().count == 1)
  }

  @Test func audioStartsAtOnceAndPassesThrough() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller, kind: .audio, formats: [.opus])
    let viewer = try world.addViewer([(.audio, [RelayedFormat(payloadType: PayloadType(63), format: .opus)])])
    world.connect(viewer, to: source)
    var stream = TestStream(1, .opus, payloadType: 111)
    for _ in 0..<10 { world.send(stream.frame(sizes: [90], ticks: 960), from: caller) }
    #expect(viewer.media().tags == Array(0..<10))
    #expect(viewer.media().allSatisfy { $0.header.payloadType == PayloadType(63) })
  }

  @Test func lateAndReorderedPacketsKeepTheirPlace() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    let packets = (0..<6).flatMap { _ in stream.frame() }
    world.send([packets[0], packets[2], packets[4]], from: caller)
    world.send([packets[1], packets[1], packets[3], packets[5], packets[0]], from: caller)
    let first = viewer.media()[0].sequence
    #expect(viewer.media().tags == [0, 1, 3, 5, 2, 4, 6])
    #expect(viewer.media().allSatisfy { UInt32($0.sequence &- first) == $0.tag })
    #expect(world.relay.counters.duplicates == 2)
  }

  @Test func packetsFromBeforeTheViewersKeyframeStayAway() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(), from: caller)
    let late = stream.frame()
    world.send(stream.frame(keyframe: true), from: caller)
    world.send(late, from: caller)
    #expect(viewer.media().tags == [2])
  }

  @Test func paddingOnlyPacketsPassWithoutPayload() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    var padding = stream.packet(isFirst: false, isKeyframe: false, marker: false, size: 8)
    padding[0] |= 0x20
    padding[padding.count - 1] = 8
    world.send([padding], from: caller)
    world.send(stream.frame(), from: caller)
    #expect(viewer.rejections.isEmpty)
    #expect(viewer.media().map(\.header.payloadLength) == [200, 0, 200])
    #expect(viewer.media().isContinuous)
  }
}
