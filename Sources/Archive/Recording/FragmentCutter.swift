import Primitives

/// Cuts a row of frames into fragments and segments.
struct FragmentCutter: Sendable {
  struct Cut: Sendable {
    var fragment: MediaFragment
    var beginsSegment: Bool
    var layer: Int
  }

  /// Media in one fragment, and how long the first frame of one waits.
  static let maximumFragmentLength = TimeInterval64.milliseconds(500)
  /// From how much on a keyframe begins a fragment of its own.
  static let minimumFragmentLength = TimeInterval64.milliseconds(100)
  /// After how long a keyframe begins a fragment in any case: only there can a player begin.
  static let maximumKeyframeDistance = TimeInterval64.milliseconds(1_000)
  /// Time between two keyframes after which one is asked for.
  ///
  /// A player that is sent to a moment decodes all from the keyframe before it: with 5 s between them a browser shows 720 lines
  /// within 0.3 s, with 10 s after nearly a second. An entry of a playlist (``HLSPlaylist/liveTarget``) has to end in time, too.
  static let keyframeInterval = TimeInterval64.milliseconds(5_000)
  /// Media in one file; video goes on to the next keyframe.
  static let maximumSegmentLength = TimeInterval64.milliseconds(60_000)
  /// Bytes in one fragment, but for a single frame.
  static let maximumFragmentBytes = 8 * 1_024 * 1_024

  private var frames: [MediaFrame] = []
  private var byteCount = 0
  /// When the first of `frames` came.
  private var firstArrival: UTCTime?
  /// When the latest fragment that begins with a keyframe began.
  private var keyframeStart: UTCTime?
  /// When the latest keyframe came.
  private var latestKeyframe: UTCTime?
  private var segment: Segment?

  private struct Segment: Sendable {
    let start: UTCTime
    let format: TrackFormat
    let layer: Int
    /// Whether none of its fragments is out.
    var isNew = true
    /// Whether the next keyframe ends it.
    var isOver = false
  }

  /// Whether a keyframe is waited for: to end the segment, or because the last was a while ago.
  func needsKeyframe(at now: UTCTime) -> Bool {
    guard let segment else { return false }
    if segment.isOver || now - segment.start > Self.maximumSegmentLength { return true }
    guard let latestKeyframe else { return false }
    return now - latestKeyframe >= Self.keyframeInterval
  }

  /// Adds a frame; the fragments that it ends come out.
  mutating func push(_ next: FrameSequencer.Sequenced) -> [Cut] {
    let frame = next.frame
    var cuts: [Cut] = []
    if next.breaks { segment?.isOver = true }
    if beginsSegment(next) {
      cuts += flush()
      segment = Segment(start: frame.time, format: next.format, layer: next.layer)
    } else if endsFragment(before: frame) {
      cuts += flush()
    }
    if frames.isEmpty {
      firstArrival = next.arrival
      if frame.isKeyframe { keyframeStart = frame.time }
    }
    if frame.isKeyframe { latestKeyframe = next.arrival }
    frames.append(frame)
    byteCount += frame.bytes.count
    return cuts
  }

  /// The fragment that has waited for ``maximumFragmentLength``.
  mutating func advance(to now: UTCTime) -> [Cut] {
    guard let firstArrival, now - firstArrival >= Self.maximumFragmentLength else { return [] }
    return flush()
  }

  /// What there is, as a fragment.
  mutating func flush() -> [Cut] {
    guard !frames.isEmpty, let segment else { return [] }
    let fragment = MediaFragment(format: segment.format, frames: frames)
    frames = []
    byteCount = 0
    firstArrival = nil
    self.segment?.isNew = false
    return [Cut(fragment: fragment, beginsSegment: segment.isNew, layer: segment.layer)]
  }

  /// Lets the next keyframe begin a segment.
  mutating func endSegment() -> [Cut] {
    segment?.isOver = true
    return flush()
  }

  private func beginsSegment(_ next: FrameSequencer.Sequenced) -> Bool {
    guard let segment else { return true }
    if segment.format != next.format { return true }
    guard next.frame.isKeyframe else { return false }
    return segment.layer != next.layer || segment.isOver
      || next.frame.time - segment.start >= Self.maximumSegmentLength
  }

  private func endsFragment(before frame: MediaFrame) -> Bool {
    guard let first = frames.first, let last = frames.last else { return false }
    return frame.time + frame.duration - first.time > Self.maximumFragmentLength
      || frame.time - (last.time + last.duration) > Self.minimumFragmentLength
      || isVideoKeyframe(frame) && isDue(frame, after: first)
      || byteCount + frame.bytes.count > Self.maximumFragmentBytes
  }

  /// Whether a keyframe is worth a fragment of its own; several that come at once are not.
  private func isDue(_ keyframe: MediaFrame, after first: MediaFrame) -> Bool {
    guard keyframe.time - first.time < Self.minimumFragmentLength, let keyframeStart else { return true }
    return keyframe.time - keyframeStart >= Self.maximumKeyframeDistance
  }

  private func isVideoKeyframe(_ frame: MediaFrame) -> Bool {
    frame.isKeyframe && segment?.format.kind == .video
  }
}
