import Primitives

/// The VP9 payload descriptor (RFC 9628 §4.2).
///
/// Packet path: trivial, no allocation. Offsets count from the payload's first byte; 0 means absent. The scalability
/// structure is skipped over, with the first layer's resolution kept.
package struct VP9Descriptor: Equatable, Sendable {
  /// Bytes of the descriptor; the VP9 data follows.
  package var length: Int
  /// The frame refers to earlier pictures (`P`).
  package var isInterPicturePredicted: Bool
  /// The descriptor names the frame's references (`F`).
  package var isFlexible: Bool
  /// First packet of a layer frame (`B`).
  package var startsFrame: Bool
  /// Last packet of a layer frame (`E`).
  package var endsFrame: Bool
  /// The frame is not used to predict a higher spatial layer (`Z`).
  package var isNotReferenceForUpperLayers: Bool
  /// 7 or 15 bits as ``pictureIDBits`` says; 0 when absent.
  package var pictureID: UInt16 = 0
  /// 0 (absent), 7 or 15.
  package var pictureIDBits: UInt8 = 0
  package var pictureIDOffset: Int = 0
  /// Whether the packet names its layers (`L`).
  package var hasLayers: Bool
  /// Temporal layer, 0 to 7 (`TID`).
  package var temporalLayer: UInt8 = 0
  /// A viewer may go up to this temporal layer here (`U`).
  package var isSwitchingUpPoint: Bool = false
  /// Spatial layer, 0 to 7 (`SID`).
  package var spatialLayer: UInt8 = 0
  /// The frame refers to the next lower spatial layer of its picture (`D`).
  package var isInterLayerPredicted: Bool = false
  /// Running index of temporal base layer pictures (`TL0PICIDX`), non-flexible mode only.
  package var baseLayerIndex: UInt8 = 0
  package var baseLayerIndexOffset: Int = 0
  /// Whether a scalability structure is in this packet (`V`).
  package var hasScalabilityStructure: Bool
  /// Spatial layers in the scalability structure; 0 without one.
  package var spatialLayerCount: UInt8 = 0
  /// Width of the lowest spatial layer in pixels, when the scalability structure has sizes.
  package var width: UInt16 = 0
  /// Height of the lowest spatial layer in pixels, when the scalability structure has sizes.
  package var height: UInt16 = 0
  /// The highest spatial layer's size, when the scalability structure has sizes.
  package var largest: PictureSize?

  /// Most reference differences that a flexible-mode descriptor may carry (RFC 9628 §4.2).
  static let maximumReferences = 3

  /// The first packet of a picture that needs no other picture: the start of its lowest spatial layer.
  package var isKeyframeStart: Bool { startsFrame && !isInterPicturePredicted && spatialLayer == 0 }

  /// Parses the descriptor at the start of an RTP payload.
  package init(parsing payload: UnsafeRawBufferPointer) throws(RTPError) {
    var reader = ByteReader(payload)
    let first = try reader.uint8()
    isInterPicturePredicted = first & 0x40 != 0
    hasLayers = first & 0x20 != 0
    isFlexible = first & 0x10 != 0
    startsFrame = first & 0x08 != 0
    endsFrame = first & 0x04 != 0
    hasScalabilityStructure = first & 0x02 != 0
    isNotReferenceForUpperLayers = first & 0x01 != 0
    length = 1
    if first & 0x80 != 0 { try parsePictureID(&reader) }
    if hasLayers { try parseLayers(&reader) }
    if isFlexible, isInterPicturePredicted { try Self.skipReferences(&reader) }
    if hasScalabilityStructure { try parseScalabilityStructure(&reader) }
    length = reader.offset
    guard !reader.isAtEnd else { throw .truncated }
  }

  private mutating func parsePictureID(_ reader: inout ByteReader) throws(RTPError) {
    pictureIDOffset = reader.offset
    let value = try reader.uint8()
    if value & 0x80 != 0 {
      pictureID = UInt16(value & 0x7f) << 8 | UInt16(try reader.uint8())
      pictureIDBits = 15
    } else {
      pictureID = UInt16(value)
      pictureIDBits = 7
    }
  }

  private mutating func parseLayers(_ reader: inout ByteReader) throws(RTPError) {
    let value = try reader.uint8()
    temporalLayer = value >> 5
    isSwitchingUpPoint = value & 0x10 != 0
    spatialLayer = value >> 1 & 0x07
    isInterLayerPredicted = value & 0x01 != 0
    if !isFlexible {
      baseLayerIndexOffset = reader.offset
      baseLayerIndex = try reader.uint8()
    }
  }

  private static func skipReferences(_ reader: inout ByteReader) throws(RTPError) {
    for _ in 0..<maximumReferences {
      let announcesAnother = try reader.uint8() & 1 != 0
      if !announcesAnother { return }
    }
    throw .malformed
  }

  private mutating func parseScalabilityStructure(_ reader: inout ByteReader) throws(RTPError) {
    let fields = try reader.uint8()
    spatialLayerCount = (fields >> 5) + 1
    if fields & 0x10 != 0 {
      for layer in 0..<spatialLayerCount {
        let (layerWidth, layerHeight) = (try reader.uint16(), try reader.uint16())
        if layer == 0 { (width, height) = (layerWidth, layerHeight) }
        largest = PictureSize(width: layerWidth, height: layerHeight)
      }
    }
    guard fields & 0x08 != 0 else { return }
    for _ in 0..<(try reader.uint8()) {
      let references = Int(try reader.uint8() >> 2 & 0x03)
      _ = try reader.slice(references)
    }
  }

  /// Overwrites the picture id and the base layer index in `payload`, the memory that this descriptor was parsed from.
  @inline(__always)
  package func rewrite(
    _ payload: UnsafeMutableRawPointer, pictureID newPictureID: UInt16, baseLayerIndex newBaseLayerIndex: UInt8
  ) {
    if pictureIDBits == 15 {
      payload.set(newPictureID | 0x8000, at: pictureIDOffset)
    } else if pictureIDBits == 7 {
      payload.set(UInt8(truncatingIfNeeded: newPictureID & 0x7f), at: pictureIDOffset)
    }
    if baseLayerIndexOffset != 0 { payload.set(newBaseLayerIndex, at: baseLayerIndexOffset) }
  }

  /// Whether `payload` starts a keyframe; false for what is no VP9 payload.
  package static func isKeyframeStart(_ payload: UnsafeRawBufferPointer) -> Bool {
    guard let descriptor = try? VP9Descriptor(parsing: payload) else { return false }
    return descriptor.isKeyframeStart
  }
}
