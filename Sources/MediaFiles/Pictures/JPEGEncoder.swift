import CLibAV

/// Writes single pictures as JPEG, without any note of camera or place.
enum JPEGEncoder {
  /// FFmpeg's scale: 2 is the best that is sensible, 31 the worst.
  enum Quality: Int32 {
    case evidence = 2
    case preview = 5
  }

  /// `picture` must be 4:2:0 with full range (`YUVJ420P`).
  static func encode(_ picture: FrameHandle, quality: Quality) throws(MediaFileError) -> [UInt8] {
    LibAV.prepare()
    guard let codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG) else {
      throw MediaFileError(.library, "This FFmpeg cannot write JPEG.")
    }
    var context = avcodec_alloc_context3(codec)
    defer { avcodec_free_context(&context) }
    guard let context else { throw LibAV.outOfMemory() }
    context.pointee.width = picture.pointer.pointee.width
    context.pointee.height = picture.pointer.pointee.height
    context.pointee.pix_fmt = AV_PIX_FMT_YUVJ420P
    context.pointee.color_range = AVCOL_RANGE_JPEG
    context.pointee.time_base = AVRational(num: 1, den: 25)
    context.pointee.flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT
    context.pointee.global_quality = FF_QP2LAMBDA * quality.rawValue
    context.pointee.thread_count = 1
    try LibAV.check(avcodec_open2(context, codec, nil), .output, "write a JPEG")
    let packet = try PacketHandle()
    picture.pointer.pointee.quality = context.pointee.global_quality
    picture.pointer.pointee.pts = 0
    try LibAV.check(avcodec_send_frame(context, picture.pointer), .output, "write a JPEG")
    try LibAV.check(avcodec_receive_packet(context, packet.pointer), .output, "write a JPEG")
    return Array(UnsafeBufferPointer(start: packet.pointer.pointee.data, count: Int(packet.pointer.pointee.size)))
  }
}
