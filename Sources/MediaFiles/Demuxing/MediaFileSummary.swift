import Archive
import Primitives

/// What is in a file, found by reading it once from end to end; nothing is decoded.
package struct MediaFileSummary: Hashable, Sendable {
  package var container: TrackFormat.Container
  package var tracks: [MediaTrack]
  /// When the first frame is shown, on the file's clock.
  package var start: TimeInterval64
  /// When the last frame has been shown.
  package var end: TimeInterval64
  package var frames: Int
  /// Frames at which decoding can begin, of all tracks.
  package var keyframes: Int

  package var duration: TimeInterval64 { end - start }

  /// For example `video/webm`.
  package var mimeType: String {
    "\(tracks.contains { $0.kind == .video } ? "video" : "audio")/\(container.rawValue)"
  }

  /// Throws ``MediaFileError``: `empty` when the file has not one frame, otherwise as ``FragmentDemuxer`` does.
  package init(of source: ByteSource) throws(MediaFileError) {
    let demuxer = try FragmentDemuxer(source)
    (container, tracks) = (demuxer.container, demuxer.tracks)
    (frames, keyframes) = (0, 0)
    var (earliest, latest) = (TimeInterval64(nanoseconds: .max), TimeInterval64(nanoseconds: .min))
    while let packet = try demuxer.next() {
      frames += 1
      if packet.isKeyframe { keyframes += 1 }
      earliest = min(earliest, packet.time)
      latest = max(latest, packet.time + packet.length)
    }
    guard frames > 0 else { throw MediaFileError(.empty, "The file has no frames.") }
    (start, end) = (earliest, latest)
  }
}
