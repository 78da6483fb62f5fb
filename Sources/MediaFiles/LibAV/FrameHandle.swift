import CLibAV

/// Owns an `AVFrame`: a decoded picture or a stretch of sound.
final class FrameHandle {
  let pointer: UnsafeMutablePointer<AVFrame>

  init() throws(MediaFileError) {
    guard let frame = av_frame_alloc() else { throw LibAV.outOfMemory() }
    pointer = frame
  }

  /// An empty picture with room for its pixels.
  convenience init(width: Int, height: Int, format: AVPixelFormat) throws(MediaFileError) {
    try self.init()
    pointer.pointee.width = Int32(clamping: width)
    pointer.pointee.height = Int32(clamping: height)
    pointer.pointee.format = format.rawValue
    try LibAV.check(av_frame_get_buffer(pointer, 0), .library, "make a picture of \(width)x\(height)")
  }

  /// Empty sound with room for `samples` of each channel, planar floats.
  convenience init(samples: Int, channels: Int, rate: Int) throws(MediaFileError) {
    try self.init()
    pointer.pointee.nb_samples = Int32(clamping: samples)
    pointer.pointee.sample_rate = Int32(clamping: rate)
    pointer.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
    av_channel_layout_default(&pointer.pointee.ch_layout, Int32(clamping: channels))
    try LibAV.check(av_frame_get_buffer(pointer, 0), .library, "make room for sound")
  }

  deinit {
    var frame: UnsafeMutablePointer<AVFrame>? = pointer
    av_frame_free(&frame)
  }

  /// Another reference to the same pixels.
  func reference() throws(MediaFileError) -> FrameHandle {
    let other = try FrameHandle()
    try LibAV.check(av_frame_ref(other.pointer, pointer), .library, "keep a picture")
    return other
  }

  /// Makes the pixels this frame's own before they are changed.
  func makeWritable() throws(MediaFileError) {
    try LibAV.check(av_frame_make_writable(pointer), .library, "change a picture")
  }

  func clear() {
    av_frame_unref(pointer)
  }

  var width: Int { Int(pointer.pointee.width) }
  var height: Int { Int(pointer.pointee.height) }

  /// The rows of one plane of a 4:2:0 picture with eight bits; nil when there is none.
  func plane(_ index: Int) -> Plane? {
    let (data, stride) =
      switch index {
      case 0: (pointer.pointee.data.0, pointer.pointee.linesize.0)
      case 1: (pointer.pointee.data.1, pointer.pointee.linesize.1)
      case 2: (pointer.pointee.data.2, pointer.pointee.linesize.2)
      default: (nil, 0)
      }
    guard let data, stride > 0 else { return nil }
    let isChroma = index > 0
    return Plane(
      data: data, stride: Int(stride), width: isChroma ? (width + 1) / 2 : width,
      height: isChroma ? (height + 1) / 2 : height)
  }

  /// One channel's samples of planar sound; empty when there is none.
  func samples(_ channel: Int) -> UnsafeMutableBufferPointer<Float> {
    guard channel >= 0, channel < Int(pointer.pointee.ch_layout.nb_channels),
      let planes = pointer.pointee.extended_data,
      let data = planes[channel]
    else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
    let count = Int(max(0, pointer.pointee.nb_samples))
    return UnsafeMutableRawBufferPointer(start: data, count: count * 4).bindMemory(to: Float.self)
  }

  /// Rows of bytes inside a frame, valid as long as the frame is.
  struct Plane {
    let data: UnsafeMutablePointer<UInt8>
    let stride: Int
    let width: Int
    let height: Int
  }
}
