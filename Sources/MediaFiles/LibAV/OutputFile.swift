import Archive
import CLibAV
import Foundation

/// Writes a finished file of several tracks, with its index; times are nanoseconds.
///
/// Never overwrites: the path must be free. What was begun and not finished is removed.
final class OutputFile {
  private let path: String
  private let container: TrackFormat.Container
  private let context: UnsafeMutablePointer<AVFormatContext>
  private let packet: PacketHandle
  /// The decoding time that each stream's next frame must have at least, in the stream's ticks.
  private var earliest: [Int64] = []
  private var isFinished = false

  init(path: String, container: TrackFormat.Container) throws(MediaFileError) {
    LibAV.prepare()
    packet = try PacketHandle()
    self.path = path
    self.container = container
    let url = "file:" + path
    var allocated: UnsafeMutablePointer<AVFormatContext>?
    try LibAV.check(
      avformat_alloc_output_context2(&allocated, nil, container.rawValue, url), .library,
      "write \(container.rawValue)")
    guard let allocated else { throw LibAV.outOfMemory() }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      avformat_free_context(allocated)
      throw MediaFileError(.output, "Cannot create a film: \(reason).")
    }
    close(descriptor)
    context = allocated
    context.pointee.flags |= AVFMT_FLAG_BITEXACT
    try LibAV.check(avio_open(&context.pointee.pb, url, AVIO_FLAG_WRITE), .output, "write a film")
  }

  deinit {
    avio_closep(&context.pointee.pb)
    avformat_free_context(context)
    if !isFinished { unlink(path) }
  }

  /// Adds a track whose frames are copied as they are; returns its number.
  func add(_ track: MediaTrack) throws(MediaFileError) -> Int {
    let stream = try newStream(ticks: container == .webm ? .milliseconds : track.outputTicks)
    guard let parameters = stream.pointee.codecpar else { throw LibAV.outOfMemory() }
    try track.describe(to: parameters)
    try track.rotate(stream)
    return earliest.count - 1
  }

  /// Adds a track that an encoder makes; returns its number.
  func add(_ encoder: Encoder) throws(MediaFileError) -> Int {
    let stream = try newStream(ticks: encoder.ticks)
    try LibAV.check(
      avcodec_parameters_from_context(stream.pointee.codecpar, encoder.context), .output, "describe a track")
    return earliest.count - 1
  }

  private func newStream(ticks: Ticks) throws(MediaFileError) -> UnsafeMutablePointer<AVStream> {
    guard let stream = avformat_new_stream(context, nil) else { throw LibAV.outOfMemory() }
    stream.pointee.time_base = ticks.rational
    earliest.append(.min)
    return stream
  }

  /// Called after all tracks were added.
  func begin() throws(MediaFileError) {
    var options: OpaquePointer?
    defer { av_dict_free(&options) }
    if container == .mp4 { av_dict_set(&options, "movflags", "faststart", 0) }
    try LibAV.check(avformat_write_header(context, &options), .output, "write the beginning of a film")
  }

  /// Writes a coded frame; one whose decoding time is not later than the last one's is moved behind it.
  func write(
    _ bytes: [UInt8], track: Int, presentation: Int64, decoding: Int64, duration: Int64, isKeyframe: Bool
  ) throws(MediaFileError) {
    try packet.fill(bytes)
    packet.pointer.pointee.pts = presentation
    packet.pointer.pointee.dts = decoding
    packet.pointer.pointee.duration = duration
    packet.pointer.pointee.flags = isKeyframe ? AV_PKT_FLAG_KEY : 0
    try write(packet, track: track, ticks: .nanoseconds)
  }

  /// Writes what an encoder made, and empties the packet.
  func write(_ packet: PacketHandle, track: Int, ticks: Ticks) throws(MediaFileError) {
    guard earliest.indices.contains(track), let stream = context.pointee.streams[track] else { return }
    av_packet_rescale_ts(packet.pointer, ticks.rational, stream.pointee.time_base)
    packet.pointer.pointee.stream_index = Int32(track)
    packet.pointer.pointee.dts = max(packet.pointer.pointee.dts, earliest[track])
    packet.pointer.pointee.pts = max(packet.pointer.pointee.pts, packet.pointer.pointee.dts)
    earliest[track] = packet.pointer.pointee.dts + 1
    try LibAV.check(av_interleaved_write_frame(context, packet.pointer), .output, "write a film")
  }

  /// Writes the index; the film can be played from here on.
  func finish() throws(MediaFileError) {
    try LibAV.check(av_write_trailer(context), .output, "finish a film")
    try LibAV.check(avio_closep(&context.pointee.pb), .output, "close a film")
    isFinished = true
  }
}

extension MediaTrack {
  /// The unit of time in an MP4.
  var outputTicks: Ticks {
    kind == .video ? .ninetyKilohertz : Ticks(numerator: 1, denominator: Int32(clamping: max(1, sampleRate)))
  }

  /// Fills FFmpeg's description of the track.
  func describe(to parameters: UnsafeMutablePointer<AVCodecParameters>) throws(MediaFileError) {
    parameters.pointee.codec_type = kind == .video ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO
    parameters.pointee.codec_id = codec.identifier
    if kind == .video {
      parameters.pointee.width = Int32(clamping: width)
      parameters.pointee.height = Int32(clamping: height)
      parameters.pointee.format = pixelFormat.rawValue
      parameters.pointee.profile = Int32(clamping: profile)
    } else {
      parameters.pointee.sample_rate = Int32(clamping: sampleRate)
      parameters.pointee.frame_size = codec == .opus ? 960 : 1_024
      parameters.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
      av_channel_layout_default(&parameters.pointee.ch_layout, Int32(clamping: max(1, min(8, channels))))
    }
    try parameters.setExtraData(configuration)
  }

  /// Headers do not always say it; only VP9's description in MP4 needs to know (profiles 2 and 3 have ten bits or more).
  private var pixelFormat: AVPixelFormat {
    guard codec == .vp9 else { return AV_PIX_FMT_YUV420P }
    switch profile {
    case 1: return AV_PIX_FMT_YUV444P
    case 2: return AV_PIX_FMT_YUV420P10LE
    case 3: return AV_PIX_FMT_YUV444P10LE
    default: return AV_PIX_FMT_YUV420P
    }
  }

  /// Tells the player of the file to turn the picture.
  func rotate(_ stream: UnsafeMutablePointer<AVStream>) throws(MediaFileError) {
    guard let matrix = DisplayMatrix(rotation: rotation, width: width, height: height) else { return }
    try matrix.attach(to: stream)
  }
}
