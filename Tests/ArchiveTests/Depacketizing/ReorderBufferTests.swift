import Archive
import Primitives
import RTP
import Testing

@Suite struct ReorderBufferTests {
  private func packet(_ sequence: Int64, at milliseconds: Int64 = 0) -> RecordedPacket {
    RecordedPacket(
      format: .opus, ssrc: SSRC(1), sequence: sequence, rtpTimestamp: 0, marker: false,
      arrival: .testStart + .milliseconds(milliseconds), payload: [])
  }

  private func numbers(_ outputs: [ReorderBuffer.Output]) -> [Int64] {
    outputs.map {
      switch $0 {
      case .packet(let packet): packet.sequence
      case .missing(let count): -count
      }
    }
  }

  /// Negative numbers stand for so many missing packets.
  @Test(
    arguments: [
      ([1, 2, 3], [1, 2, 3]),
      ([1, 3, 2, 4], [1, 2, 3, 4]),
      ([1, 1, 2, 2, 1], [1, 2]),
      ([1, 5, 4, 3], [1]),
      ([1, 5_000], [1, -4_998, 5_000]),
      ([1, 3, 5_000, 5_001], [1, -1, 3, -4_998, 5_000, 5_001]),
      ([.max, .min, 0], [.max, .min, -65_536, 0]),
    ] as [([Int64], [Int64])])
  func packetsComeInOrder(received: [Int64], expected: [Int64]) {
    var buffer = ReorderBuffer()
    #expect(numbers(received.flatMap { buffer.receive(packet($0)) }) == expected)
  }

  @Test func eachHoleIsWaitedForByItself() {
    var buffer = ReorderBuffer()
    var outputs = buffer.receive(packet(1))
    outputs += buffer.receive(packet(3, at: 100))
    outputs += buffer.receive(packet(5, at: 300))
    #expect(numbers(outputs) == [1])
    #expect(numbers(buffer.advance(to: .testStart + .milliseconds(401))) == [-1, 3])
    #expect(numbers(buffer.advance(to: .testStart + .milliseconds(600))) == [])
    #expect(numbers(buffer.advance(to: .testStart + .milliseconds(601))) == [-1, 5])
  }

  @Test func onlySoManyWait() {
    var buffer = ReorderBuffer()
    _ = buffer.receive(packet(0))
    let count = Int64(ReorderBuffer.maximumWaiting)
    for number in 2..<(2 + count) { #expect(buffer.receive(packet(number)).isEmpty) }
    #expect(numbers(buffer.receive(packet(2 + count))) == [-1] + Array(2...(2 + count)))
  }

  @Test func aSenderThatStartsAgainIsFollowed() {
    var buffer = ReorderBuffer()
    _ = buffer.receive(packet(10_000))
    let outputs = (0..<100).flatMap { buffer.receive(packet($0)) }
    #expect(numbers(outputs) == [-1] + Array(63..<100))
  }
}
