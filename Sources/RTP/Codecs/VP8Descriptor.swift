import Primitives

/// The VP8 payload descriptor and where its fields lie, so that a relay can rewrite them (RFC 7741 §4.2).
///
/// Packet path: trivial, no allocation. Offsets count from the payload's first byte; 0 means that the field is absent,
/// which is unambiguous because the first byte is always the descriptor's own.
package struct VP8Descriptor: Equatable, Sendable {
  /// Bytes of the descriptor; the VP8 payload follows.
  package var length: Int
  /// The frame is not used as a reference, so that it can be dropped (`N`).
  package var isNonReference: Bool
  /// A VP8 partition starts with this packet (`S`).
  package var startsPartition: Bool
  /// Partition index, 0 to 7 (`PID`).
  package var partition: UInt8
  /// 7 or 15 bits as ``pictureIDBits`` says; 0 when absent.
  package var pictureID: UInt16 = 0
  /// 0 (absent), 7 or 15.
  package var pictureIDBits: UInt8 = 0
  package var pictureIDOffset: Int = 0
  /// Running index of temporal base layer frames (`TL0PICIDX`); 0 when absent.
  package var baseLayerIndex: UInt8 = 0
  package var baseLayerIndexOffset: Int = 0
  /// Whether the packet says which temporal layer it belongs to (`T`).
  package var hasTemporalLayer: Bool = false
  /// Temporal layer, 0 to 3 (`TID`); 0 when absent.
  package var temporalLayer: UInt8 = 0
  /// The frame depends on the base layer only, so that a viewer may go up to its layer here (`Y`).
  package var isLayerSync: Bool = false
  /// 5-bit running index of keyframes (`KEYIDX`); 0 when absent.
  package var keyframeIndex: UInt8 = 0
  /// Offset of the byte with `TID`, `Y` and `KEYIDX`.
  package var temporalLayerOffset: Int = 0
  /// The first packet of a frame, and that frame is a keyframe (VP8 payload header, RFC 7741 §4.3).
  package var isKeyframeStart: Bool = false

  /// The first packet of a frame (RFC 7741 §4.2).
  package var startsFrame: Bool { startsPartition && partition == 0 }

  /// Parses the descriptor at the start of an RTP payload.
  package init(parsing payload: UnsafeRawBufferPointer) throws(RTPError) {
    guard let base = payload.baseAddress, payload.count >= 1 else { throw .truncated }
    let first = base.uint8(at: 0)
    isNonReference = first & 0x20 != 0
    startsPartition = first & 0x10 != 0
    partition = first & 0x07
    length = 1
    if first & 0x80 != 0 {
      try parseExtension(base, count: payload.count)
    }
    // A descriptor without data is no VP8 payload.
    guard length < payload.count else { throw .truncated }
    isKeyframeStart = startsFrame && base.uint8(at: length) & 1 == 0
  }

  private mutating func parseExtension(_ base: UnsafeRawPointer, count: Int) throws(RTPError) {
    guard count >= 2 else { throw .truncated }
    let fields = base.uint8(at: 1)
    length = 2
    if fields & 0x80 != 0 {
      guard count > length else { throw .truncated }
      pictureIDOffset = length
      let value = base.uint8(at: length)
      if value & 0x80 != 0 {
        guard count > length + 1 else { throw .truncated }
        pictureID = base.uint16(at: length) & 0x7fff
        pictureIDBits = 15
        length += 2
      } else {
        pictureID = UInt16(value)
        pictureIDBits = 7
        length += 1
      }
    }
    if fields & 0x40 != 0 {
      guard count > length else { throw .truncated }
      baseLayerIndex = base.uint8(at: length)
      baseLayerIndexOffset = length
      length += 1
    }
    if fields & 0x30 != 0 {
      guard count > length else { throw .truncated }
      let value = base.uint8(at: length)
      hasTemporalLayer = fields & 0x20 != 0
      if hasTemporalLayer {
        temporalLayer = value >> 6
        isLayerSync = value & 0x20 != 0
      }
      if fields & 0x10 != 0 { keyframeIndex = value & 0x1f }
      temporalLayerOffset = length
      length += 1
    }
  }

  /// Overwrites the picture id and the base layer index in `payload`, the memory that this descriptor was parsed from.
  ///
  /// Fields that the packet lacks stay absent, and the picture id keeps its width: the length never changes.
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

  /// Whether `payload` starts a keyframe; false for what is no VP8 payload.
  package static func isKeyframeStart(_ payload: UnsafeRawBufferPointer) -> Bool {
    guard let descriptor = try? VP8Descriptor(parsing: payload) else { return false }
    return descriptor.isKeyframeStart
  }
}
