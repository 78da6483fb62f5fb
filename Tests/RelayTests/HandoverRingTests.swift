import Foundation
import Primitives
import Relay
import Testing

/// The ring between a media thread and the recorder.
@Suite struct HandoverRingTests {
  struct Taken: Equatable {
    let number: Int64
    let payload: [UInt8]
  }

  static func entry(_ number: Int64, length: Int) -> HandoverEntry {
    var entry = HandoverEntry(kind: .packet, source: 7)
    entry.extended = number
    entry.length = Int32(length)
    return entry
  }

  static func payload(_ number: Int64, _ length: Int) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: Int(number) &* 31 &+ $0) }
  }

  @discardableResult
  static func write(_ number: Int64, _ length: Int, to writer: HandoverRing.Writer) -> Bool {
    payload(number, length).withUnsafeBytes { writer.write(entry(number, length: length), payload: $0.baseAddress) }
  }

  static func drain(_ ring: HandoverRing, limit: Int = .max) -> [Taken] {
    var taken: [Taken] = []
    ring.drain(limit: limit) { taken.append(Taken(number: $0.extended, payload: Array($1))) }
    return taken
  }

  @Test func whatGoesInComesOutInOrderOverManyRounds() {
    let ring = HandoverRing(capacity: 8_192)
    var random = RandomSource.seeded(4)
    var written: Int64 = 0
    var read: Int64 = 0
    while written < 5_000 {
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        if Self.write(written, Int.random(in: 0...1_500, using: &random), to: ring.writer) { written += 1 }
      }
      for taken in Self.drain(ring, limit: Int.random(in: 0...6, using: &random)) {
        #expect(taken == Taken(number: read, payload: Self.payload(read, taken.payload.count)))
        read += 1
      }
    }
    read += Int64(Self.drain(ring).count)
    #expect(read == written)
    #expect(ring.waiting == 0)
  }

  @Test func aFullRingDropsTheNewestAndCounts() {
    let ring = HandoverRing(capacity: 4_096)
    let taken = (0..<10).filter { Self.write($0, 960, to: ring.writer) }
    #expect(taken == [0, 1, 2, 3])
    #expect(ring.dropped == 6)
    #expect(Self.drain(ring).map(\.number) == [0, 1, 2, 3])
    #expect(Self.write(10, 960, to: ring.writer))
    #expect(Self.drain(ring).map(\.number) == [10])
  }

  @Test func twoThreadsNeitherLoseNorMixAnything() async {
    let ring = HandoverRing(capacity: 65_536)
    let count: Int64 = 40_000
    let writing = Thread {
      var number: Int64 = 0
      while number < count {
        if Self.write(number, Int(number % 1_200), to: ring.writer) { number += 1 }
      }
    }
    writing.start()
    var next: Int64 = 0
    var faults = 0
    while next < count {
      ring.drain(limit: 256) { entry, payload in
        let expected = Int(next % 1_200)
        if entry.extended != next || payload.count != expected
          || (expected > 0 && payload[expected - 1] != Self.payload(next, expected).last)
        {
          faults += 1
        }
        next += 1
      }
    }
    #expect(faults == 0)
  }
}
