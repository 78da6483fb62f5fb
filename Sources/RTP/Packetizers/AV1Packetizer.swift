import Primitives

/// Cuts AV1 temporal units into payloads (AV1 RTP specification §5).
///
/// Input is the low-overhead format: OBUs with size fields. Elements are aggregated and fragmented to fill payloads;
/// each has a length before it (`W` = 0), and none keeps the OBU's own size field.
package struct AV1Packetizer: Packetizer {
  private let maximumPayloadSize: Int

  /// Bytes of the longest element length in a payload: two bytes of leb128 count to 16,383.
  private static let lengthBytes = 2
  /// Smallest payload rest that is worth starting a fragment in.
  private static let minimumFragment = 16

  package init(maximumPayloadSize: Int) {
    precondition((64...16_383).contains(maximumPayloadSize), "maximum payload size \(maximumPayloadSize)")
    self.maximumPayloadSize = maximumPayloadSize
  }

  package mutating func packetize(_ frame: UnsafeRawBufferPointer) -> [[UInt8]] {
    let units = Self.units(of: frame)
    var payloads: [[UInt8]] = []
    var header = AV1AggregationHeader()
    header.startsSequence = units.contains { AV1Payload.unitType($0[0]) == AV1Payload.UnitType.sequenceHeader }
    var body: [UInt8] = []
    for unit in units {
      var rest = unit[...]
      while !rest.isEmpty {
        var room = maximumPayloadSize - 1 - body.count - Self.lengthBytes
        if room < min(rest.count, Self.minimumFragment) {
          header.endsWithFragment = rest.startIndex > 0
          payloads.append([header.rawValue] + body)
          header = AV1AggregationHeader(startsWithFragment: header.endsWithFragment)
          body = []
          room = maximumPayloadSize - 1 - Self.lengthBytes
        }
        let part = rest.prefix(room)
        body += Self.leb128(part.count) + part
        rest = rest.dropFirst(part.count)
      }
    }
    if !body.isEmpty { payloads.append([header.rawValue] + body) }
    return payloads
  }

  private static func leb128(_ value: Int) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80, UInt8(value >> 7)]
  }

  /// The OBUs to send, without size fields; temporal delimiters and tile lists are not sent (§5).
  ///
  /// Nonsense ends the list.
  private static func units(of frame: UnsafeRawBufferPointer) -> [[UInt8]] {
    var units: [[UInt8]] = []
    var reader = ByteReader(frame)
    while let header = try? reader.uint8() {
      var unit = [header & ~0x02]
      if header & 0x04 != 0 {
        guard let extensionByte = try? reader.uint8() else { break }
        unit.append(extensionByte)
      }
      guard let length = header & 0x02 == 0 ? reader.remaining : AV1Payload.leb128(&reader),
        let body = try? reader.slice(length)
      else { break }
      let type = AV1Payload.unitType(header)
      guard type != AV1Payload.UnitType.temporalDelimiter, type != AV1Payload.UnitType.tileList else { continue }
      units.append(unit + body)
    }
    return units
  }
}
