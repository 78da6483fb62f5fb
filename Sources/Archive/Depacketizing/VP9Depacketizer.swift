import Primitives
import RTP

/// Joins VP9 pictures, all spatial layers of one into a superframe (RFC 9628; VP9 bitstream specification annex B).
struct VP9Depacketizer: VideoDepacketizer {
  private var bytes: [UInt8] = []
  /// Where each layer frame begins.
  private var layerStarts: [Int] = []
  /// Size of the highest spatial layer, out of the scalability structure.
  private var structureSize: (width: Int, height: Int)?

  /// What a superframe's index can count.
  private static let maximumLayers = 8

  mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    layerStarts.removeAll(keepingCapacity: true)
    structureSize = nil
  }

  mutating func append(_ payload: UnsafeRawBufferPointer) throws(DepacketizingError) {
    guard let descriptor = try? VP9Descriptor(parsing: payload) else { throw .malformed }
    if descriptor.startsFrame {
      guard layerStarts.count < Self.maximumLayers else { throw .tooLarge }
      layerStarts.append(bytes.count)
    }
    guard !layerStarts.isEmpty else { throw .incomplete }
    if descriptor.hasScalabilityStructure {
      structureSize = Self.largestSize(in: payload, of: descriptor) ?? structureSize
    }
    try bytes.appendWithinFrame(payload.dropFirst(descriptor.length))
  }

  mutating func finish() throws(DepacketizingError) -> CodedPicture {
    guard !layerStarts.isEmpty, !bytes.isEmpty else { throw .incomplete }
    guard let header = VP9FrameHeader(parsing: bytes) else { throw .malformed }
    if layerStarts.count > 1 { appendIndex() }
    guard let key = header.key else { return CodedPicture(bytes: bytes.take(), keyframe: nil) }
    var size = (width: key.width, height: key.height)
    if layerStarts.count > 1, let structureSize { size = structureSize }
    let format = PictureFormat(
      codec: .vp9(profile: header.profile, bitDepth: key.bitDepth), width: size.width, height: size.height)
    return CodedPicture(bytes: bytes.take(), keyframe: format)
  }

  /// Adds the superframe index, without which a decoder takes the first layer for all (annex B.2).
  private mutating func appendIndex() {
    let ends = layerStarts.dropFirst() + [bytes.count]
    let sizes = zip(layerStarts, ends).map { $1 - $0 }
    let largest = sizes.max() ?? 0
    let width = largest < 0x100 ? 1 : largest < 0x1_0000 ? 2 : largest < 0x100_0000 ? 3 : 4
    let marker = UInt8(0xc0 | (width - 1) << 3 | (sizes.count - 1))
    bytes.append(marker)
    for size in sizes {
      for place in 0..<width { bytes.append(UInt8(truncatingIfNeeded: size >> (8 * place))) }
    }
    bytes.append(marker)
  }

  /// The last, highest layer's size in a scalability structure (RFC 9628 §4.2.1).
  private static func largestSize(
    in payload: UnsafeRawBufferPointer, of descriptor: VP9Descriptor
  ) -> (width: Int, height: Int)? {
    var offset = 1 + (Int(descriptor.pictureIDBits) + 1) / 8
    if descriptor.hasLayers { offset += descriptor.isFlexible ? 1 : 2 }
    if descriptor.isFlexible, descriptor.isInterPicturePredicted {
      while offset < payload.count, payload[offset] & 1 != 0 { offset += 1 }
      offset += 1
    }
    // Behind the fields' byte, four bytes a layer.
    let last = offset + 1 + 4 * (Int(descriptor.spatialLayerCount) - 1)
    guard descriptor.spatialLayerCount > 0, last + 4 <= descriptor.length, descriptor.length <= payload.count,
      payload[offset] & 0x10 != 0
    else { return nil }
    let width = Int(payload[last]) << 8 | Int(payload[last + 1])
    let height = Int(payload[last + 2]) << 8 | Int(payload[last + 3])
    return width > 0 && height > 0 ? (width, height) : nil
  }
}

/// What the uncompressed header at the start of a VP9 frame tells (VP9 bitstream specification §6.2).
struct VP9FrameHeader: Equatable, Sendable {
  struct Key: Equatable, Sendable {
    var bitDepth: UInt8
    var width: Int
    var height: Int
  }

  var profile: UInt8
  /// Nil for a frame that is no key frame.
  var key: Key?

  /// Bytes that can hold everything up to the size.
  private static let maximumLength = 16

  /// Nil when the bytes are no VP9 frame.
  init?(parsing frame: [UInt8]) {
    var bits = BitCursor(Array(frame.prefix(Self.maximumLength)))
    guard let parsed = try? Self.parse(&bits) else { return nil }
    self = parsed
  }

  private init(profile: UInt8, key: Key?) {
    self.profile = profile
    self.key = key
  }

  private static func parse(_ bits: inout BitCursor) throws(OutOfBits) -> VP9FrameHeader? {
    guard try bits.bits(2) == 2 else { return nil }
    let low = try bits.bits(1)
    let profile = UInt8(low | (try bits.bits(1)) << 1)
    if profile == 3 { try bits.skip(1) }
    let showsExisting = try bits.flag()
    if showsExisting { return VP9FrameHeader(profile: profile, key: nil) }
    let isInter = try bits.flag()
    // show_frame, error_resilient_mode
    try bits.skip(2)
    if isInter { return VP9FrameHeader(profile: profile, key: nil) }
    guard try bits.bits(24) == 0x49_83_42 else { return nil }
    var bitDepth: UInt8 = 8
    if profile >= 2 { bitDepth = try bits.flag() ? 12 : 10 }
    let colourSpace = try bits.bits(3)
    let hasSubsampling = profile == 1 || profile == 3
    if colourSpace != 7 {
      try bits.skip(hasSubsampling ? 4 : 1)
    } else if hasSubsampling {
      try bits.skip(1)
    }
    let width = Int(try bits.bits(16)) + 1
    let height = Int(try bits.bits(16)) + 1
    return VP9FrameHeader(profile: profile, key: Key(bitDepth: bitDepth, width: width, height: height))
  }
}
