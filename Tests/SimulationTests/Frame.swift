import Primitives
import RTP

/// What the caller writes into every packet, so that viewers can judge what they get.
struct FrameTag: Equatable {
  var number: UInt32
  var index: UInt16
  var count: UInt16
  var isKeyframe: Bool
  var capturedAt: MonotonicTime

  /// Bytes of a VP8 payload descriptor and frame header, and of the tag.
  static let length = 3 + 17

  /// A VP8 payload (RFC 7741 §4) with this tag, filled up to `size` bytes.
  func payload(size: Int) -> [UInt8] {
    var writer = ByteWriter(reserving: size)
    writer.write(UInt8(index == 0 ? 0x10 : 0x00))
    writer.write(UInt8(isKeyframe ? 0 : 1))
    writer.write(UInt8(0))
    writer.write(number)
    writer.write(index)
    writer.write(count)
    writer.write(UInt8(isKeyframe ? 1 : 0))
    writer.write(capturedAt.nanoseconds)
    return writer.bytes + [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: max(0, size - Self.length))
  }

  init(number: UInt32, index: UInt16, count: UInt16, isKeyframe: Bool, capturedAt: MonotonicTime) {
    self.number = number
    self.index = index
    self.count = count
    self.isKeyframe = isKeyframe
    self.capturedAt = capturedAt
  }

  init?(parsing payload: UnsafeRawBufferPointer) {
    guard payload.count >= Self.length else { return nil }
    func word<Word: FixedWidthInteger>(at offset: Int, _: Word.Type) -> Word {
      Word(bigEndian: payload.loadUnaligned(fromByteOffset: 3 + offset, as: Word.self))
    }
    self.init(
      number: word(at: 0, UInt32.self), index: word(at: 4, UInt16.self), count: word(at: 6, UInt16.self),
      isKeyframe: payload[11] != 0, capturedAt: MonotonicTime(nanoseconds: word(at: 9, UInt64.self)))
  }
}
