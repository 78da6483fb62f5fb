import Primitives

/// A bounds-checked cursor over bits, most significant first.
struct BitReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// Bits not read yet.
  var remaining: Int { bytes.count * 8 - position }

  /// The next `count` (0 to 32) bits as an unsigned number.
  mutating func bits(_ count: Int) throws(RTPError) -> UInt32 {
    guard count <= remaining else { throw .truncated }
    var value: UInt32 = 0
    for index in position..<(position + count) {
      value = value << 1 | UInt32(bytes[index >> 3] >> UInt8(7 - index & 7) & 1)
    }
    position += count
    return value
  }

  mutating func flag() throws(RTPError) -> Bool {
    try bits(1) != 0
  }

  /// A number below `limit` in the non-symmetric code `ns(n)` (AV1 specification §4.10.7); `limit` is at least 1.
  mutating func nonSymmetric(_ limit: UInt32) throws(RTPError) -> UInt32 {
    let width = 32 - limit.leadingZeroBitCount
    let shortCodes = UInt32(1) << UInt32(width) - limit
    let value = try bits(width - 1)
    if value < shortCodes { return value }
    return value << 1 - shortCodes + (try bits(1))
  }

  /// A number in Exp-Golomb code `ue(v)` (ITU-T H.264 §9.1).
  mutating func exponentialGolomb() throws(RTPError) -> UInt32 {
    var zeros = 0
    while try !flag() {
      zeros += 1
      guard zeros < 32 else { throw .malformed }
    }
    let rest = try bits(zeros)
    return UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(zeros)) - 1 + UInt64(rest))
  }
}
