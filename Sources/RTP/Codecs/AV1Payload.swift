import Primitives

/// The byte before the OBU elements of an AV1 payload (AV1 RTP specification §4.4).
package struct AV1AggregationHeader: Equatable, Sendable {
  /// The first element continues one of the previous packet (`Z`).
  package var startsWithFragment: Bool
  /// The last element goes on in the next packet (`Y`).
  package var endsWithFragment: Bool
  /// Number of elements, of which the last has no length field; 0 when every element has one (`W`).
  package var elementCount: UInt8
  /// The packet starts a coded video sequence (`N`).
  package var startsSequence: Bool

  package init(
    startsWithFragment: Bool = false, endsWithFragment: Bool = false, elementCount: UInt8 = 0,
    startsSequence: Bool = false
  ) {
    self.startsWithFragment = startsWithFragment
    self.endsWithFragment = endsWithFragment
    self.elementCount = elementCount & 3
    self.startsSequence = startsSequence
  }

  @inline(__always)
  package init(rawValue: UInt8) {
    startsWithFragment = rawValue & 0x80 != 0
    endsWithFragment = rawValue & 0x40 != 0
    elementCount = rawValue >> 4 & 3
    startsSequence = rawValue & 0x08 != 0
  }

  /// The byte on the wire.
  package var rawValue: UInt8 {
    (startsWithFragment ? 0x80 : 0) | (endsWithFragment ? 0x40 : 0) | elementCount << 4 | (startsSequence ? 0x08 : 0)
  }
}

/// The OBU elements of one AV1 payload (AV1 RTP specification §4.3).
///
/// Packet path: no allocation.
///
/// Iterating stops at an element whose length does not fit.
package struct AV1Payload: Sequence, IteratorProtocol {
  package let header: AV1AggregationHeader
  private var reader: ByteReader
  private var index: UInt8 = 0

  /// Nil for an empty payload.
  package init?(_ payload: UnsafeRawBufferPointer) {
    guard let first = payload.first else { return nil }
    header = AV1AggregationHeader(rawValue: first)
    reader = ByteReader(UnsafeRawBufferPointer(rebasing: payload.dropFirst()))
  }

  package mutating func next() -> UnsafeRawBufferPointer? {
    guard !reader.isAtEnd else { return nil }
    index &+= 1
    let isLast = header.elementCount != 0 && index == header.elementCount
    guard let length = isLast ? reader.remaining : Self.leb128(&reader) else { return nil }
    return try? reader.slice(length)
  }

  /// Reads a length of at most 5 bytes: more cannot fit a datagram (AV1 specification §4.10.5 allows 8).
  static func leb128(_ reader: inout ByteReader) -> Int? {
    var value = 0
    for position in 0..<5 {
      guard let byte = try? reader.uint8() else { return nil }
      value |= Int(byte & 0x7f) << (7 * position)
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }

  /// OBU types (AV1 specification §6.2.2).
  package enum UnitType {
    package static let sequenceHeader: UInt8 = 1
    package static let temporalDelimiter: UInt8 = 2
    package static let frameHeader: UInt8 = 3
    package static let frame: UInt8 = 6
    package static let tileList: UInt8 = 8
  }

  /// The type of an OBU whose first byte is `header`.
  @inline(__always)
  package static func unitType(_ header: UInt8) -> UInt8 { header >> 3 & 0x0f }

  /// Whether the payload starts a coded video sequence.
  ///
  /// The `N` bit says so. A sender that forgets it is understood when a sequence header and a key frame's header stand
  /// in the same packet; a sequence header alone may be a mere repetition (AV1 specification §7.5).
  package static func isKeyframeStart(_ payload: UnsafeRawBufferPointer) -> Bool {
    guard var elements = AV1Payload(payload), payload.count >= 2, !elements.header.startsWithFragment else {
      return false
    }
    if elements.header.startsSequence { return true }
    var hasSequenceHeader = false
    while let element = elements.next() {
      guard let first = element.first else { continue }
      switch unitType(first) {
      case UnitType.sequenceHeader: hasSequenceHeader = true
      case UnitType.frame, UnitType.frameHeader: return hasSequenceHeader && isKeyFrameHeader(element)
      default: continue
      }
    }
    return false
  }

  /// Whether a frame (header) OBU codes a new key frame: `show_existing_frame` 0, `frame_type` 0 (AV1 specification
  /// §5.9.2).
  private static func isKeyFrameHeader(_ unit: UnsafeRawBufferPointer) -> Bool {
    var reader = ByteReader(unit)
    guard let header = try? reader.uint8() else { return false }
    if header & 0x04 != 0, (try? reader.uint8()) == nil { return false }
    if header & 0x02 != 0, leb128(&reader) == nil { return false }
    guard let first = try? reader.uint8() else { return false }
    return first & 0xe0 == 0
  }
}
