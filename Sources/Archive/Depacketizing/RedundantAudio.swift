import Primitives

/// A payload of redundant audio, taken apart (RFC 2198 §3).
struct RedundantAudio {
  struct Block {
    /// Ticks before the packet's own timestamp; 0 for the last, primary block.
    let age: UInt32
    let payload: UnsafeRawBufferPointer
  }

  /// Blocks in a packet; libwebrtc sends at most nine.
  static let maximumBlocks = 16

  /// Oldest first, the primary last.
  let blocks: [Block]

  /// Nil when the lengths do not fit.
  init?(parsing payload: UnsafeRawBufferPointer) {
    var reader = ByteReader(payload)
    var headers: [(age: UInt32, length: Int)] = []
    while let first = try? reader.readUInt8(), first & 0x80 != 0 {
      guard headers.count < Self.maximumBlocks, let rest = try? reader.readUInt24() else { return nil }
      headers.append((rest >> 10, Int(rest & 0x3ff)))
    }
    var blocks: [Block] = []
    for header in headers {
      guard let slice = try? reader.readSlice(header.length) else { return nil }
      if !slice.isEmpty { blocks.append(Block(age: header.age, payload: slice)) }
    }
    guard let primary = try? reader.readSlice(reader.remaining), !primary.isEmpty else { return nil }
    blocks.append(Block(age: 0, payload: primary))
    self.blocks = blocks
  }
}
