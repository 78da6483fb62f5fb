import Primitives
import RTP

/// Joins AV1 temporal units and puts the sizes back that the wire leaves out (AV1 RTP specification §4, §5).
struct AV1Depacketizer: VideoDepacketizer {
  private var bytes: [UInt8] = []
  /// The OBU whose end is in a later packet.
  private var fragment: [UInt8] = []
  private var isFragmented = false
  private var unitCount = 0
  private var sequenceHeader: [UInt8]?
  private var startsWithKeyFrame: Bool?

  mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    fragment.removeAll(keepingCapacity: true)
    isFragmented = false
    unitCount = 0
    sequenceHeader = nil
    startsWithKeyFrame = nil
  }

  mutating func append(_ payload: UnsafeRawBufferPointer) throws(DepacketizingError) {
    guard var elements = AV1Payload(payload), payload.count >= 2 else { throw .malformed }
    let header = elements.header
    guard header.startsWithFragment == isFragmented else { throw .incomplete }
    var index = 0
    var end = payload.baseAddress
    var current = elements.next()
    while let element = current {
      current = elements.next()
      index += 1
      end = element.baseAddress.map { $0 + element.count }
      let continues = index == 1 && header.startsWithFragment
      let goesOn = current == nil && header.endsWithFragment
      try take(element, continues: continues, goesOn: goesOn)
    }
    // The elements must fill the payload: they end early where a length does not fit.
    guard end == payload.baseAddress.map({ $0 + payload.count }),
      header.elementCount == 0 || index == Int(header.elementCount)
    else { throw .malformed }
  }

  mutating func finish() throws(DepacketizingError) -> CodedPicture {
    guard !isFragmented, !bytes.isEmpty else { throw .incomplete }
    guard startsWithKeyFrame == true, let sequenceHeader, let size = AV1SequenceHeader.size(in: sequenceHeader) else {
      return CodedPicture(bytes: bytes.take(), keyframe: nil)
    }
    let format = PictureFormat(
      codec: .av1(sequenceHeader: Self.sized(sequenceHeader)), width: size.width, height: size.height)
    return CodedPicture(bytes: bytes.take(), keyframe: format)
  }

  private mutating func take(
    _ element: UnsafeRawBufferPointer, continues: Bool, goesOn: Bool
  ) throws(DepacketizingError) {
    if continues || goesOn {
      try fragment.appendWithinFrame(element)
      isFragmented = goesOn
      if goesOn { return }
      let unit = fragment.take()
      try unit.lend { (bytes) throws(DepacketizingError) in try add(bytes) }
    } else {
      try add(element)
    }
  }

  /// Adds a whole OBU; a temporal delimiter or a tile list is left out (§5), and so is an empty element.
  private mutating func add(_ element: UnsafeRawBufferPointer) throws(DepacketizingError) {
    guard let first = element.first else { return }
    unitCount += 1
    guard unitCount <= DepacketizingLimits.maximumUnits else { throw .tooLarge }
    let type = AV1Payload.unitType(first)
    if type == AV1Payload.UnitType.temporalDelimiter || type == AV1Payload.UnitType.tileList { return }
    guard let unit = AV1Unit(parsing: element) else { throw .malformed }
    switch type {
    case AV1Payload.UnitType.sequenceHeader:
      guard unit.body.count <= DepacketizingLimits.maximumParameterSetBytes else { throw .tooLarge }
      sequenceHeader = unit.header + unit.body
    case AV1Payload.UnitType.frame, AV1Payload.UnitType.frameHeader:
      // show_existing_frame 0, frame_type 0 (AV1 specification §5.9.2).
      if startsWithKeyFrame == nil { startsWithKeyFrame = (unit.body.first ?? 0xff) & 0xe0 == 0 }
    default: break
    }
    try append(unit)
  }

  private mutating func append(_ unit: AV1Unit) throws(DepacketizingError) {
    try bytes.appendWithinFrame(unit.header.enumerated().map { $0 == 0 ? $1 | 0x02 : $1 })
    try bytes.appendWithinFrame(AV1Unit.leb128(unit.body.count))
    try bytes.appendWithinFrame(unit.body)
  }

  /// A sequence header OBU with its size put back.
  private static func sized(_ unit: [UInt8]) -> [UInt8] {
    unit.withUnsafeBytes { buffer in
      guard let unit = AV1Unit(parsing: buffer) else { return [] }
      return [unit.header[0] | 0x02] + unit.header.dropFirst() + AV1Unit.leb128(unit.body.count) + unit.body
    }
  }
}

/// An OBU, taken apart (AV1 specification §5.3).
struct AV1Unit {
  /// One byte, or two with an extension; never says that a size follows.
  let header: [UInt8]
  /// In the memory that was parsed.
  let body: UnsafeRawBufferPointer

  /// Takes an OBU with or without its size; nil when it does not fit.
  init?(parsing unit: UnsafeRawBufferPointer) {
    var reader = ByteReader(unit)
    guard let first = try? reader.readUInt8(), first & 0x80 == 0 else { return nil }
    var header = [first & ~0x02]
    if first & 0x04 != 0 {
      guard let second = try? reader.readUInt8() else { return nil }
      header.append(second)
    }
    var length = reader.remaining
    if first & 0x02 != 0 {
      guard let size = Self.leb128(&reader) else { return nil }
      length = size
    }
    guard let body = try? reader.readSlice(length) else { return nil }
    self.header = header
    self.body = body
  }

  /// Reads a size of at most five bytes (AV1 specification §4.10.5).
  static func leb128(_ reader: inout ByteReader) -> Int? {
    var value = 0
    for position in 0..<5 {
      guard let byte = try? reader.readUInt8() else { return nil }
      value |= Int(byte & 0x7f) << (7 * position)
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }

  /// Writes a size in as few bytes as it takes.
  static func leb128(_ value: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    repeat {
      let part = UInt8(truncatingIfNeeded: rest & 0x7f)
      rest >>= 7
      bytes.append(rest == 0 ? part : part | 0x80)
    } while rest > 0
    return bytes
  }
}

/// The part of a sequence header OBU that a recording needs (AV1 specification §5.5).
enum AV1SequenceHeader {
  /// Largest width and height of the sequence; nil when the OBU, given without size field, ends before them.
  static func size(in unit: [UInt8]) -> (width: Int, height: Int)? {
    guard let first = unit.first else { return nil }
    var bits = BitCursor(Array(unit.dropFirst(first & 0x04 == 0 ? 1 : 2)))
    return try? parse(&bits)
  }

  private static func parse(_ bits: inout BitCursor) throws(OutOfBits) -> (width: Int, height: Int) {
    // seq_profile, still_picture
    try bits.skip(4)
    let isReduced = try bits.flag()
    if isReduced {
      try bits.skip(5)
    } else {
      try skipOperatingPoints(&bits)
    }
    let widthBits = Int(try bits.bits(4)) + 1
    let heightBits = Int(try bits.bits(4)) + 1
    return (Int(try bits.bits(widthBits)) + 1, Int(try bits.bits(heightBits)) + 1)
  }

  /// Skips timing information and operating points (§5.5.1).
  private static func skipOperatingPoints(_ bits: inout BitCursor) throws(OutOfBits) {
    var delayBits: Int?
    if try bits.flag() {
      try bits.skip(64)
      if try bits.flag() { _ = try bits.exponentialGolomb() }
      if try bits.flag() {
        delayBits = Int(try bits.bits(5)) + 1
        try bits.skip(32 + 5 + 5)
      }
    }
    let hasDisplayDelay = try bits.flag()
    for _ in 0...(try bits.bits(5)) {
      try bits.skip(12)
      if try bits.bits(5) > 7 { try bits.skip(1) }
      if let delayBits, try bits.flag() { try bits.skip(2 * delayBits + 1) }
      if hasDisplayDelay, try bits.flag() { try bits.skip(4) }
    }
  }
}
