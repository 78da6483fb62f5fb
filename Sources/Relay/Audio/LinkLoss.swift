import Primitives

/// How much gets lost on the way to one viewer, and so how often its sound is sent.
///
/// One report with losses is enough to begin: the next words should not be lost as well. It ends only when nothing was
/// lost for a while, since repeated sound costs little and a weak link rarely gets better at once.
package struct LinkLoss: BitwiseCopyable, Sendable {
  /// Earlier packets to repeat in each.
  package private(set) var repetitions: UInt8 = 0
  private var until = MonotonicTime.zero
  /// What transport-wide feedback told since the last share was taken from it.
  private var received = 0
  private var missing = 0
  private var heardAt: MonotonicTime?

  /// Share lost, in 256ths, from which one earlier packet is repeated: 3 %.
  static let weak: UInt8 = 8
  /// From which two are: 10 %, where the next packet is often lost as well.
  static let bad: UInt8 = 26
  /// From which a weak link counts as still weak: 1 %.
  static let stillWeak: UInt8 = 3
  /// How long repetition goes on after the last loss; browsers report on sound only every five seconds or so.
  package static let hold = TimeInterval64.milliseconds(15_000)

  package init() {}

  /// Packets over which a share is taken from transport-wide feedback.
  private static let sampleSize = 100
  /// How long reports on streams count for nothing after transport-wide feedback.
  private static let feedbackLifetime = TimeInterval64.milliseconds(5_000)

  /// Takes what transport-wide feedback tells: these numbers are the link's own.
  package mutating func noteFeedback(received: Int, missing: Int, now: MonotonicTime) {
    heardAt = now
    self.received += max(0, received)
    self.missing += max(0, missing)
    let total = self.received + self.missing
    guard total >= Self.sampleSize else { return }
    take(UInt8(clamping: self.missing * 256 / total), now: now)
    (self.received, self.missing) = (0, 0)
  }

  /// Takes a report on a stream, where there is no better: it counts what was lost on the sender's link as well.
  package mutating func noteReport(_ fraction: UInt8, now: MonotonicTime) {
    if let heardAt, now - heardAt < Self.feedbackLifetime { return }
    take(fraction, now: now)
  }

  /// Takes a report of the share that was lost lately, in 256ths (RFC 3550 §6.4.1).
  private mutating func take(_ fraction: UInt8, now: MonotonicTime) {
    let wanted: UInt8 = fraction >= Self.bad ? 2 : fraction >= Self.weak ? 1 : 0
    let isStillWeak = repetitions > 0 && fraction >= Self.stillWeak
    guard wanted > 0 || isStillWeak else { return }
    repetitions = max(repetitions, wanted)
    until = now + Self.hold
  }

  /// Repetitions for which there is room: sound fills no more than three quarters of what the link bears, since a thin
  /// link that is filled up loses still more.
  ///
  /// - Parameters:
  ///   - sound: What sound takes without repetitions, bits per second.
  ///   - link: What the link bears, bits per second; nil while it is not known.
  package func repetitions(sound: Int, link: Int?) -> UInt8 {
    guard let link, sound > 0 else { return repetitions }
    return UInt8(clamping: min(Int(repetitions), max(0, link / 4 * 3 / sound - 1)))
  }

  /// Ends repetition when its time is over.
  package mutating func update(now: MonotonicTime) {
    if repetitions > 0, now >= until { repetitions = 0 }
  }
}
