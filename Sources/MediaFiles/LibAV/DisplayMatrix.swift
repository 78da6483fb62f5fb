import CLibAV

/// The transformation that turns a picture clockwise (ISO/IEC 14496-12 §8.3.2).
struct DisplayMatrix {
  private let values: [Int32]

  private static let size = 9 * MemoryLayout<Int32>.size

  /// Nil when there is nothing to turn; `rotation` in degrees, sizes in pixels as coded.
  init?(rotation: Int, width: Int, height: Int) {
    let one: Int32 = 1 << 16
    let wide = Int32(truncatingIfNeeded: min(width, 0x7fff)) << 16
    let high = Int32(truncatingIfNeeded: min(height, 0x7fff)) << 16
    switch rotation {
    case 90: values = [0, one, 0, -one, 0, 0, high, 0, 1 << 30]
    case 180: values = [-one, 0, 0, 0, -one, 0, wide, high, 1 << 30]
    case 270: values = [0, -one, 0, one, 0, 0, 0, wide, 1 << 30]
    default: return nil
    }
  }

  func attach(to stream: UnsafeMutablePointer<AVStream>) throws(MediaFileError) {
    guard let room = av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, Self.size) else {
      throw LibAV.outOfMemory()
    }
    for (index, value) in values.enumerated() {
      UnsafeMutableRawPointer(room).storeBytes(of: value, toByteOffset: index * 4, as: Int32.self)
    }
  }

  /// Degrees clockwise that a file says, to the nearest quarter.
  static func rotation(of stream: UnsafeMutablePointer<AVStream>) -> Int {
    var length = 0
    guard let data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &length), length >= size else {
      return 0
    }
    let across = UnsafeRawPointer(data).loadUnaligned(as: Int32.self)
    let down = UnsafeRawPointer(data).loadUnaligned(fromByteOffset: 4, as: Int32.self)
    if across.magnitude >= down.magnitude { return across < 0 ? 180 : 0 }
    return down > 0 ? 90 : 270
  }
}
