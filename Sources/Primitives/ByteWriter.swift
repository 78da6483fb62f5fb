/// Appends integers in network order to a growing array.
///
/// For control messages, not for the packet path.
package struct ByteWriter: Sendable {
  package private(set) var bytes: [UInt8]

  package init(reserving capacity: Int = 64) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  package var count: Int { bytes.count }

  package mutating func write(_ value: UInt8) {
    bytes.append(value)
  }

  package mutating func write(_ value: UInt16) {
    bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  /// The lower 24 bits of `value`.
  package mutating func writeUInt24(_ value: UInt32) {
    bytes.append(UInt8(truncatingIfNeeded: value >> 16))
    write(UInt16(truncatingIfNeeded: value))
  }

  package mutating func write(_ value: UInt32) {
    write(UInt16(truncatingIfNeeded: value >> 16))
    write(UInt16(truncatingIfNeeded: value))
  }

  package mutating func write(_ value: UInt64) {
    write(UInt32(truncatingIfNeeded: value >> 32))
    write(UInt32(truncatingIfNeeded: value))
  }

  package mutating func write(_ values: some Sequence<UInt8>) {
    bytes.append(contentsOf: values)
  }

  /// Zero bytes up to the next multiple of `alignment`.
  package mutating func pad(to alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }

  /// Replaces the 16 bits at `offset`, which must have been written before.
  package mutating func overwrite(_ value: UInt16, at offset: Int) {
    precondition(offset >= 0 && offset + 2 <= bytes.count, "overwrite at \(offset) of \(bytes.count) bytes")
    bytes[offset] = UInt8(truncatingIfNeeded: value >> 8)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
  }
}
