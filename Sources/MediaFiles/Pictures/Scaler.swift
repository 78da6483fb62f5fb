import CLibAV

/// Converts pictures between sizes and pixel formats.
final class Scaler {
  private var context: OpaquePointer?

  deinit {
    sws_freeContext(context)
  }

  /// A new picture of the given size and format, stretched to fill it; time and colours are kept.
  func scale(
    _ source: FrameHandle, width: Int, height: Int, format: AVPixelFormat
  ) throws(MediaFileError) -> FrameHandle {
    let input = source.pointer.pointee
    guard width > 0, height > 0, input.width > 0, input.height > 0 else {
      throw MediaFileError(.damaged, "A picture has no size.")
    }
    context = sws_getCachedContext(
      context, input.width, input.height, AVPixelFormat(input.format), Int32(clamping: width),
      Int32(clamping: height), format, SWS_BICUBIC, nil, nil, nil)
    guard let context else {
      throw MediaFileError(.unsupported, "A picture's pixel format cannot be converted.")
    }
    let result = try FrameHandle(width: width, height: height, format: format)
    try LibAV.check(sws_scale_frame(context, result.pointer, source.pointer), .damaged, "scale a picture")
    result.pointer.pointee.pts = input.pts
    return result
  }

  /// The largest even size of the same shape that fits into a box; no larger than the picture when `enlarges` is false.
  static func fit(width: Int, height: Int, into box: (width: Int, height: Int), enlarges: Bool) -> (
    width: Int, height: Int
  ) {
    guard width > 0, height > 0 else { return (2, 2) }
    var factor = min(Double(box.width) / Double(width), Double(box.height) / Double(height))
    if !enlarges { factor = min(1, factor) }
    func even(_ value: Double, _ limit: Int) -> Int { max(2, min(limit, Int(value.rounded())) & ~1) }
    return (even(Double(width) * factor, box.width), even(Double(height) * factor, box.height))
  }
}

extension FrameHandle {
  /// The picture turned clockwise by 90, 180 or 270 degrees; 4:2:0 with eight bits only.
  func rotated(_ degrees: Int) throws(MediaFileError) -> FrameHandle {
    guard degrees == 90 || degrees == 180 || degrees == 270 else { return self }
    let isUpright = degrees == 180
    let result = try FrameHandle(
      width: isUpright ? width : height, height: isUpright ? height : width,
      format: AVPixelFormat(pointer.pointee.format))
    result.pointer.pointee.pts = pointer.pointee.pts
    result.pointer.pointee.color_range = pointer.pointee.color_range
    for index in 0..<3 {
      guard let from = plane(index), let to = result.plane(index) else { continue }
      for row in 0..<to.height {
        let line = to.data + row * to.stride
        for column in 0..<to.width {
          let (x, y) =
            switch degrees {
            case 90: (row, from.height - 1 - column)
            case 180: (from.width - 1 - column, from.height - 1 - row)
            default: (from.width - 1 - row, column)
            }
          line[column] = from.data[y * from.stride + x]
        }
      }
    }
    return result
  }

  /// Copies a smaller 4:2:0 picture into this one; odd places are rounded down, what does not fit is cut off.
  func paste(_ other: FrameHandle, x: Int, y: Int) {
    for index in 0..<3 {
      guard let from = other.plane(index), let to = plane(index) else { continue }
      let shift = index == 0 ? 0 : 1
      let (left, top) = ((x & ~1) >> shift, (y & ~1) >> shift)
      let columns = min(from.width, to.width - left)
      guard left >= 0, top >= 0, columns > 0 else { continue }
      for row in 0..<max(0, min(from.height, to.height - top)) {
        (to.data + (top + row) * to.stride + left).update(from: from.data + row * from.stride, count: columns)
      }
    }
  }

  /// Paints the whole 4:2:0 picture in one colour.
  func fill(luma: UInt8, blue: UInt8 = 128, red: UInt8 = 128) {
    for (index, value) in [luma, blue, red].enumerated() {
      guard let plane = plane(index) else { continue }
      for row in 0..<plane.height { (plane.data + row * plane.stride).update(repeating: value, count: plane.width) }
    }
  }
}
