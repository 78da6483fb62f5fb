import Primitives
import RTP
import Testing

/// Redundant audio payloads (RFC 2198 §3).
@Suite struct RedundantAudioTests {
  struct Blocks: Equatable, Sendable {
    var ages: [UInt32]
    var repeated: [[UInt8]]
    var types: [UInt8]
    var primary: [UInt8]
  }

  private func parse(_ bytes: [UInt8]) throws -> Blocks {
    try withBytes(bytes) { memory in
      let parsed = try RedundantAudio(parsing: memory)
      let blocks = (0..<parsed.repeatedCount).map { parsed[$0] }
      return Blocks(
        ages: blocks.map(\.age), repeated: blocks.map { Array(memory[$0.offset..<($0.offset + $0.length)]) },
        types: blocks.map(\.payloadType.rawValue) + [parsed.primaryPayloadType.rawValue],
        primary: Array(memory[parsed.primaryOffset..<(parsed.primaryOffset + parsed.primaryLength)]))
    }
  }

  @Test(arguments: [
    ("6f aabb", Blocks(ages: [], repeated: [], types: [111], primary: [0xaa, 0xbb])),
    // 960 ticks old, 2 bytes.
    (
      "ef0f0002 6f 1122 aabb",
      Blocks(ages: [960], repeated: [[0x11, 0x22]], types: [111, 111], primary: [0xaa, 0xbb])
    ),
    (
      "ef1e0001 e00f0002 6f 99 1122 aa",
      Blocks(ages: [1_920, 960], repeated: [[0x99], [0x11, 0x22]], types: [111, 96, 111], primary: [0xaa])
    ),
    ("effffc00 6f aa", Blocks(ages: [16_383], repeated: [[]], types: [111, 111], primary: [0xaa])),
  ])
  func blocksAreFound(bytes: String, expected: Blocks) throws {
    #expect(try parse(try hex(bytes)) == expected)
  }

  @Test(arguments: [
    ("", RTPError.truncated), ("6f", .truncated), ("ef", .truncated), ("ef0f00", .truncated),
    ("ef0f0002", .truncated), ("ef0f0002 6f", .truncated), ("ef0f0002 6f 11", .truncated),
    ("ef0f0002 6f 1122", .truncated), ("ef0003ff 6f 11", .truncated),
    (String(repeating: "ef0f0000", count: 16) + "6f aa", .limitExceeded),
  ])
  func whatDoesNotFitIsRefused(bytes: String, error: RTPError) throws {
    let bytes = try hex(bytes)
    #expect(throws: error) { try parse(bytes) }
  }

  @Test func asManyBlocksAsAllowedAreRead() throws {
    let blocks = try parse(
      try hex(String(repeating: "ef0f0001", count: 15) + "6f" + String(repeating: "07", count: 16)))
    #expect(blocks.repeated.count == 15)
    #expect(blocks.primary == [7])
  }

  @Test func whatIsWrittenReadsBack() throws {
    var bytes = [UInt8](repeating: 0, count: 5)
    bytes.withUnsafeMutableBytes { memory in
      guard let base = memory.baseAddress else { return }
      RedundantAudio.writeBlockHeader(
        to: base, payloadType: 111, age: RedundantAudio.maximumAge, length: RedundantAudio.maximumBlockLength)
      RedundantAudio.writePrimaryHeader(to: base + 4, payloadType: 63)
    }
    let block = [UInt8](repeating: 5, count: RedundantAudio.maximumBlockLength)
    let blocks = try parse(bytes + block + [9])
    #expect(blocks == Blocks(ages: [16_383], repeated: [block], types: [111, 63], primary: [9]))
  }

  @Test func damagedPayloadsNeverReachOutside() throws {
    let whole = try hex("ef1e0003 e00f0002 6f 990099 1122 aabbcc")
    for bytes in mutations(of: whole, count: 5_000, seed: 11) {
      guard let blocks = try? parse(bytes) else { continue }
      let total = blocks.repeated.reduce(blocks.primary.count) { $0 + $1.count }
      #expect(total + 4 * blocks.repeated.count + 1 == bytes.count)
      #expect(!blocks.primary.isEmpty)
    }
  }
}
