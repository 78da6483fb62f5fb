import Primitives

/// A payload of redundant audio, taken apart (RFC 2198 §3): older blocks, oldest first, and the primary one.
///
/// Packet path: trivial, no allocation. Offsets count from the payload's first byte.
package struct RedundantAudio: BitwiseCopyable, Sendable {
  /// One earlier payload, repeated.
  package struct Block: BitwiseCopyable, Equatable, Sendable {
    package var payloadType: PayloadType
    /// Ticks before the packet's own timestamp.
    package var age: UInt32
    package var offset: Int
    package var length: Int
  }

  /// Repeated blocks of a packet; libwebrtc sends at most nine.
  package static let maximumRepeated = 15
  /// Bytes before each repeated block's data, and before the primary's.
  package static let blockHeaderLength = 4
  package static let primaryHeaderLength = 1
  /// Ticks that a block's 14 bits can tell: 341 ms at 48 kHz.
  package static let maximumAge: UInt32 = 0x3fff
  /// Bytes that a block's 10 bits can tell.
  package static let maximumBlockLength = 0x3ff

  /// How many blocks are repeated.
  package private(set) var repeatedCount = 0
  package private(set) var primaryPayloadType: PayloadType
  package private(set) var primaryOffset: Int
  package private(set) var primaryLength: Int
  private var blocks: InlineArray<15, Block>

  /// Throws for lengths that do not fit, too many blocks, or a packet without primary data.
  package init(parsing payload: UnsafeRawBufferPointer) throws(RTPError) {
    guard let base = payload.baseAddress else { throw .truncated }
    primaryPayloadType = PayloadType(0)
    blocks = InlineArray(repeating: Block(payloadType: PayloadType(0), age: 0, offset: 0, length: 0))
    var offset = 0
    while true {
      guard offset < payload.count else { throw .truncated }
      let first = base.uint8(at: offset)
      guard first & Self.followed != 0 else { break }
      guard repeatedCount < Self.maximumRepeated else { throw .limitExceeded }
      guard offset + Self.blockHeaderLength <= payload.count else { throw .truncated }
      let rest = base.uint24(at: offset + 1)
      blocks[repeatedCount] = Block(
        payloadType: PayloadType(first & 0x7f), age: rest >> 10, offset: 0, length: Int(rest & 0x3ff))
      repeatedCount += 1
      offset += Self.blockHeaderLength
    }
    primaryPayloadType = PayloadType(base.uint8(at: offset) & 0x7f)
    offset += Self.primaryHeaderLength
    for index in 0..<repeatedCount {
      blocks[index].offset = offset
      offset += blocks[index].length
    }
    guard offset < payload.count else { throw .truncated }
    primaryOffset = offset
    primaryLength = payload.count - offset
  }

  /// The repeated block at `index`, 0 being the oldest.
  @inline(__always)
  package subscript(index: Int) -> Block { blocks[index] }

  /// The bit that says that another header follows.
  private static let followed: UInt8 = 0x80

  /// Writes the header of a repeated block, 4 bytes, at `destination`.
  ///
  /// `age` and `length` are within ``maximumAge`` and ``maximumBlockLength``.
  @inline(__always)
  package static func writeBlockHeader(
    to destination: UnsafeMutableRawPointer, payloadType: UInt8, age: UInt32, length: Int
  ) {
    destination.set(followed | payloadType, at: 0)
    destination.set24((age & maximumAge) << 10 | UInt32(truncatingIfNeeded: length & maximumBlockLength), at: 1)
  }

  /// Writes the primary block's header, 1 byte, at `destination`.
  @inline(__always)
  package static func writePrimaryHeader(to destination: UnsafeMutableRawPointer, payloadType: UInt8) {
    destination.set(payloadType & 0x7f, at: 0)
  }
}
