import Primitives

/// Cuts single-layer VP9 frames into payloads, in non-flexible mode without layer indices (RFC 9628 §4.2).
package struct VP9Packetizer: Packetizer {
  private let maximumPayloadSize: Int
  private var pictureID: UInt16

  private static let descriptorLength = 3

  package init(maximumPayloadSize: Int, firstPictureID: UInt16 = 0) {
    precondition(maximumPayloadSize > Self.descriptorLength, "maximum payload size \(maximumPayloadSize)")
    self.maximumPayloadSize = maximumPayloadSize
    pictureID = firstPictureID & 0x7fff
  }

  package mutating func packetize(_ frame: UnsafeRawBufferPointer) -> [[UInt8]] {
    guard let header = frame.first else { return [] }
    defer { pictureID = (pictureID + 1) & 0x7fff }
    let isPredicted = !Self.isKeyframe(header)
    return EvenSplit(frame.count, maximum: maximumPayloadSize - Self.descriptorLength).map { part in
      var first: UInt8 = 0x80
      if isPredicted { first |= 0x40 }
      if part.lowerBound == 0 { first |= 0x08 }
      if part.upperBound == frame.count { first |= 0x04 }
      var writer = ByteWriter(reserving: maximumPayloadSize)
      writer.write(first)
      writer.write(0x8000 | pictureID)
      writer.write(frame[part])
      return writer.bytes
    }
  }

  /// Whether a frame is a key frame, by the first byte of its uncompressed header (VP9 bitstream specification §6.2).
  static func isKeyframe(_ header: UInt8) -> Bool {
    let isProfile3 = header & 0x30 == 0x30
    // show_existing_frame and frame_type; profile 3 has a reserved bit before them.
    return header & (isProfile3 ? 0x06 : 0x0c) == 0
  }
}
