import Archive
import CLibAV
import Primitives

/// Decodes one track; whatever cannot be decoded is left out and counted.
///
/// Times of frames are nanoseconds on the file's clock.
final class TrackDecoder {
  let track: MediaTrack
  /// Frames that were damaged.
  private(set) var failures = 0

  private var context: UnsafeMutablePointer<AVCodecContext>?
  private let packet: PacketHandle

  /// Pixels of the largest picture: 8K.
  static let maximumPixels: Int64 = 7_680 * 4_320

  init(_ track: MediaTrack, threads: Int = 1) throws(MediaFileError) {
    LibAV.prepare()
    self.track = track
    packet = try PacketHandle()
    guard let codec = avcodec_find_decoder(track.codec.identifier) else {
      throw MediaFileError(.library, "This FFmpeg cannot decode \(track.codec.rawValue).")
    }
    context = avcodec_alloc_context3(codec)
    guard let context else { throw LibAV.outOfMemory() }
    try configure(context, threads: threads)
    try LibAV.check(avcodec_open2(context, codec, nil), .unsupported, "decode \(track.codec.rawValue)")
  }

  deinit {
    avcodec_free_context(&context)
  }

  private func configure(
    _ context: UnsafeMutablePointer<AVCodecContext>, threads: Int
  ) throws(MediaFileError) {
    var parameters = avcodec_parameters_alloc()
    defer { avcodec_parameters_free(&parameters) }
    guard let parameters else { throw LibAV.outOfMemory() }
    try track.describe(to: parameters)
    try LibAV.check(avcodec_parameters_to_context(context, parameters), .damaged, "prepare a decoder")
    context.pointee.pkt_timebase = Ticks.nanoseconds.rational
    context.pointee.max_pixels = Self.maximumPixels
    context.pointee.thread_count = Int32(clamping: threads)
  }

  /// Decodes one frame and gives whatever comes out to `body`; a frame that is damaged gives nothing.
  func decode(_ input: MediaPacket, _ body: (FrameHandle) throws(MediaFileError) -> Void) throws(MediaFileError) {
    try packet.fill(input.bytes)
    packet.pointer.pointee.pts = input.time.nanoseconds
    packet.pointer.pointee.dts = input.ticks.interval(input.decoding).nanoseconds
    packet.pointer.pointee.duration = input.length.nanoseconds
    packet.pointer.pointee.flags = input.isKeyframe ? AV_PKT_FLAG_KEY : 0
    try send(packet.pointer, body)
  }

  /// Gives the frames that the decoder still holds to `body`, and makes it ready for another beginning.
  func drain(_ body: (FrameHandle) throws(MediaFileError) -> Void) throws(MediaFileError) {
    try send(nil, body)
    avcodec_flush_buffers(context)
  }

  private func send(
    _ packet: UnsafeMutablePointer<AVPacket>?, _ body: (FrameHandle) throws(MediaFileError) -> Void
  ) throws(MediaFileError) {
    let result = avcodec_send_packet(context, packet)
    if result == SL_AVERROR_ENOMEM { throw LibAV.outOfMemory() }
    if result < 0, packet != nil { failures += 1 }
    while true {
      let frame = try FrameHandle()
      let result = avcodec_receive_frame(context, frame.pointer)
      if result == SL_AVERROR_ENOMEM { throw LibAV.outOfMemory() }
      if result == SL_AVERROR_EAGAIN || result == SL_AVERROR_EOF { return }
      if result < 0 {
        failures += 1
        return
      }
      if frame.pointer.pointee.best_effort_timestamp == SL_AV_NOPTS_VALUE { continue }
      frame.pointer.pointee.pts = frame.pointer.pointee.best_effort_timestamp
      try body(frame)
    }
  }
}
