/// Thrown when a read goes past the end of the input.
package struct OutOfBytes: Error, Equatable, Sendable {
  /// Bytes asked for.
  package let needed: Int
  /// Bytes that were left.
  package let available: Int

  package init(needed: Int, available: Int) {
    self.needed = needed
    self.available = available
  }
}

/// A bounds-checked cursor over bytes in network order.
///
/// It never traps: a short input throws ``OutOfBytes``.
///
/// It borrows its memory: keep the buffer alive while the reader is in use.
package struct ByteReader {
  @usableFromInline let bytes: UnsafeRawBufferPointer
  /// Offset of the next byte to read.
  package private(set) var offset = 0

  package init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// Bytes not read yet.
  package var remaining: Int { bytes.count - offset }

  package var isAtEnd: Bool { offset == bytes.count }

  package mutating func readUInt8() throws(OutOfBytes) -> UInt8 {
    let start = try take(1)
    return bytes[start]
  }

  package mutating func readUInt16() throws(OutOfBytes) -> UInt16 {
    let start = try take(2)
    return UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt16.self))
  }

  package mutating func readUInt24() throws(OutOfBytes) -> UInt32 {
    let start = try take(3)
    return UInt32(bytes[start]) << 16 | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2])
  }

  package mutating func readUInt32() throws(OutOfBytes) -> UInt32 {
    let start = try take(4)
    return UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
  }

  package mutating func readUInt64() throws(OutOfBytes) -> UInt64 {
    let start = try take(8)
    return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
  }

  /// A copy of the next `count` bytes.
  package mutating func readBytes(_ count: Int) throws(OutOfBytes) -> [UInt8] {
    Array(try readSlice(count))
  }

  /// A view of the next `count` bytes, in the reader's own memory.
  package mutating func readSlice(_ count: Int) throws(OutOfBytes) -> UnsafeRawBufferPointer {
    let start = try take(count)
    return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)])
  }

  package mutating func skip(_ count: Int) throws(OutOfBytes) {
    _ = try take(count)
  }

  private mutating func take(_ count: Int) throws(OutOfBytes) -> Int {
    guard count >= 0, count <= remaining else { throw OutOfBytes(needed: count, available: remaining) }
    let start = offset
    offset += count
    return start
  }
}
