import CongestionControl
import Primitives

/// What all slots of one viewer share: one path with one estimate, one sequence of transport-wide numbers, one pacer.
///
/// Plain data behind a pointer that slots keep; ``Relay`` makes it with the viewer's first slot and frees it with the
/// viewer.
struct SendingLink: ~Copyable {
  // What packets and ticks touch comes first, side by side (``hotBytes``); most of the estimator is for feedback alone.

  var pacer: Pacer
  /// What the viewer's pictures leave to more urgent ones on a full node (``NodePacer/bears(_:)``).
  var nodeReserve: Int32?
  /// Since when the viewer's feedback tells of its link; nil before.
  private(set) var informedSince: MonotonicTime?
  private(set) var lastFeedbackAt = MonotonicTime.zero
  private var nextNumber: UInt16
  /// ``nextNumber`` when feedback came last, or at the beginning.
  private var numberAtFeedback: UInt16
  /// When the first packet left after that feedback, and when the last one did.
  private var unansweredSince = MonotonicTime.zero
  private var lastSentAt = MonotonicTime.zero
  var estimator: BandwidthEstimator
  /// The burst that is being sent to learn whether the link bears more.
  var probe: ProbeProgress?
  /// What may be sent again.
  var repairs = RepairBudget()
  /// Sound, of which the link bears every packet or nothing.
  var audioBitsPerSecond = 0
  /// What the viewer's pictures were given, bits per second.
  var pictureBitsPerSecond = 0

  /// What a viewer's link is taken to bear before its feedback tells, bits per second: a middle layer, which most links
  /// bear and which shows a face.
  static let initialEstimate = 500_000
  /// How long an estimate is trusted without feedback.
  private static var feedbackLifetime: TimeInterval64 { .milliseconds(5_000) }

  init(firstNumber: UInt16, nodeReserve: Int32?, now: MonotonicTime) {
    estimator = BandwidthEstimator(initial: Self.initialEstimate, now: now)
    pacer = Pacer(now: now)
    nextNumber = firstNumber
    numberAtFeedback = firstNumber
    self.nodeReserve = nodeReserve
  }

  mutating func deallocate() {
    estimator.deallocate()
  }

  /// Bytes at the front that sending a packet touches.
  static var hotBytes: Int { 192 }

  /// Begins to send pictures over a link whose viewer has not told anything of it yet.
  ///
  /// - Parameter bitsPerSecond: What the pictures take.
  mutating func beginUnknown(_ bitsPerSecond: Int, now: MonotonicTime) {
    guard informedSince == nil else { return }
    pacer.begin(max(Self.initialEstimate * 6 / 5, bitsPerSecond * 3 / 2), bytes: Self.firstBurst, now: now)
  }

  /// Whether the viewer should have told of its link by now: it seems not to do so, ever.
  func isTacit(_ now: MonotonicTime) -> Bool {
    informedSince == nil && nextNumber != numberAtFeedback && now - unansweredSince >= Self.patienceWithUnknown
  }

  /// Bytes of a first picture that leave at once: what common queues hold, and enough to measure the link by.
  private static var firstBurst: Int { 20 * 1_200 }
  /// Longer than the first feedback takes from anywhere on earth.
  private static var patienceWithUnknown: TimeInterval64 { .milliseconds(1_000) }

  /// The next transport-wide number, for a packet of `bytes`.
  @inline(__always)
  mutating func takeNumber(bytes: Int, probe: UInt8, now: MonotonicTime) -> UInt16 {
    let number = nextNumber
    if number == numberAtFeedback { unansweredSince = now }
    lastSentAt = now
    nextNumber &+= 1
    estimator.noteSent(number, bytes: bytes, probe: probe, now: now)
    return number
  }

  /// Where the next number will be noted; nil before the first one.
  @inline(__always)
  var notePlace: UnsafeRawPointer? { estimator.notePlace(of: nextNumber) }

  mutating func noteFeedback(_ now: MonotonicTime) {
    if informedSince == nil { informedSince = now }
    lastFeedbackAt = now
    numberAtFeedback = nextNumber
  }

  /// Whether the viewer's feedback, of which there was some, has stopped: what was sent lately did not arrive.
  func isLost(_ now: MonotonicTime) -> Bool {
    informedSince != nil && now - lastFeedbackAt > Self.longestFeedbackPause
  }

  /// Whether the viewer has answered nothing for a while although enough was sent to be answered: its line is dead, or it
  /// left without a word.
  ///
  /// When nothing at all was sent to it for some time, it is tried again: without sound nothing else would tell.
  ///
  /// - Parameter isContended: Whether others could use the room; else it is waited for longer, since only the way back may
  ///   stand still.
  func isSilent(_ now: MonotonicTime, isContended: Bool) -> Bool {
    isUnanswered(for: isContended ? Self.patience : Self.longPatience, now) && now - lastSentAt < Self.timeToTry
  }

  /// Whether the link was dead for so long that what was known of it means nothing any more.
  func isOutdated(_ now: MonotonicTime) -> Bool {
    isUnanswered(for: Self.feedbackLifetime, now)
  }

  private func isUnanswered(for time: TimeInterval64, _ now: MonotonicTime) -> Bool {
    informedSince != nil && now - max(lastFeedbackAt, unansweredSince) > time
      && nextNumber &- numberAtFeedback > Self.packetsWithoutAnswer
  }

  private static var patience: TimeInterval64 { .milliseconds(1_000) }
  private static var longPatience: TimeInterval64 { .milliseconds(2_000) }
  private static var timeToTry: TimeInterval64 { .milliseconds(2_000) }
  /// More than the packets of a still, of which the answer may be on its way.
  private static var packetsWithoutAnswer: UInt16 { 20 }

  /// Longer than any browser waits between two reports on what arrives.
  private static var longestFeedbackPause: TimeInterval64 { .milliseconds(500) }

  /// Begins anew: on another path, or on one that was dead for a while.
  mutating func restart(_ now: MonotonicTime) {
    estimator.restart(initial: Self.initialEstimate, now: now)
    pacer = Pacer(now: now)
    informedSince = nil
    probe = nil
  }

  /// What the link bears, bits per second; nil while nothing is known.
  func bitsPerSecond(_ now: MonotonicTime) -> Int? {
    guard informedSince != nil, now - lastFeedbackAt < Self.feedbackLifetime else { return nil }
    return estimator.target
  }
}

typealias SendingLinkPointer = UnsafeMutablePointer<SendingLink>

/// A probe on its way.
struct ProbeProgress: BitwiseCopyable {
  let id: UInt8
  let bitsPerSecond: Int
  /// In packets of padding.
  let isSmall: Bool
  var remainingBytes: Int
  var startedAt: MonotonicTime
  var sentBytes = 0

  /// Bytes that should have left by now.
  func due(_ now: MonotonicTime) -> Int {
    let elapsed = max(0, (now - startedAt).nanoseconds)
    // A first packet at once; then as the rate demands.
    let first = isSmall ? ProbeProgress.firstBytesOfSmall : ProbeProgress.firstBytes
    return first + Int(Double(elapsed) * Double(bitsPerSecond) / 8e9) - sentBytes
  }

  private static let firstBytes = 1_200
  private static let firstBytesOfSmall = 300
}
