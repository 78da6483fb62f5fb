import Archive
import CLibAV

extension TrackFormat {
  /// Largest width and height, in pixels.
  static let maximumSide = 16_384

  /// Refuses what no header can say.
  func checkForWriting() throws(MediaFileError) {
    if kind == .video {
      guard (1...Self.maximumSide).contains(width), (1...Self.maximumSide).contains(height) else {
        throw MediaFileError(.format, "A picture of \(width)x\(height) cannot be written.")
      }
      guard [0, 90, 180, 270].contains(rotation) else {
        throw MediaFileError(.format, "A rotation of \(rotation)° cannot be written.")
      }
    }
    switch codec {
    case .h264(let sequence, let picture):
      guard (1...31).contains(sequence.count), (1...255).contains(picture.count),
        sequence.allSatisfy({ (4...0xffff).contains($0.count) }),
        picture.allSatisfy({ (2...0xffff).contains($0.count) })
      else { throw MediaFileError(.format, "H.264 without usable parameter sets cannot be written.") }
    case .vp8: break
    case .vp9(let profile, let bitDepth):
      guard profile <= 3, [8, 10, 12].contains(bitDepth) else {
        throw MediaFileError(.format, "VP9 of profile \(profile) with \(bitDepth) bits is unknown.")
      }
    case .av1(let sequenceHeader):
      // Its OBU header says: a sequence header, with a size (AV1 bitstream §5.3.2).
      guard (4...1_024).contains(sequenceHeader.count), sequenceHeader[0] & 0xfa == 0x0a else {
        throw MediaFileError(.format, "AV1 without a usable sequence header cannot be written.")
      }
    case .opus(let channels):
      guard channels == 1 || channels == 2 else {
        throw MediaFileError(.format, "Opus with \(channels) channels cannot be written.")
      }
    }
  }

  /// Fills FFmpeg's description of the track.
  func describe(to parameters: UnsafeMutablePointer<AVCodecParameters>) throws(MediaFileError) {
    parameters.pointee.codec_type = kind == .video ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO
    parameters.pointee.codec_id = codecID
    if kind == .video {
      parameters.pointee.width = Int32(clamping: width)
      parameters.pointee.height = Int32(clamping: height)
      parameters.pointee.format = pixelFormat.rawValue
    }
    if case .opus(let channels) = codec {
      parameters.pointee.sample_rate = 48_000
      parameters.pointee.frame_size = 960
      parameters.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
      av_channel_layout_default(&parameters.pointee.ch_layout, Int32(channels))
    }
    try parameters.setExtraData(decoderConfiguration)
  }

  var codecID: AVCodecID {
    switch codec {
    case .h264: AV_CODEC_ID_H264
    case .vp8: AV_CODEC_ID_VP8
    case .vp9: AV_CODEC_ID_VP9
    case .av1: AV_CODEC_ID_AV1
    case .opus: AV_CODEC_ID_OPUS
    }
  }

  private var pixelFormat: AVPixelFormat {
    guard case .vp9(let profile, let bitDepth) = codec else { return AV_PIX_FMT_YUV420P }
    let isSubsampled = profile == 0 || profile == 2
    switch bitDepth {
    case 10: return isSubsampled ? AV_PIX_FMT_YUV420P10LE : AV_PIX_FMT_YUV444P10LE
    case 12: return isSubsampled ? AV_PIX_FMT_YUV420P12LE : AV_PIX_FMT_YUV444P12LE
    default: return isSubsampled ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_YUV444P
    }
  }

  /// What a decoder needs to know before the first frame.
  var decoderConfiguration: [UInt8] {
    switch codec {
    case .h264(let sequence, let picture): Self.avcConfiguration(sequence, picture)
    case .vp8, .vp9: []
    case .av1(let sequenceHeader): sequenceHeader
    case .opus(let channels): Self.opusHead(channels: channels)
    }
  }

  /// `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15 §5.3.3.1); `checkForWriting` has bounded all counts.
  private static func avcConfiguration(_ sequence: [[UInt8]], _ picture: [[UInt8]]) -> [UInt8] {
    guard let first = sequence.first, first.count >= 4 else { return [] }
    var record: [UInt8] = [1, first[1], first[2], first[3], 0xff, 0xe0 | UInt8(truncatingIfNeeded: sequence.count)]
    func append(_ set: [UInt8]) {
      record += [UInt8(truncatingIfNeeded: set.count >> 8), UInt8(truncatingIfNeeded: set.count)] + set
    }
    sequence.forEach(append)
    record.append(UInt8(truncatingIfNeeded: picture.count))
    picture.forEach(append)
    // High profile: 4:2:0 with eight bits is the only kind that WebRTC has (RFC 6184 §8.1, RFC 7742 §6.2).
    if first[1] == 100 { record += [0xfd, 0xf8, 0xf8, 0] }
    return record
  }

  /// Identification header (RFC 7845 §5.1).
  ///
  /// No pre-skip: the first packet was taken in the middle of a call.
  private static func opusHead(channels: UInt8) -> [UInt8] {
    Array("OpusHead".utf8) + [1, channels, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]
  }
}

extension UnsafeMutablePointer<AVCodecParameters> {
  /// Replaces the extra data by a copy of `bytes`, with the padding that FFmpeg's readers need.
  func setExtraData(_ bytes: [UInt8]) throws(MediaFileError) {
    av_freep(&pointee.extradata)
    pointee.extradata_size = 0
    guard !bytes.isEmpty else { return }
    guard let room = av_mallocz(bytes.count + Int(SL_AV_INPUT_BUFFER_PADDING_SIZE)) else { throw LibAV.outOfMemory() }
    let target = room.assumingMemoryBound(to: UInt8.self)
    bytes.withUnsafeBufferPointer { if let base = $0.baseAddress { target.update(from: base, count: $0.count) } }
    pointee.extradata = target
    pointee.extradata_size = Int32(clamping: bytes.count)
  }
}
