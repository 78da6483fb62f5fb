/// Sequence and picture parameter sets out of an `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15 §5.3.3.1).
struct H264ParameterSets {
  /// Each with a length of four bytes before it, as frames have their units.
  let units: [UInt8]

  /// Nil when the record is damaged, or its frames have lengths of another width.
  init?(_ record: [UInt8]) {
    guard record.count > 6, record[0] == 1, record[4] & 3 == 3 else { return nil }
    var rest = record.dropFirst(5)
    var units: [UInt8] = []
    for mask in [UInt8(0x1f), 0xff] {
      guard let count = rest.popFirst() else { return nil }
      for _ in 0..<(count & mask) {
        guard let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
        let length = Int(high) << 8 | Int(low)
        guard length > 0, rest.count >= length else { return nil }
        units += [0, 0, high, low] + rest.prefix(length)
        rest = rest.dropFirst(length)
      }
    }
    guard !units.isEmpty else { return nil }
    self.units = units
  }
}
