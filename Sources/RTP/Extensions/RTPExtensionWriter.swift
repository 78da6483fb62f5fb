import Primitives

/// Writes a header extension block (RFC 8285 §4) into memory that the caller owns.
///
/// Packet path: no allocation.
///
/// ```swift
/// var writer = RTPExtensionWriter(packet + RTPHeader.fixedLength, capacity: 64)
/// writer.append(id: ids[.mid], mid)
/// writer.append(id: ids[.transportSequence], UInt32(sequence), byteCount: 2)
/// let headerLength = RTPHeader.fixedLength + writer.finish()
/// ```
package struct RTPExtensionWriter {
  /// How an element's id and length are written.
  package enum Form: Sendable {
    /// Ids 1 to 14, values of 1 to 16 bytes.
    case oneByte
    /// Ids 1 to 255, values of 0 to 255 bytes. Needs `a=extmap-allow-mixed` when both forms occur in a stream (§4.1.2).
    case twoByte
  }

  private let start: UnsafeMutableRawPointer
  private let capacity: Int
  private let form: Form
  /// Bytes written, the block's own header included.
  private var length = RTPExtensionWriter.blockHeaderLength

  /// Writes at `start`, where `capacity` bytes are free.
  @inline(__always)
  package init(_ start: UnsafeMutableRawPointer, capacity: Int, form: Form = .oneByte) {
    self.start = start
    self.capacity = capacity
    self.form = form
  }

  /// Bytes of the extension's own header: profile and length.
  package static let blockHeaderLength = 4

  /// Appends an element; false, and nothing is written, when it does not fit the form or the capacity.
  ///
  /// An `id` of 0 means "not negotiated": nothing is written.
  @discardableResult @inline(__always)
  package mutating func append(id: UInt8, _ value: UnsafeRawBufferPointer) -> Bool {
    guard let target = makeRoom(id: id, count: value.count) else { return false }
    if let source = value.baseAddress { target.copyMemory(from: source, byteCount: value.count) }
    return true
  }

  /// Appends the lower `byteCount` (1 to 4) bytes of `value` in network order.
  @discardableResult @inline(__always)
  package mutating func append(id: UInt8, _ value: UInt32, byteCount: Int) -> Bool {
    guard (1...4).contains(byteCount), let target = makeRoom(id: id, count: byteCount) else { return false }
    for index in 0..<byteCount {
      target.set(UInt8(truncatingIfNeeded: value >> UInt32(8 * (byteCount - 1 - index))), at: index)
    }
    return true
  }

  /// Pads the block, writes its header and returns its length in bytes; 0 when nothing was appended.
  ///
  /// The fixed header's extension bit must say the same: set it when the result is not 0.
  @inline(__always)
  package mutating func finish() -> Int {
    guard length > Self.blockHeaderLength else { return 0 }
    while length & 3 != 0 {
      start.set(UInt8(0), at: length)
      length += 1
    }
    start.set(form == .oneByte ? RTPExtensions.oneByteProfile : RTPExtensions.twoByteProfile, at: 0)
    start.set(UInt16(truncatingIfNeeded: (length - Self.blockHeaderLength) / 4), at: 2)
    return length
  }

  @inline(__always)
  private mutating func makeRoom(id: UInt8, count: Int) -> UnsafeMutableRawPointer? {
    let elementHeader: Int
    switch form {
    case .oneByte:
      guard (1...14).contains(id), (1...16).contains(count) else { return nil }
      elementHeader = 1
    case .twoByte:
      guard id != 0, count <= 255 else { return nil }
      elementHeader = 2
    }
    let end = length + elementHeader + count
    // The padding that finish() adds must fit too.
    guard (end + 3) & ~3 <= capacity else { return nil }
    switch form {
    case .oneByte: start.set(id << 4 | UInt8(count - 1), at: length)
    case .twoByte:
      start.set(id, at: length)
      start.set(UInt8(count), at: length + 1)
    }
    defer { length = end }
    return start + length + elementHeader
  }
}
