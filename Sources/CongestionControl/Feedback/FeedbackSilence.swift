import Primitives

/// Notices that nothing is heard of what is sent.
package struct FeedbackSilence {
  /// How long packets may stay without feedback before the path is taken for broken.
  package static let timeout = TimeInterval64.milliseconds(2_000)
  /// Time between two steps down after that.
  package static let step = TimeInterval64.milliseconds(500)
  /// What a step leaves.
  package static let factor = 0.7

  private var sentAtFeedback: UInt64 = 0
  private var waitingSince: MonotonicTime?
  private var lastStep = MonotonicTime.zero

  package init() {}

  package mutating func heard(sent: UInt64) {
    sentAtFeedback = sent
    waitingSince = nil
  }

  /// True when it is time for a step down.
  ///
  /// - Parameter sent: Packets sent so far.
  package mutating func tick(sent: UInt64, now: MonotonicTime) -> Bool {
    guard sent > sentAtFeedback else { return false }
    guard let waitingSince else {
      self.waitingSince = now
      return false
    }
    guard now - waitingSince >= Self.timeout, now - lastStep >= Self.step else { return false }
    lastStep = now
    return true
  }
}
