import Primitives

/// Cuts H.264 access units into payloads: parameter sets in a STAP-A, large slices in FU-As (RFC 6184, packetization
/// mode 1).
package struct H264Packetizer: Packetizer {
  /// How the units of an access unit are delimited.
  package enum Framing: Equatable, Sendable {
    /// Start codes (ITU-T H.264 annex B).
    case annexB
    /// A length of so many bytes (1 to 4) before each unit, as MP4 files have it (ISO/IEC 14496-15).
    case lengthPrefixed(bytes: Int)
  }

  private let maximumPayloadSize: Int
  private let framing: Framing
  /// Parameter sets to send before an IDR picture that comes without: MP4 files keep them apart.
  package var parameterSets: [[UInt8]] = []

  package init(maximumPayloadSize: Int, framing: Framing = .annexB) {
    precondition(maximumPayloadSize > 8, "maximum payload size \(maximumPayloadSize)")
    self.maximumPayloadSize = maximumPayloadSize
    self.framing = framing
  }

  package mutating func packetize(_ frame: UnsafeRawBufferPointer) -> [[UInt8]] {
    var units = H264AccessUnit.units(of: frame, framing: framing).filter {
      Self.type($0) != UnitType.accessUnitDelimiter
    }
    let hasIDR = units.contains { Self.type($0) == UnitType.idrSlice }
    if hasIDR, !units.contains(where: { Self.type($0) == UnitType.sequenceParameterSet }) {
      units = parameterSets + units
    }
    var payloads: [[UInt8]] = []
    var small: [[UInt8]] = []
    for unit in units {
      if Self.isAggregated(unit), Self.aggregateLength(small + [unit]) <= maximumPayloadSize {
        small.append(unit)
        continue
      }
      flush(&small, to: &payloads)
      append(unit, to: &payloads)
    }
    flush(&small, to: &payloads)
    return payloads
  }

  private typealias UnitType = H264Payload.UnitType

  /// The type of a unit, which is never empty.
  private static func type(_ unit: [UInt8]) -> UInt8 { H264Payload.unitType(unit[0]) }

  private static func isAggregated(_ unit: [UInt8]) -> Bool {
    [UnitType.sequenceParameterSet, UnitType.pictureParameterSet, UnitType.supplementalInformation].contains(type(unit))
  }

  private static func aggregateLength(_ units: [[UInt8]]) -> Int {
    units.reduce(1) { $0 + 2 + $1.count }
  }

  /// Sends the collected units as a STAP-A (RFC 6184 §5.7.1), or as they are when there is only one.
  private func flush(_ small: inout [[UInt8]], to payloads: inout [[UInt8]]) {
    defer { small = [] }
    guard small.count > 1 else {
      for unit in small { append(unit, to: &payloads) }
      return
    }
    var writer = ByteWriter(reserving: maximumPayloadSize)
    let importance = small.map { $0[0] & 0x60 }.max() ?? 0
    writer.write(importance | UnitType.aggregationA)
    for unit in small {
      writer.write(UInt16(truncatingIfNeeded: unit.count))
      writer.write(unit)
    }
    payloads.append(writer.bytes)
  }

  /// Sends a unit by itself, or in FU-As when it is too large (RFC 6184 §5.8).
  private func append(_ unit: [UInt8], to payloads: inout [[UInt8]]) {
    guard unit.count > maximumPayloadSize else {
      payloads.append(unit)
      return
    }
    let body = unit.dropFirst()
    for part in EvenSplit(body.count, maximum: maximumPayloadSize - 2) {
      var header = Self.type(unit)
      if part.lowerBound == 0 { header |= 0x80 }
      if part.upperBound == body.count { header |= 0x40 }
      payloads.append(
        [unit[0] & 0xe0 | UnitType.fragmentA, header] + body[(part.lowerBound + 1)..<(part.upperBound + 1)])
    }
  }
}

/// Finds the NAL units of an access unit.
package enum H264AccessUnit {
  /// The units without start codes or lengths, empty ones left out.
  ///
  /// Bytes that make no sense end the list.
  package static func units(of frame: UnsafeRawBufferPointer, framing: H264Packetizer.Framing) -> [[UInt8]] {
    switch framing {
    case .annexB: annexB(frame)
    case .lengthPrefixed(let bytes): lengthPrefixed(frame, lengthBytes: bytes)
    }
  }

  private static func annexB(_ frame: UnsafeRawBufferPointer) -> [[UInt8]] {
    var units: [[UInt8]] = []
    var unitStart: Int?
    var index = 0
    while index + 2 < frame.count {
      guard frame[index] == 0, frame[index + 1] == 0, frame[index + 2] == 1 else {
        index += 1
        continue
      }
      if let unitStart { append(frame[unitStart..<index], to: &units) }
      index += 3
      unitStart = index
    }
    if let unitStart { append(frame[unitStart...], to: &units) }
    return units
  }

  /// A unit never ends in a zero byte: trailing zeros belong to the next start code or are padding (annex B.1).
  private static func append(_ bytes: Slice<UnsafeRawBufferPointer>, to units: inout [[UInt8]]) {
    guard let last = bytes.lastIndex(where: { $0 != 0 }) else { return }
    units.append(Array(bytes[...last]))
  }

  private static func lengthPrefixed(_ frame: UnsafeRawBufferPointer, lengthBytes: Int) -> [[UInt8]] {
    guard (1...4).contains(lengthBytes) else { return [] }
    var units: [[UInt8]] = []
    var reader = ByteReader(frame)
    while let prefix = try? reader.slice(lengthBytes) {
      let length = prefix.reduce(0) { $0 << 8 | Int($1) }
      guard let unit = try? reader.slice(length) else { break }
      if !unit.isEmpty { units.append(Array(unit)) }
    }
    return units
  }
}
