import Primitives

/// One coded picture, or one packet of sound, as a file holds it.
///
/// H.264: NAL units, each with a length of four bytes before it, without parameter sets and delimiters (avcC form). AV1:
/// OBUs with sizes, without temporal delimiters. VP8, VP9 and Opus: as the encoder made them.
package struct MediaFrame: Hashable, Sendable {
  /// When it was taken, on the server's clock.
  package var time: UTCTime
  package var duration: TimeInterval64
  package var isKeyframe: Bool
  package var bytes: [UInt8]

  package init(time: UTCTime, duration: TimeInterval64, isKeyframe: Bool, bytes: [UInt8]) {
    self.time = time
    self.duration = duration
    self.isKeyframe = isKeyframe
    self.bytes = bytes
  }
}

/// Frames of one track that are written, hashed and made durable together: never more than a second.
package struct MediaFragment: Hashable, Sendable {
  package var format: TrackFormat
  /// In the order of decoding, which is that of time; at least one.
  package var frames: [MediaFrame]

  package init(format: TrackFormat, frames: [MediaFrame]) {
    self.format = format
    self.frames = frames
  }

  package var start: UTCTime { frames.first?.time ?? UTCTime(microseconds: 0) }
  package var end: UTCTime { frames.last.map { $0.time + $0.duration } ?? start }
  package var startsWithKeyframe: Bool { frames.first?.isKeyframe ?? false }
  package var byteCount: Int { frames.reduce(0) { $0 + $1.bytes.count } }
}
