import Primitives
import RTP

/// Joins H.264 access units, a length before each NAL unit, and keeps the parameter sets apart (RFC 6184,
/// packetization modes 0 and 1).
struct H264Depacketizer: VideoDepacketizer {
  private var bytes: [UInt8] = []
  private var unitCount = 0
  /// Where the unit that FU-As bring in parts begins, its length not yet known.
  private var fragmentStart: Int?
  private var hasIDR = false
  private var startsWithFirstSlice: Bool?
  private var parameters = H264ParameterSets()

  private typealias UnitType = H264Payload.UnitType

  /// Bytes of the length before each unit.
  private static let lengthBytes = 4

  mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    unitCount = 0
    fragmentStart = nil
    hasIDR = false
    startsWithFirstSlice = nil
  }

  mutating func append(_ payload: UnsafeRawBufferPointer) throws(DepacketizingError) {
    guard let first = payload.first else { throw .malformed }
    let type = H264Payload.unitType(first)
    if type == UnitType.fragmentA { return try appendFragment(payload) }
    guard fragmentStart == nil else { throw .incomplete }
    switch type {
    case UnitType.aggregationA: try appendAggregate(payload)
    case 1...23: try appendUnit(payload)
    default: throw .malformed
    }
  }

  /// The access unit; empty when it has no slice.
  mutating func finish() throws(DepacketizingError) -> CodedPicture {
    guard fragmentStart == nil else { throw .incomplete }
    // Parameter sets may come with a timestamp of their own; they are no picture.
    if startsWithFirstSlice == nil { bytes = [] }
    // A slice that does not begin at the first macroblock follows one that was lost.
    guard startsWithFirstSlice != false else { throw .incomplete }
    guard hasIDR else { return CodedPicture(bytes: bytes.take(), keyframe: nil) }
    guard let format = parameters.format() else { throw .incomplete }
    return CodedPicture(bytes: bytes.take(), keyframe: format)
  }

  /// Takes a STAP-A apart (RFC 6184 §5.7.1).
  private mutating func appendAggregate(_ payload: UnsafeRawBufferPointer) throws(DepacketizingError) {
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: payload.dropFirst()))
    while !reader.isAtEnd {
      guard let size = try? reader.readUInt16(), let unit = try? reader.readSlice(Int(size)), let first = unit.first,
        (1...23).contains(H264Payload.unitType(first))
      else { throw .malformed }
      try appendUnit(unit)
    }
  }

  /// Adds a part of a unit (RFC 6184 §5.8).
  private mutating func appendFragment(_ payload: UnsafeRawBufferPointer) throws(DepacketizingError) {
    guard payload.count > 2 else { throw .malformed }
    let (indicator, header) = (payload[0], payload[1])
    let (isStart, isEnd) = (header & 0x80 != 0, header & 0x40 != 0)
    guard isStart == (fragmentStart == nil) else { throw .incomplete }
    let start = fragmentStart ?? bytes.count
    if isStart {
      fragmentStart = start
      try bytes.appendWithinFrame([0, 0, 0, 0, indicator & 0xe0 | header & 0x1f])
    }
    try bytes.appendWithinFrame(payload.dropFirst(2))
    guard isEnd else { return }
    fragmentStart = nil
    try finishUnit(at: start)
  }

  private mutating func appendUnit(_ unit: UnsafeRawBufferPointer) throws(DepacketizingError) {
    let start = bytes.count
    try bytes.appendWithinFrame([0, 0, 0, 0])
    try bytes.appendWithinFrame(unit)
    try finishUnit(at: start)
  }

  /// Writes the length before the unit that ends here, or takes the unit out when a file holds it elsewhere.
  private mutating func finishUnit(at start: Int) throws(DepacketizingError) {
    unitCount += 1
    guard unitCount <= DepacketizingLimits.maximumUnits else { throw .tooLarge }
    let body = start + Self.lengthBytes
    let type = H264Payload.unitType(bytes[body])
    switch type {
    case UnitType.sequenceParameterSet, UnitType.pictureParameterSet:
      guard bytes.count - body <= DepacketizingLimits.maximumParameterSetBytes else { throw .tooLarge }
      parameters.keep(Array(bytes[body...]))
      bytes.removeSubrange(start...)
      return
    case UnitType.accessUnitDelimiter, UnitType.endOfSequence, UnitType.endOfStream, UnitType.filler:
      bytes.removeSubrange(start...)
      return
    case UnitType.slice, UnitType.idrSlice:
      hasIDR = hasIDR || type == UnitType.idrSlice
      // first_mb_in_slice is 0 when its code's first bit is set (§7.3.3).
      if startsWithFirstSlice == nil { startsWithFirstSlice = body + 1 < bytes.count && bytes[body + 1] & 0x80 != 0 }
    default: break
    }
    let length = UInt32(truncatingIfNeeded: bytes.count - body)
    for place in 0..<Self.lengthBytes {
      bytes[start + place] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * place))
    }
  }
}

extension H264Payload.UnitType {
  /// NAL unit types that a recording leaves out (ITU-T H.264 table 7-1).
  fileprivate static let endOfSequence: UInt8 = 10
  fileprivate static let endOfStream: UInt8 = 11
  fileprivate static let filler: UInt8 = 12
}

/// The parameter sets of a stream, the latest under each number.
struct H264ParameterSets: Equatable, Sendable {
  private var sequence: [UInt32: [UInt8]] = [:]
  private var picture: [UInt32: [UInt8]] = [:]

  /// Sets of each kind; WebRTC senders use one of the first and one or two of the second.
  static let maximumSets = 16

  /// Keeps a parameter set; one that makes no sense, or is one too many, is left out.
  mutating func keep(_ unit: [UInt8]) {
    guard let first = unit.first else { return }
    var bits = BitCursor(unescaping: unit.dropFirst().prefix(16))
    if H264Payload.unitType(first) == H264Payload.UnitType.sequenceParameterSet {
      // profile_idc, constraint flags, level_idc
      guard (try? bits.skip(24)) != nil, let number = try? bits.exponentialGolomb() else { return }
      guard sequence[number] != nil || sequence.count < Self.maximumSets else { return }
      sequence[number] = unit
    } else {
      guard let number = try? bits.exponentialGolomb() else { return }
      guard picture[number] != nil || picture.count < Self.maximumSets else { return }
      picture[number] = unit
    }
  }

  /// What the sets say of the stream; nil while one kind is missing.
  ///
  /// Of several sequence parameter sets the first has the size.
  func format() -> PictureFormat? {
    let sequenceSets = sequence.sorted { $0.key < $1.key }.map(\.value)
    let pictureSets = picture.sorted { $0.key < $1.key }.map(\.value)
    guard let first = sequenceSets.first, !pictureSets.isEmpty, let size = H264SequenceParameters.size(in: first) else {
      return nil
    }
    return PictureFormat(
      codec: .h264(sequenceParameters: sequenceSets, pictureParameters: pictureSets), width: size.width,
      height: size.height)
  }
}
