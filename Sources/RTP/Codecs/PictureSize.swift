import Primitives

/// Pixels of a picture.
package struct PictureSize: Equatable, BitwiseCopyable, Sendable {
  package var width: UInt16
  package var height: UInt16

  package init(width: UInt16, height: UInt16) {
    self.width = width
    self.height = height
  }
}

extension VideoCodec {
  /// The size of the picture that the first packet of a keyframe starts; nil when the packet does not tell.
  ///
  /// AV1 senders tell it in the dependency descriptor.
  package func pictureSize(ofKeyframe payload: UnsafeRawBufferPointer) -> PictureSize? {
    switch self {
    case .vp8: VP8Descriptor.pictureSize(ofKeyframe: payload)
    case .vp9: VP9Descriptor.largestPictureSize(in: payload)
    case .h264: H264Payload.pictureSize(ofKeyframe: payload)
    case .av1: nil
    }
  }
}

extension VP8Descriptor {
  /// From the frame header of a keyframe: a tag of 3 bytes, the start code, then 14 bits each (RFC 6386 §9.1).
  fileprivate static func pictureSize(ofKeyframe payload: UnsafeRawBufferPointer) -> PictureSize? {
    guard let descriptor = try? VP8Descriptor(parsing: payload), descriptor.isKeyframeStart,
      payload.count >= descriptor.length + 10
    else { return nil }
    let header = UnsafeRawBufferPointer(rebasing: payload[descriptor.length...])
    guard header[3] == 0x9d, header[4] == 0x01, header[5] == 0x2a else { return nil }
    return PictureSize(
      width: UInt16(header[7] & 0x3f) << 8 | UInt16(header[6]),
      height: UInt16(header[9] & 0x3f) << 8 | UInt16(header[8]))
  }
}

extension VP9Descriptor {
  /// The highest spatial layer's size, when the scalability structure tells sizes (RFC 9628 §4.2.1).
  fileprivate static func largestPictureSize(in payload: UnsafeRawBufferPointer) -> PictureSize? {
    guard let descriptor = try? VP9Descriptor(parsing: payload), descriptor.width > 0 else { return nil }
    return descriptor.largest
  }
}

extension H264Payload {
  /// From the sequence parameter set that a keyframe starts with (ITU-T H.264 §7.3.2.1.1).
  fileprivate static func pictureSize(ofKeyframe payload: UnsafeRawBufferPointer) -> PictureSize? {
    guard let first = payload.first else { return nil }
    var unit = payload
    if unitType(first) == UnitType.aggregationA {
      guard payload.count > 3 else { return nil }
      unit = UnsafeRawBufferPointer(rebasing: payload[3...])
    }
    guard let header = unit.first, unitType(header) == UnitType.sequenceParameterSet else { return nil }
    return try? H264SequenceParameters.pictureSize(UnsafeRawBufferPointer(rebasing: unit.dropFirst()))
  }
}
