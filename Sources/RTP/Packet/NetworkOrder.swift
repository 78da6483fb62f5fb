import Primitives

// Loads and stores in network order, at any alignment. The pointer forms check nothing: on the packet path the caller
// has compared the length once before, and says so there.

extension UnsafeRawPointer {
  @inline(__always)
  func uint8(at offset: Int) -> UInt8 {
    load(fromByteOffset: offset, as: UInt8.self)
  }

  @inline(__always)
  func uint16(at offset: Int) -> UInt16 {
    UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  @inline(__always)
  func uint24(at offset: Int) -> UInt32 {
    UInt32(uint8(at: offset)) << 16 | UInt32(uint16(at: offset + 1))
  }

  @inline(__always)
  func uint32(at offset: Int) -> UInt32 {
    UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}

extension UnsafeMutableRawPointer {
  @inline(__always)
  func set(_ value: UInt8, at offset: Int) {
    storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
  }

  @inline(__always)
  func set(_ value: UInt16, at offset: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
  }

  @inline(__always)
  func set(_ value: UInt32, at offset: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
  }

  @inline(__always)
  func set24(_ value: UInt32, at offset: Int) {
    set(UInt8(truncatingIfNeeded: value >> 16), at: offset)
    set(UInt16(truncatingIfNeeded: value), at: offset + 1)
  }
}

extension ByteReader {
  // The reader's functions with this module's error: a short packet is ``RTPError/truncated``.

  mutating func uint8() throws(RTPError) -> UInt8 {
    do { return try readUInt8() } catch { throw .truncated }
  }

  mutating func uint16() throws(RTPError) -> UInt16 {
    do { return try readUInt16() } catch { throw .truncated }
  }

  mutating func uint24() throws(RTPError) -> UInt32 {
    do { return try readUInt24() } catch { throw .truncated }
  }

  mutating func uint32() throws(RTPError) -> UInt32 {
    do { return try readUInt32() } catch { throw .truncated }
  }

  mutating func uint64() throws(RTPError) -> UInt64 {
    do { return try readUInt64() } catch { throw .truncated }
  }

  mutating func slice(_ count: Int) throws(RTPError) -> UnsafeRawBufferPointer {
    do { return try readSlice(count) } catch { throw .truncated }
  }
}
