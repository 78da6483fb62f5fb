import Primitives

// Packet path: no allocation, no reference counting. Values are views of the packet's memory.

/// The header extension elements of one packet, in one- or two-byte form (RFC 8285 §4.2, §4.3).
///
/// Iterating stops at the first element that does not fit: what came before it counts (RFC 8285 §4.2).
package struct RTPExtensions: Sequence, IteratorProtocol {
  /// One element: its local identifier and its value.
  package struct Element {
    package var id: UInt8
    package var value: UnsafeRawBufferPointer
  }

  private enum Form {
    case oneByte
    case twoByte
  }

  private var form: Form
  private var cursor: UnsafeRawPointer?
  private var remaining: Int

  /// The elements of `packet`, whose header is `header`; none when its extension is of another profile.
  @inline(__always)
  package init(of header: RTPHeader, in packet: UnsafeRawPointer) {
    switch header.extensionProfile {
    case Self.oneByteProfile: form = .oneByte
    case 0x1000...0x100f: form = .twoByte
    default:
      form = .oneByte
      cursor = nil
      remaining = 0
      return
    }
    cursor = packet + header.extensionOffset
    remaining = header.extensionLength
  }

  /// `defined by profile` bits of the one-byte form.
  static let oneByteProfile: UInt16 = 0xbede
  /// `defined by profile` bits of the two-byte form, with the application bits 0.
  static let twoByteProfile: UInt16 = 0x1000

  @inline(__always)
  package mutating func next() -> Element? {
    while remaining > 0, let start = cursor {
      let first = start.uint8(at: 0)
      if first == 0 {
        cursor = start + 1
        remaining -= 1
        continue
      }
      return form == .oneByte ? takeOneByte(start, first) : takeTwoByte(start, first)
    }
    return nil
  }

  @inline(__always)
  private mutating func takeOneByte(_ start: UnsafeRawPointer, _ first: UInt8) -> Element? {
    let id = first >> 4
    // 15 ends the block; 0 with a length is not padding and ends it as well (§4.2).
    guard id != 15, id != 0 else { return stop() }
    return take(start, id: id, elementHeader: 1, length: Int(first & 15) + 1)
  }

  @inline(__always)
  private mutating func takeTwoByte(_ start: UnsafeRawPointer, _ id: UInt8) -> Element? {
    guard remaining >= 2 else { return stop() }
    return take(start, id: id, elementHeader: 2, length: Int(start.uint8(at: 1)))
  }

  @inline(__always)
  private mutating func take(_ start: UnsafeRawPointer, id: UInt8, elementHeader: Int, length: Int) -> Element? {
    guard elementHeader + length <= remaining else { return stop() }
    cursor = start + elementHeader + length
    remaining -= elementHeader + length
    return Element(id: id, value: UnsafeRawBufferPointer(start: start + elementHeader, count: length))
  }

  @inline(__always)
  private mutating func stop() -> Element? {
    remaining = 0
    return nil
  }
}

extension RTPHeader {
  /// The value of the extension element `id`, in the packet's own memory; nil when it is absent or `id` is 0.
  ///
  /// `packet` must be the memory that this header was parsed from.
  package func extensionValue(id: UInt8, in packet: UnsafeRawPointer) -> UnsafeRawBufferPointer? {
    guard id != 0, extensionLength != 0 else { return nil }
    var elements = RTPExtensions(of: self, in: packet)
    while let element = elements.next() {
      if element.id == id { return element.value }
    }
    return nil
  }

  /// The transport-wide sequence number in the element `id` (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2); nil when
  /// it is absent or not two bytes long.
  ///
  /// `packet` must be the memory that this header was parsed from.
  @inline(__always)
  package func transportSequence(id: UInt8, in packet: UnsafeRawPointer) -> SequenceNumber? {
    guard let value = extensionValue(id: id, in: packet), value.count == 2 else { return nil }
    return SequenceNumber(UInt16(value[0]) << 8 | UInt16(value[1]))
  }

  /// Overwrites the extension element `id` with the lower bytes of `value`, in network order.
  ///
  /// Returns false and changes nothing when the packet has no such element of exactly `byteCount` (1 to 4) bytes.
  @discardableResult
  package func overwriteExtension(
    id: UInt8, with value: UInt32, byteCount: Int, in packet: UnsafeMutableRawPointer
  ) -> Bool {
    guard let found = extensionValue(id: id, in: UnsafeRawPointer(packet)), let start = found.baseAddress,
      (1...4).contains(byteCount), found.count == byteCount
    else { return false }
    let target = packet + (start - UnsafeRawPointer(packet))
    for index in 0..<byteCount {
      target.set(UInt8(truncatingIfNeeded: value >> UInt32(8 * (byteCount - 1 - index))), at: index)
    }
    return true
  }
}
