import Primitives

/// What an H.264 RTP payload holds (RFC 6184 §5.2).
///
/// Packet path: no allocation.
package enum H264Payload {
  /// NAL unit types that matter to a relay or a packetizer (ITU-T H.264 table 7-1, RFC 6184 table 1).
  package enum UnitType {
    package static let slice: UInt8 = 1
    package static let idrSlice: UInt8 = 5
    package static let supplementalInformation: UInt8 = 6
    package static let sequenceParameterSet: UInt8 = 7
    package static let pictureParameterSet: UInt8 = 8
    package static let accessUnitDelimiter: UInt8 = 9
    package static let aggregationA: UInt8 = 24
    package static let fragmentA: UInt8 = 28
  }

  /// The type of a NAL unit or payload whose first byte is `header`.
  @inline(__always)
  package static func unitType(_ header: UInt8) -> UInt8 { header & 0x1f }

  /// Whether the payload brings a sequence parameter set, alone, in a STAP-A or as the start of an FU-A.
  ///
  /// An IDR slice alone does not count: a decoder that joins there lacks the parameter sets, and WebRTC senders repeat
  /// them before each IDR picture (RFC 7742 §6.2).
  package static func isKeyframeStart(_ payload: UnsafeRawBufferPointer) -> Bool {
    guard let base = payload.baseAddress, payload.count >= 2 else { return false }
    switch unitType(base.uint8(at: 0)) {
    case UnitType.sequenceParameterSet: return true
    case UnitType.aggregationA:
      return containsUnit(UnitType.sequenceParameterSet, inAggregate: base, count: payload.count)
    case UnitType.fragmentA:
      let fragment = base.uint8(at: 1)
      return fragment & 0x80 != 0 && unitType(fragment) == UnitType.sequenceParameterSet
    default: return false
    }
  }

  /// Walks a STAP-A (RFC 6184 §5.7.1) until it finds a unit of `type` or the bytes stop making sense.
  private static func containsUnit(_ type: UInt8, inAggregate base: UnsafeRawPointer, count: Int) -> Bool {
    var offset = 1
    while offset + 3 <= count {
      let size = Int(base.uint16(at: offset))
      guard size > 0, offset + 2 + size <= count else { return false }
      if unitType(base.uint8(at: offset + 2)) == type { return true }
      offset += 2 + size
    }
    return false
  }
}
