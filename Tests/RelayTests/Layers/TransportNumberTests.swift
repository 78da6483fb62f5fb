import Primitives
import RTP
import Relay
import Testing

/// The transport-wide numbers by which a viewer's link is measured.
@Suite struct TransportNumberTests {
  @Test func packetsOfAllSlotsShareOneSequence() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer([(.video, [.vp8]), (.video, [.vp8])], transportExtension: 5)
    world.connect(viewer, slot: 0, to: source)
    world.connect(viewer, slot: 1, to: source)
    var stream = TestStream(0x77)
    world.send(stream.frame(keyframe: true, sizes: [300, 300, 200]), from: caller)
    for _ in 0..<5 { world.send(stream.frame(sizes: [400, 399]), from: caller) }
    let numbers = viewer.received.compactMap { $0.extensionNumber(5) }
    #expect(numbers.count == viewer.received.count)
    #expect(numbers.count == 26)
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
  }

  @Test func viewersWithoutItGetPlainHeaders() throws {
    let world = try World()
    let caller = world.addCaller()
    let viewer = try world.addViewer()
    world.connect(viewer, to: try world.addSource(of: caller))
    var stream = TestStream(0x77)
    world.send(stream.frame(keyframe: true), from: caller)
    #expect(viewer.received.allSatisfy { $0.header.headerLength == 12 })
  }
}

extension ReceivedPacket {
  /// The two bytes of an extension element.
  func extensionNumber(_ id: UInt8) -> UInt16? {
    bytes.withUnsafeBytes { buffer in
      buffer.baseAddress.flatMap { header.transportSequence(id: id, in: $0)?.rawValue }
    }
  }
}
