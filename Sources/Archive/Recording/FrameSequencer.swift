import Primitives

/// Puts one track's frames in a row: gives each its duration, keeps time from running backwards, and finds the gaps.
///
/// A picture lasts until the next, so the latest is held until that comes, or until ``maximumHold``.
struct FrameSequencer: Sendable {
  enum Output: Sendable {
    case frame(Sequenced)
    case gap(start: UTCTime, end: UTCTime, reason: ManifestEntry.Gap.Reason)
  }

  /// A frame whose duration is known.
  struct Sequenced: Sendable {
    var frame: MediaFrame
    var format: TrackFormat
    var layer: Int
    /// Whether it should begin a segment.
    var breaks: Bool
    /// When it came.
    var arrival: UTCTime
  }

  /// What was said from outside.
  private struct Interruption: Sendable {
    let reason: ManifestEntry.Gap.Reason
    let at: UTCTime
    /// Whether the next frame cannot follow; else only a loss within ``maximumHold`` is put down to it.
    let isCertain: Bool
  }

  /// Time without frames that is a gap although no packet is missing.
  static let maximumHole = TimeInterval64.milliseconds(1_500)
  /// How long the latest frame waits for the one after it.
  static let maximumHold = TimeInterval64.milliseconds(1_000)
  /// What a picture lasts when none has been measured.
  private static let usualDuration = TimeInterval64.microseconds(33_333)
  private static let measurable = TimeInterval64.milliseconds(1)...TimeInterval64.milliseconds(500)
  /// Between the beginnings of two frames: WebM counts milliseconds.
  private static let leastStep = TimeInterval64.milliseconds(1)
  /// Less than the shortest Opus packet, more than what clocks are off by.
  private static let soundTolerance = TimeInterval64.milliseconds(2)

  private var pending: Sequenced?
  /// Where the next frame should begin; while a frame is pending, by its usual duration.
  private var end: UTCTime?
  /// Time of the latest frame.
  private var lastTime: UTCTime?
  /// When the latest frame was taken, by the clock that it came with.
  private var lastTarget: UTCTime?
  /// What the last frames lasted.
  private var usual = Self.usualDuration
  /// Whether the latest frame stands later than it was taken, and says nothing of how long frames last.
  private var isCatchingUp = false
  /// Whether something is missing before the next frame.
  private var hasLoss = false
  private var interruption: Interruption?
  private var breaks = false
  private let kind: TrackKind

  init(kind: TrackKind) {
    self.kind = kind
  }

  var hasBegun: Bool { end != nil }

  /// Says from when on the track is recorded: what is before its first frame is a gap.
  mutating func begin(at time: UTCTime) {
    guard end == nil else { return }
    end = time
    hasLoss = true
  }

  /// Says that something is missing before the next frame.
  mutating func noteLoss() {
    hasLoss = true
  }

  /// Says why frames are going to be missing, which outranks a loss; one that `breaks` begins a segment.
  mutating func interrupt(_ reason: ManifestEntry.Gap.Reason, at now: UTCTime, breaks isCertain: Bool) -> [Output] {
    if interruption?.isCertain != true || isCertain {
      interruption = Interruption(reason: reason, at: now, isCertain: isCertain)
    }
    breaks = breaks || isCertain
    return isCertain ? release() : []
  }

  /// Adds a frame that was taken at `target`; `natural` is how long it lasts by itself, nil for a picture.
  mutating func push(
    _ frame: CodedFrame, at target: UTCTime, natural: TimeInterval64?, layer: Int, isJump: Bool
  ) -> [Output] {
    var time = target
    // A correction of the clock backwards is caught up at twice the speed.
    if let lastTime { time = max(time, lastTime + step(to: target)) }
    lastTarget = target
    if pending == nil, lastTime != nil, let end { time = max(time, end) }
    if isJump { breaks = true }
    isCatchingUp = time > target
    var outputs = close(until: time, reason: reason)
    let expected = natural ?? usual
    if let natural { usual = natural }
    outputs += release()
    pending = Sequenced(
      frame: MediaFrame(time: time, duration: expected, isKeyframe: frame.isKeyframe, bytes: frame.bytes),
      format: frame.format, layer: layer, breaks: breaks, arrival: frame.arrival)
    breaks = false
    // What was in flight when packets were given up still comes before the hole.
    let isOver = hasLoss || frame.arrival - (interruption?.at ?? frame.arrival) > Self.maximumHold
    if isOver || interruption?.isCertain == true { interruption = nil }
    hasLoss = false
    lastTime = time
    end = time + expected
    return outputs
  }

  /// How far after the frame before one stands at least: half of what lies between them.
  private func step(to target: UTCTime) -> TimeInterval64 {
    let distance = lastTarget.map { target - $0 } ?? .zero
    // The correction itself says nothing of how far they are apart.
    let whole = distance > .zero ? distance : min(usual, Self.usualDuration)
    return max(TimeInterval64(nanoseconds: whole.nanoseconds / 2), Self.leastStep)
  }

  /// Lets the latest frame go when it has waited for too long.
  mutating func advance(to now: UTCTime) -> [Output] {
    guard let pending, now - pending.arrival >= Self.maximumHold else { return [] }
    return release()
  }

  /// Lets everything go, and marks what is missing before `time`.
  mutating func finish(at time: UTCTime) -> [Output] {
    var outputs = release()
    let reason = reason
    if let end, time - end > (reason == nil ? Self.maximumHole : tolerance) {
      outputs.append(.gap(start: end, end: time, reason: reason ?? .pause))
      self.end = time
    }
    return outputs
  }

  /// Why the next frame does not follow the one before; nil when nothing says that it does not.
  private var reason: ManifestEntry.Gap.Reason? {
    if let interruption, interruption.isCertain || hasLoss { return interruption.reason }
    return hasLoss ? .loss : nil
  }

  private var tolerance: TimeInterval64 {
    switch kind {
    case .audio: Self.soundTolerance
    case .video: TimeInterval64(nanoseconds: usual.nanoseconds / 2)
    }
  }

  /// Gives the pending frame its duration and says what gap is between it and `time`.
  ///
  /// The gap comes out after the frame.
  private mutating func close(until time: UTCTime, reason: ManifestEntry.Gap.Reason?) -> [Output] {
    guard let end else { return [] }
    let hole = time - end
    let isMissing = reason != nil && hole > tolerance
    let isPause = hole > Self.maximumHole
    if isPause { breaks = true }
    if !isMissing, !isPause {
      if let held = pending {
        let duration = time - held.frame.time
        pending?.frame.duration = duration
        if kind == .video, !isCatchingUp, Self.measurable.contains(duration) { usual = duration }
        return []
      }
      // The frame before is out already, with its usual duration.
      guard hole > tolerance else { return [] }
    }
    return release() + [.gap(start: end, end: time, reason: reason ?? interruption?.reason ?? .pause)]
  }

  private mutating func release() -> [Output] {
    guard let held = pending else { return [] }
    pending = nil
    return [.frame(held)]
  }
}
