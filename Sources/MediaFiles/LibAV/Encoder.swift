import CLibAV

/// Encodes pictures as H.264 or sound as AAC: what every player plays.
final class Encoder {
  let context: UnsafeMutablePointer<AVCodecContext>
  let ticks: Ticks
  private let packet: PacketHandle

  /// Bits a second of stereo sound.
  private static let soundBitrate: Int64 = 128_000
  /// x264's scale: 18 can hardly be told from the original.
  private static let pictureQuality = "21"
  /// Pictures from one keyframe to the next, so that players seek quickly.
  private static let keyframeInterval: Int32 = 60
  static let sampleRate = 48_000

  /// Even sizes in pixels; times of frames are given in `ticks`.
  static func h264(width: Int, height: Int, ticks: Ticks) throws(MediaFileError) -> Encoder {
    let encoder = try Encoder(codec: "libx264", name: "H.264", ticks: ticks)
    encoder.context.pointee.width = Int32(clamping: width)
    encoder.context.pointee.height = Int32(clamping: height)
    encoder.context.pointee.pix_fmt = AV_PIX_FMT_YUV420P
    encoder.context.pointee.gop_size = keyframeInterval
    encoder.context.pointee.max_b_frames = 0
    // Zero: as many as there are processors.
    encoder.context.pointee.thread_count = 0
    av_opt_set(encoder.context.pointee.priv_data, "preset", "veryfast", 0)
    av_opt_set(encoder.context.pointee.priv_data, "crf", pictureQuality, 0)
    try encoder.open()
    return encoder
  }

  /// Stereo of 48,000 samples a second; times of frames are given in samples.
  static func aac() throws(MediaFileError) -> Encoder {
    let encoder = try Encoder(
      codec: "aac", name: "AAC", ticks: Ticks(numerator: 1, denominator: Int32(sampleRate)))
    encoder.context.pointee.sample_rate = Int32(sampleRate)
    encoder.context.pointee.sample_fmt = AV_SAMPLE_FMT_FLTP
    encoder.context.pointee.bit_rate = soundBitrate
    av_channel_layout_default(&encoder.context.pointee.ch_layout, 2)
    try encoder.open()
    return encoder
  }

  private init(codec name: String, name shown: String, ticks: Ticks) throws(MediaFileError) {
    LibAV.prepare()
    self.ticks = ticks
    packet = try PacketHandle()
    guard let codec = avcodec_find_encoder_by_name(name) else {
      throw MediaFileError(.library, "This FFmpeg cannot write \(shown): install one with \(name).")
    }
    guard let context = avcodec_alloc_context3(codec) else { throw LibAV.outOfMemory() }
    self.context = context
    context.pointee.time_base = ticks.rational
    context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT
  }

  deinit {
    var owned: UnsafeMutablePointer<AVCodecContext>? = context
    avcodec_free_context(&owned)
  }

  private func open() throws(MediaFileError) {
    try LibAV.check(avcodec_open2(context, nil, nil), .library, "prepare an encoder")
  }

  /// Samples that each frame of sound must have, but for the last.
  var frameSize: Int { Int(context.pointee.frame_size) }

  /// Encodes a frame, or with nil what the encoder still holds, into track `track` of `file`.
  func encode(_ frame: FrameHandle?, into file: OutputFile, track: Int) throws(MediaFileError) {
    try LibAV.check(avcodec_send_frame(context, frame?.pointer), .output, "encode a film")
    while true {
      let result = avcodec_receive_packet(context, packet.pointer)
      if result == SL_AVERROR_EAGAIN || result == SL_AVERROR_EOF { return }
      try LibAV.check(result, .output, "encode a film")
      try file.write(packet, track: track, ticks: ticks)
    }
  }
}
