import Primitives

/// Cuts VP8 frames into payloads with picture id, base layer index and temporal layer (RFC 7741 §4.2).
package struct VP8Packetizer: Packetizer {
  private let maximumPayloadSize: Int
  private var pictureID: UInt16
  private var baseLayerIndex: UInt8 = 0
  /// Temporal layer of the next frame, 0 to 3.
  package var temporalLayer: UInt8 = 0

  private static let descriptorLength = 6

  package init(maximumPayloadSize: Int, firstPictureID: UInt16 = 0) {
    precondition(maximumPayloadSize > Self.descriptorLength, "maximum payload size \(maximumPayloadSize)")
    self.maximumPayloadSize = maximumPayloadSize
    pictureID = firstPictureID & 0x7fff
  }

  package mutating func packetize(_ frame: UnsafeRawBufferPointer) -> [[UInt8]] {
    guard !frame.isEmpty else { return [] }
    if temporalLayer == 0 { baseLayerIndex &+= 1 }
    defer { pictureID = (pictureID + 1) & 0x7fff }
    return EvenSplit(frame.count, maximum: maximumPayloadSize - Self.descriptorLength).map { part in
      let isFirst = part.lowerBound == 0
      var writer = ByteWriter(reserving: maximumPayloadSize)
      writer.write(UInt8(isFirst ? 0x90 : 0x80))
      writer.write(UInt8(0xe0))
      writer.write(0x8000 | pictureID)
      writer.write(baseLayerIndex)
      writer.write(temporalLayer << 6)
      writer.write(frame[part])
      return writer.bytes
    }
  }
}
