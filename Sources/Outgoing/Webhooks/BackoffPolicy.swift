import Primitives

/// How often, and after which pauses, a delivery is tried again.
///
/// Twelve tries over almost nine hours: a receiver that a shift notices in the morning still gets what happened at night.
package struct BackoffPolicy: Hashable, Sendable {
  /// Tries in all.
  package var maximumTries = 12
  /// Tries of what the receiver says will never be right (400, 413, 415 and 422): they hold up what follows them.
  package var maximumTriesWhenRejected = 3
  /// Pause after the first try.
  package var firstDelay = TimeInterval64.seconds(2)
  /// Each pause is that many times the one before.
  package var factor = 2.5
  /// Share of a pause by which it is shortened or lengthened at random, so that receivers that come back are not run over.
  package var jitter = 0.2
  /// Longest pause, also when the receiver asks for more.
  package var maximumDelay = TimeInterval64.seconds(6 * 3_600)

  package init() {}

  /// The pause before the next try; nil when there has been the last.
  ///
  /// `tries` counts those made, from 1. A receiver's own wish (`Retry-After`) lengthens the pause.
  package func delay(
    afterTries tries: Int, isRejected: Bool = false, retryAfter: TimeInterval64? = nil, random: inout RandomSource
  ) -> TimeInterval64? {
    guard tries < (isRejected ? maximumTriesWhenRejected : maximumTries) else { return nil }
    var delay = min(firstDelay.seconds, maximumDelay.seconds)
    for _ in 1..<max(tries, 1) where delay < maximumDelay.seconds { delay *= factor }
    delay *= 1 + Double.random(in: -jitter...jitter, using: &random)
    delay = max(delay, retryAfter?.seconds ?? 0)
    return .seconds(min(delay, maximumDelay.seconds))
  }
}
