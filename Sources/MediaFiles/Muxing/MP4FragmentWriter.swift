import Archive
import CLibAV

/// Writes a fragmented MP4 of one track with libavformat.
///
/// `empty_moov`: the header is complete before the first frame. `frag_custom` and a flush a fragment: one `moof` each.
/// `frag_discont`: the time in `tfdt` is the one that was given, also in the first fragment and after a gap. No edit list and no index.
final class MP4FragmentWriter {
  private let sink: MemorySink
  private let packet: PacketHandle
  /// Owned; freed before the sink that it writes to.
  private let context: UnsafeMutablePointer<AVFormatContext>

  private static let flags = "empty_moov+default_base_moof+frag_custom+skip_trailer"

  init(_ format: TrackFormat) throws(MediaFileError) {
    LibAV.prepare()
    sink = try MemorySink()
    packet = try PacketHandle()
    var allocated: UnsafeMutablePointer<AVFormatContext>?
    try LibAV.check(avformat_alloc_output_context2(&allocated, nil, "mp4", nil), .library, "write MP4")
    guard let allocated else { throw LibAV.outOfMemory() }
    context = allocated
    context.pointee.pb = sink.context
    context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT
    // Otherwise all times are counted from the first frame's.
    context.pointee.avoid_negative_ts = 0
    guard let stream = avformat_new_stream(context, nil), let parameters = stream.pointee.codecpar else {
      throw LibAV.outOfMemory()
    }
    try format.describe(to: parameters)
    stream.pointee.time_base = AVRational(num: 1, den: format.kind == .video ? 90_000 : 48_000)
    let matrix = DisplayMatrix(rotation: format.rotation, width: format.width, height: format.height)
    try matrix?.attach(to: stream)
  }

  deinit {
    avformat_free_context(context)
  }

  /// `ftyp` and `moov`; called once, before any fragment.
  func header() throws(MediaFileError) -> [UInt8] {
    var options: OpaquePointer?
    defer { av_dict_free(&options) }
    av_dict_set(&options, "movflags", Self.flags, 0)
    av_dict_set(&options, "video_track_timescale", "90000", 0)
    av_dict_set(&options, "use_editlist", "0", 0)
    try LibAV.check(avformat_write_header(context, &options), .format, "write the MP4 header")
    return sink.take()
  }

  /// `moof` and `mdat`.
  func fragment(_ samples: [FragmentSample]) throws(MediaFileError) -> [UInt8] {
    // Holds for one fragment; without it each begins where the one before ended, and gaps are closed.
    try LibAV.check(
      av_opt_set(context.pointee.priv_data, "movflags", "+frag_discont", 0), .library, "begin a fragment")
    do {
      for sample in samples { try write(sample) }
      try LibAV.check(av_write_frame(context, nil), .frame, "write a fragment")
    } catch {
      // Whatever was written of it must not become a part of the next.
      av_write_frame(context, nil)
      _ = sink.take()
      throw error
    }
    return sink.take()
  }

  private func write(_ sample: FragmentSample) throws(MediaFileError) {
    try packet.fill(sample.frame.bytes)
    packet.pointer.pointee.stream_index = 0
    packet.pointer.pointee.pts = sample.time
    packet.pointer.pointee.dts = sample.time
    packet.pointer.pointee.duration = sample.duration
    packet.pointer.pointee.flags = sample.frame.isKeyframe ? AV_PKT_FLAG_KEY : 0
    try LibAV.check(av_write_frame(context, packet.pointer), .frame, "write a frame")
  }
}
