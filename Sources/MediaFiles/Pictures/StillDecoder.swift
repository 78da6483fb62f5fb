import Archive
import CLibAV
import Primitives

/// One picture out of a recording.
package struct Still: Hashable, Sendable {
  /// Pixels, after turning.
  package var width: Int
  package var height: Int
  /// When it was taken, on the file's clock.
  package var time: TimeInterval64
  package var jpeg: [UInt8]

  package enum Size: Hashable, Sendable {
    /// All pixels, best quality.
    case full
    /// No wider than ``StillDecoder/thumbnailWidth``, for an overview.
    case thumbnail
  }
}

/// Takes single pictures out of a recording.
package enum StillDecoder {
  /// Pixels.
  package static let thumbnailWidth = 320
  /// Frames and bytes from a keyframe to the wanted picture.
  package static let maximumFrames = 20_000
  package static let maximumBytes = 256 << 20

  /// The picture that was to be seen at `time` on the file's clock; before the first picture, that one.
  ///
  /// `source` is a segment, or its header with fragments from the last keyframe before `time` on. `rotation` replaces
  /// what the file says, in degrees clockwise: WebM says nothing. Throws ``MediaFileError``; `empty` when there is no
  /// picture that can be decoded.
  package static func still(
    from source: ByteSource, at time: TimeInterval64, rotation: Int? = nil, size: Still.Size = .full
  ) throws(MediaFileError) -> Still {
    let demuxer = try FragmentDemuxer(source)
    guard let track = demuxer.tracks.first(where: { $0.kind == .video }) else {
      throw MediaFileError(.empty, "The recording has no pictures.")
    }
    let decoder = try TrackDecoder(track)
    var best: FrameHandle?
    func consider(_ frame: FrameHandle) {
      let isDue = frame.pointer.pointee.pts <= time.nanoseconds
      if best == nil || isDue { best = frame }
    }
    for packet in try packets(demuxer, track, upTo: time) { try decoder.decode(packet, consider) }
    try decoder.drain(consider)
    guard let best else { throw MediaFileError(.empty, "There is no whole picture at this moment.") }
    return try encode(best, rotation: rotation ?? track.rotation, size: size)
  }

  /// What must be decoded: from the last keyframe that is not after `time`, to `time`.
  private static func packets(
    _ demuxer: FragmentDemuxer, _ track: MediaTrack, upTo time: TimeInterval64
  ) throws(MediaFileError) -> [MediaPacket] {
    var packets: [MediaPacket] = []
    var byteCount = 0
    while let packet = try demuxer.next() {
      guard packet.track == track.index else { continue }
      if packet.isKeyframe, packet.time <= time || packets.isEmpty {
        packets = []
        byteCount = 0
      } else if packets.isEmpty {
        continue
      }
      // Decoding order: a picture that is shown later may be needed for one that is shown earlier.
      if packet.ticks.interval(packet.decoding) > time, !packets.isEmpty { break }
      packets.append(packet)
      byteCount += packet.bytes.count
      guard packets.count <= maximumFrames, byteCount <= maximumBytes else {
        throw MediaFileError(.unsupported, "There is no keyframe for too long before this moment.")
      }
    }
    return packets
  }

  /// Turns, scales and writes a decoded picture.
  static func encode(_ frame: FrameHandle, rotation: Int, size: Still.Size) throws(MediaFileError) -> Still {
    let picture = try prepare(frame, rotation: rotation, size: size)
    let time = TimeInterval64(nanoseconds: frame.pointer.pointee.pts)
    let jpeg = try JPEGEncoder.encode(picture, quality: size == .full ? .evidence : .preview)
    return Still(width: picture.width, height: picture.height, time: time, jpeg: jpeg)
  }

  /// Full range 4:2:0, turned and as large as wanted.
  static func prepare(_ frame: FrameHandle, rotation: Int, size: Still.Size) throws(MediaFileError) -> FrameHandle {
    var (width, height) = (frame.width, frame.height)
    if size == .thumbnail {
      let isTurned = rotation == 90 || rotation == 270
      let longest = 4 * thumbnailWidth
      let box = isTurned ? (longest, thumbnailWidth) : (thumbnailWidth, longest)
      (width, height) = Scaler.fit(width: width, height: height, into: box, enlarges: false)
    }
    let scaled = try Scaler().scale(frame, width: width, height: height, format: AV_PIX_FMT_YUVJ420P)
    return try scaled.rotated(rotation)
  }
}
