import Primitives
import RTP

/// Joins VP9 pictures, all spatial layers of one into a superframe (RFC 9628; VP9 bitstream specification annex B).
///
/// Encoders mark every layer as shown, so that whoever gets only the lower ones sees them. A decoder shows what is marked: it
/// would show each picture several times, in several sizes. In a recording only the highest layer of a picture is shown.
struct VP9Depacketizer: VideoDepacketizer {
  private var bytes: [UInt8] = []
  /// Where each layer frame begins.
  private var layerStarts: [Int] = []
  /// What the pictures until now have left behind.
  private var references = VP9References()

  /// What a superframe's index can count.
  private static let maximumLayers = 8

  mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    layerStarts.removeAll(keepingCapacity: true)
  }

  mutating func append(_ payload: UnsafeRawBufferPointer) throws(DepacketizingError) {
    guard let descriptor = try? VP9Descriptor(parsing: payload) else { throw .malformed }
    if descriptor.startsFrame {
      guard layerStarts.count < Self.maximumLayers else { throw .tooLarge }
      layerStarts.append(bytes.count)
    }
    guard !layerStarts.isEmpty else { throw .incomplete }
    try bytes.appendWithinFrame(payload.dropFirst(descriptor.length))
  }

  mutating func finish() throws(DepacketizingError) -> CodedPicture {
    guard !layerStarts.isEmpty, !bytes.isEmpty else { throw .incomplete }
    if layerStarts.count == 1 {
      let header = try header(of: bytes[...])
      return CodedPicture(bytes: bytes.take(), keyframe: Self.format(first: header, shown: header))
    }
    return try joinLayers()
  }

  private mutating func joinLayers() throws(DepacketizingError) -> CodedPicture {
    let ends = layerStarts.dropFirst() + [bytes.count]
    var joined: [UInt8] = []
    joined.reserveCapacity(bytes.count + 64)
    var sizes: [Int] = []
    var first: VP9FrameHeader?
    var shown: VP9FrameHeader?
    for (start, end) in zip(layerStarts, ends) {
      let layer = bytes[start..<end]
      let header = try header(of: layer)
      if first == nil { first = header }
      shown = header
      if end == bytes.count {
        joined += layer
      } else {
        guard let hidden = header.hiding(layer) else { throw .malformed }
        joined += hidden
      }
      sizes.append(joined.count - sizes.reduce(0, +))
    }
    bytes.removeAll()
    joined += Self.index(of: sizes)
    guard let first, let shown else { throw .incomplete }
    return CodedPicture(bytes: joined, keyframe: Self.format(first: first, shown: shown))
  }

  private mutating func header(of frame: ArraySlice<UInt8>) throws(DepacketizingError) -> VP9FrameHeader {
    guard let header = VP9FrameHeader(parsing: frame, references: references) else { throw .malformed }
    references.note(header)
    return header
  }

  /// What a picture that begins with a key frame says; its size is that of the layer that is shown.
  private static func format(first: VP9FrameHeader, shown: VP9FrameHeader) -> PictureFormat? {
    guard case .key(let bitDepth) = first.kind, let size = shown.size ?? first.size else { return nil }
    return PictureFormat(
      codec: .vp9(profile: first.profile, bitDepth: bitDepth), width: size.width, height: size.height)
  }

  /// The superframe index, without which a decoder takes the first layer for all (annex B.2).
  private static func index(of sizes: [Int]) -> [UInt8] {
    let largest = sizes.max() ?? 0
    let width = largest < 0x100 ? 1 : largest < 0x1_0000 ? 2 : largest < 0x100_0000 ? 3 : 4
    let marker = UInt8(0xc0 | (width - 1) << 3 | (sizes.count - 1))
    var index = [marker]
    for size in sizes {
      for place in 0..<width { index.append(UInt8(truncatingIfNeeded: size >> (8 * place))) }
    }
    return index + [marker]
  }
}
