import Primitives
import RTP
import Testing

/// Runs `body` on the bytes in memory.
func withBytes<Result>(
  _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Result
) rethrows -> Result {
  // An exact heap copy, so that a read past the end is caught by an address sanitizer.
  let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
  defer { memory.deallocate() }
  memory.copyBytes(from: bytes)
  return try body(UnsafeRawBufferPointer(memory))
}

/// The bytes of a hexadecimal text, white space left out.
func hex(_ text: String) throws -> [UInt8] {
  try #require(Hex.decode(text.filter { !$0.isWhitespace }))
}

extension MonotonicTime {
  static func milliseconds(_ value: UInt64) -> MonotonicTime {
    MonotonicTime(nanoseconds: value * 1_000_000)
  }
}

/// Damaged versions of a message: cut off, with flipped bits, with random bytes.
func mutations(of message: [UInt8], count: Int, seed: UInt64) -> [[UInt8]] {
  var random = RandomSource.seeded(seed)
  var result = (0..<message.count).map { Array(message.prefix($0)) }
  for _ in 0..<count {
    var copy = message
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let position = Int.random(in: 0..<copy.count, using: &random)
      if Bool.random(using: &random) {
        copy[position] ^= 1 << UInt8.random(in: 0...7, using: &random)
      } else {
        copy[position] = UInt8.random(in: .min ... .max, using: &random)
      }
    }
    if Bool.random(using: &random) { copy.removeLast(Int.random(in: 0..<copy.count, using: &random)) }
    result.append(copy)
  }
  return result
}
