/// Thrown when a header ends before a field of it.
struct OutOfBits: Error {}

/// Reads bits, most significant first, without ever going past the end.
struct BitCursor {
  private let bytes: [UInt8]
  /// Bits that have been read or skipped.
  private(set) var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The bytes of a NAL unit without those that only keep start codes out of it (ITU-T H.264 §7.4.1).
  init(unescaping unit: some Sequence<UInt8>) {
    var bytes: [UInt8] = []
    var zeros = 0
    for byte in unit {
      if zeros >= 2, byte == 3 {
        zeros = 0
        continue
      }
      zeros = byte == 0 ? zeros + 1 : 0
      bytes.append(byte)
    }
    self.init(bytes)
  }

  /// The next `count` (0 to 32) bits.
  mutating func bits(_ count: Int) throws(OutOfBits) -> UInt32 {
    guard count <= bytes.count * 8 - position else { throw OutOfBits() }
    var value: UInt32 = 0
    for _ in 0..<count {
      value = value << 1 | UInt32(bytes[position >> 3] >> UInt8(7 - position & 7) & 1)
      position += 1
    }
    return value
  }

  mutating func flag() throws(OutOfBits) -> Bool {
    try bits(1) != 0
  }

  mutating func skip(_ count: Int) throws(OutOfBits) {
    guard count >= 0, count <= bytes.count * 8 - position else { throw OutOfBits() }
    position += count
  }

  /// Exp-Golomb code `ue(v)` (ITU-T H.264 §9.1); the same as AV1's `uvlc()` (AV1 specification §4.10.3).
  mutating func exponentialGolomb() throws(OutOfBits) -> UInt32 {
    var zeros = 0
    while try !flag() {
      zeros += 1
      guard zeros < 32 else { throw OutOfBits() }
    }
    return (UInt32(1) << UInt32(zeros) - 1) &+ (try bits(zeros))
  }

  /// Exp-Golomb code `se(v)` (ITU-T H.264 §9.1.1).
  mutating func signedExponentialGolomb() throws(OutOfBits) -> Int64 {
    let code = Int64(try exponentialGolomb())
    return code & 1 == 1 ? (code + 1) / 2 : -(code / 2)
  }
}
