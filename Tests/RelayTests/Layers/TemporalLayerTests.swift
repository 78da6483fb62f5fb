import Primitives
import RTP
import Relay
import Testing

/// Pictures left out in time: the viewer's decoder must not notice.
@Suite struct TemporalLayerTests {
  @Test func fewerPicturesComeWithoutGapsInNumbers() throws {
    let stage = try Stage()
    stage.run(pictures: 90)
    #expect(Set(stage.viewer.media().map(\.temporal)) == [0, 1, 2])

    stage.world.relay.egressBitsPerSecond = stage.bitsPerSecond * 35 / 100
    stage.run(pictures: 60)
    stage.viewer.forgetReceived()
    stage.run(pictures: 120)
    let packets = stage.viewer.media()
    #expect(Set(packets.map(\.temporal)) == [0], "a quarter of the pictures fits, with room to rise")
    #expect(packets.count == 60)
    #expect(packets.isContinuous)
  }

  @Test func middleLayerHasContinuousPictureIDs() throws {
    let stage = try Stage()
    stage.run(pictures: 90)
    stage.world.relay.egressBitsPerSecond = stage.bitsPerSecond * 8 / 10
    stage.run(pictures: 60)
    stage.viewer.forgetReceived()
    stage.run(pictures: 120)
    let packets = stage.viewer.media()
    #expect(Set(packets.map(\.temporal)) == [0, 1])
    #expect(packets.isContinuous)
    #expect(packets.hasAllPictures, "receivers wait for pictures that seem to be missing")
  }

  @Test func allComesBackWithinFiveSecondsAndOnlyWhereItMay() throws {
    let stage = try Stage()
    stage.run(pictures: 90)
    stage.world.relay.egressBitsPerSecond = stage.bitsPerSecond * 35 / 100
    stage.run(pictures: 120)
    stage.viewer.forgetReceived()
    stage.world.relay.egressBitsPerSecond = nil
    stage.run(pictures: 150)
    let packets = stage.viewer.media()
    #expect(Set(packets.suffix(8).map(\.temporal)) == [0, 1, 2])
    #expect(packets.isContinuous)
    #expect(packets.hasAllPictures)
    let firstHigher = try #require(packets.first { $0.temporal > 0 }?.descriptor)
    #expect(firstHigher.isLayerSync)
  }

  @Test func aRepairFindsTheRightPacketAfterSomeWereLeftOut() throws {
    let stage = try Stage()
    stage.run(pictures: 90)
    stage.world.relay.egressBitsPerSecond = stage.bitsPerSecond * 8 / 10
    stage.run(pictures: 60)
    stage.viewer.forgetReceived()
    stage.run(pictures: 24)
    let lost = try #require(stage.viewer.media().dropFirst(5).first)
    stage.world.sendRTCP(
      [
        .genericNACK(
          GenericNACK(senderSSRC: SSRC(1), mediaSSRC: stage.viewer.slots[0].ssrc, lost: [lost.header.sequenceNumber]))
      ], from: stage.viewer.peer)
    let repair = try #require(stage.viewer.retransmissions().last)
    #expect(repair.original == lost.sequence)
    #expect(Array(repair.payload.dropFirst(2)) == lost.payload)
    #expect(repair.header.timestamp == lost.header.timestamp)
  }

  @Test func latePacketsKeepTheirNumbers() throws {
    let stage = try Stage()
    stage.run(pictures: 90)
    stage.world.relay.egressBitsPerSecond = stage.bitsPerSecond * 8 / 10
    stage.run(pictures: 60)
    stage.viewer.forgetReceived()
    var late: [[UInt8]] = []
    for number in 0..<12 {
      var packets = stage.stream.next()
      if number == 4 { late = [packets.removeLast()] }
      stage.send(packets)
      if number == 6 { stage.world.send(late, from: stage.caller) }
    }
    let numbers = stage.viewer.media().map(\.sequence)
    #expect(Set(numbers).count == numbers.count)
    #expect(
      numbers.sorted() == Array((numbers.min() ?? 0)...(numbers.max() ?? 0)), "no number is missing or used twice")
  }

  /// A caller who sends temporal layers, and a viewer.
  private final class Stage {
    let world: World
    let caller: PeerHandle
    let viewer: Viewer
    var stream = LayeredStream(0x1111)

    init() throws {
      world = try World()
      caller = world.addCaller()
      let source = try world.addSource(of: caller)
      viewer = try world.addViewer()
      world.connect(viewer, to: source)
      send(stream.next(keyframe: true))
    }

    /// What the stream takes with all its layers.
    var bitsPerSecond: Int { 2 * (stream.size + 40) * 8 * 1_000 / Int(LayeredStream.interval) }

    func run(pictures: Int) {
      for _ in 0..<pictures { send(stream.next()) }
    }

    func send(_ packets: [[UInt8]]) {
      world.send(packets, from: caller)
      world.advance(LayeredStream.interval)
    }
  }
}
