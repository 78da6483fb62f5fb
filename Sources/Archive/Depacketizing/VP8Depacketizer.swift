import Primitives
import RTP

/// Joins VP8 frames (RFC 7741).
struct VP8Depacketizer: VideoDepacketizer {
  private var bytes: [UInt8] = []
  private var hasBegun = false

  mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    hasBegun = false
  }

  mutating func append(_ payload: UnsafeRawBufferPointer) throws(DepacketizingError) {
    guard let descriptor = try? VP8Descriptor(parsing: payload) else { throw .malformed }
    guard hasBegun || descriptor.startsFrame else { throw .incomplete }
    hasBegun = true
    try bytes.appendWithinFrame(payload.dropFirst(descriptor.length))
  }

  mutating func finish() throws(DepacketizingError) -> CodedPicture {
    guard hasBegun, let first = bytes.first else { throw .incomplete }
    guard first & 1 == 0 else { return CodedPicture(bytes: bytes.take(), keyframe: nil) }
    guard let size = Self.size(ofKeyframe: bytes) else { throw .malformed }
    let format = PictureFormat(codec: .vp8, width: size.width, height: size.height)
    return CodedPicture(bytes: bytes.take(), keyframe: format)
  }

  /// Width and height behind a keyframe's start code (RFC 6386 §9.1).
  private static func size(ofKeyframe bytes: [UInt8]) -> (width: Int, height: Int)? {
    guard bytes.count >= 10, bytes[3...5].elementsEqual([0x9d, 0x01, 0x2a]) else { return nil }
    let width = Int(bytes[6]) | Int(bytes[7] & 0x3f) << 8
    let height = Int(bytes[8]) | Int(bytes[9] & 0x3f) << 8
    return width > 0 && height > 0 ? (width, height) : nil
  }
}
