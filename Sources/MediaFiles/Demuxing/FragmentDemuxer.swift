import Archive
import CLibAV
import Primitives

/// Reads the coded frames of an MP4 or WebM, whole or cut off; nothing is decoded.
///
/// The file may be hostile: a browser uploaded it. Only these two containers are tried, no other file is ever opened
/// because of what one says, all counts are bounded, and whatever is wrong becomes a ``MediaFileError``. Tracks with
/// other codecs than ``MediaTrack/Codec`` are passed over. Not thread-safe.
package final class FragmentDemuxer {
  package let tracks: [MediaTrack]
  package let container: TrackFormat.Container

  private let reader: SourceReader
  private let packet: PacketHandle
  /// Owned and closed before the reader that it reads from.
  private var context: UnsafeMutablePointer<AVFormatContext>?
  private var packetCount = 0

  /// Tracks of one file.
  package static let maximumTracks = 16
  /// Coded frames of one file: ten hours of pictures and sound.
  package static let maximumPackets = 4_000_000
  /// Bytes of the largest frame.
  package static let maximumPacketBytes = 32 << 20
  /// Bytes that are looked at to find out which container it is.
  private static let probeSize: Int64 = 256 * 1024

  /// Reads the header; throws with the codes `damaged`, `unsupported` or `input`.
  package init(_ source: ByteSource) throws(MediaFileError) {
    LibAV.prepare()
    reader = try SourceReader(source)
    packet = try PacketHandle()
    context = try Self.open(reader)
    guard let context else { throw LibAV.outOfMemory() }
    // The name is "matroska,webm" or begins with "mov".
    container = String(cString: context.pointee.iformat.pointee.name).contains("webm") ? .webm : .mp4
    let count = Int(min(context.pointee.nb_streams, UInt32(Self.maximumTracks)))
    tracks = (0..<count).compactMap { index in
      context.pointee.streams[index].flatMap { Self.track(index, $0) }
    }
    guard !tracks.isEmpty else {
      throw MediaFileError(.unsupported, "The file has no track with H.264, VP8, VP9, AV1, Opus or AAC.")
    }
  }

  deinit {
    avformat_close_input(&context)
  }

  /// A file out of its header and any of its fragments.
  package convenience init(header: [UInt8], fragments: [[UInt8]]) throws(MediaFileError) {
    try self.init(ByteSource(header + fragments.flatMap { $0 }))
  }

  /// The next frame of any track, in the order of the file; nil at its end.
  ///
  /// A file that is cut off ends with its last whole frame. Throws with the codes `damaged` or `input`.
  package func next() throws(MediaFileError) -> MediaPacket? {
    while try advance() {
      if let packet = current() { return packet }
    }
    return nil
  }

  /// Reads on into ``packet``; false at the end.
  private func advance() throws(MediaFileError) -> Bool {
    guard let context else { return false }
    packet.clear()
    packetCount += 1
    guard packetCount <= Self.maximumPackets else {
      throw MediaFileError(.damaged, "The file has more than \(Self.maximumPackets) frames.")
    }
    let result = av_read_frame(context, packet.pointer)
    if let failure = reader.failure { throw failure }
    if result == SL_AVERROR_EOF { return false }
    try LibAV.check(result, .damaged, "read on in the file")
    return true
  }

  /// The packet that was read, if its track and its times can be used.
  private func current() -> MediaPacket? {
    let raw = packet.pointer.pointee
    guard let track = tracks.first(where: { $0.index == Int(raw.stream_index) }), let data = raw.data, raw.size > 0,
      Int(raw.size) <= Self.maximumPacketBytes,
      let base = context?.pointee.streams[track.index]?.pointee.time_base
    else { return nil }
    let ticks = Ticks(numerator: base.num, denominator: base.den)
    guard let time = [raw.pts, raw.dts].first(where: { $0 != SL_AV_NOPTS_VALUE }) else { return nil }
    return MediaPacket(
      track: track.index, presentation: time, decoding: raw.dts == SL_AV_NOPTS_VALUE ? time : raw.dts,
      duration: max(0, raw.duration), ticks: ticks, isKeyframe: raw.flags & AV_PKT_FLAG_KEY != 0,
      bytes: Array(UnsafeBufferPointer(start: data, count: Int(raw.size))))
  }

  /// The returned context is the caller's to close.
  private static func open(_ reader: SourceReader) throws(MediaFileError) -> UnsafeMutablePointer<AVFormatContext>? {
    var context = avformat_alloc_context()
    guard let created = context else { throw LibAV.outOfMemory() }
    created.pointee.pb = reader.context
    created.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
    created.pointee.probesize = probeSize
    created.pointee.max_streams = Int32(maximumTracks)
    var options: OpaquePointer?
    defer { av_dict_free(&options) }
    av_dict_set(&options, "format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm", 0)
    av_dict_set(&options, "protocol_whitelist", "none", 0)
    // Frees the context when it fails.
    let result = avformat_open_input(&context, nil, nil, &options)
    if let failure = reader.failure {
      avformat_close_input(&context)
      throw failure
    }
    try LibAV.check(result, .damaged, "read the file as MP4 or WebM")
    return context
  }

  private static func track(_ index: Int, _ stream: UnsafeMutablePointer<AVStream>) -> MediaTrack? {
    guard let parameters = stream.pointee.codecpar?.pointee,
      let codec = MediaTrack.Codec.allCases.first(where: { $0.identifier == parameters.codec_id }),
      parameters.codec_type == (codec.kind == .video ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO)
    else { return nil }
    let isVideo = codec.kind == .video
    return MediaTrack(
      index: index, kind: codec.kind, codec: codec,
      width: isVideo ? Int(max(0, parameters.width)) : 0, height: isVideo ? Int(max(0, parameters.height)) : 0,
      rotation: isVideo ? DisplayMatrix.rotation(of: stream) : 0,
      profile: isVideo ? Int(max(0, parameters.profile)) : 0,
      sampleRate: isVideo ? 0 : Int(max(0, parameters.sample_rate)),
      channels: isVideo ? 0 : Int(max(0, parameters.ch_layout.nb_channels)),
      configuration: Array(
        UnsafeBufferPointer(start: parameters.extradata, count: Int(max(0, parameters.extradata_size)))))
  }
}
