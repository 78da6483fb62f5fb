import Primitives

/// What a caller with several encodings writes into every packet of a picture, so that viewers can judge what they get.
struct PictureTag: Equatable {
  /// Which encoding, poorest first.
  var encoding: UInt8
  /// Of the encoding.
  var number: UInt32
  var index: UInt16
  var count: UInt16
  var isKeyframe: Bool
  var capturedAt: MonotonicTime

  /// Bytes of a VP8 payload descriptor and of a keyframe's header, and of the tag.
  static let length = headerLength + 18
  private static let headerLength = 11

  /// A VP8 payload (RFC 7741 §4) of a picture of `height` pixels with this tag, filled up to `size` bytes.
  func payload(size: Int, height: UInt16) -> [UInt8] {
    var writer = ByteWriter(reserving: size)
    writer.write(UInt8(index == 0 ? 0x10 : 0x00))
    // Frame tag, start code and size (RFC 6386 §9.1); only the first packet of a keyframe is read as such.
    let width = height / 9 * 16
    writer.write([isKeyframe ? 0 : 1, 0, 0, 0x9d, 0x01, 0x2a])
    writer.write([width, height].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
    writer.write(encoding)
    writer.write(number)
    writer.write(index)
    writer.write(count)
    writer.write(UInt8(isKeyframe ? 1 : 0))
    writer.write(capturedAt.nanoseconds)
    return writer.bytes + [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: max(0, size - Self.length))
  }
}

extension PictureTag {
  init?(parsing payload: UnsafeRawBufferPointer) {
    guard payload.count >= Self.length else { return nil }
    func word<Word: FixedWidthInteger>(at offset: Int, _: Word.Type) -> Word {
      Word(bigEndian: payload.loadUnaligned(fromByteOffset: Self.headerLength + offset, as: Word.self))
    }
    self.init(
      encoding: word(at: 0, UInt8.self), number: word(at: 1, UInt32.self), index: word(at: 5, UInt16.self),
      count: word(at: 7, UInt16.self), isKeyframe: word(at: 9, UInt8.self) != 0,
      capturedAt: MonotonicTime(nanoseconds: word(at: 10, UInt64.self)))
  }
}
