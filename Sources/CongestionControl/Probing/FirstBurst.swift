import Primitives

/// Measures a path with the first burst that goes over it: how far apart its packets arrive tells what the narrowest place
/// bears (packet dispersion; Dovrolis, Ramanathan and Moore, 2001), sooner than any probe, and for nothing.
///
/// A first picture leaves faster than most links take it, so that only the link spaces its packets.
package struct FirstBurst {
  /// Packets that leave within this time of the one before belong together.
  package static let spacing = TimeInterval64.milliseconds(5)
  /// Packets that tell enough while more of the burst may come, after its end, and in any case.
  package static let enough = 8
  package static let fewest = 7
  package static let most = 16
  /// So many may be a burst's first ones.
  package static let few = 3
  /// Fewer packets over this time tell enough, too: the link is slow.
  package static let some = 6
  package static let long = TimeInterval64.milliseconds(80)
  /// How long after a round trip more of a burst is waited for: receivers tell of what came every 50 to 250 ms.
  package static let patience = TimeInterval64.milliseconds(300)
  /// Bytes at the front that tell nothing: two packets.
  package static let front = 2_500
  /// A burst of less does not fill a link, bytes.
  package static let leastBytes = 4_000

  private var isOver = false
  private var current: MeasuredTrain?
  /// A burst whose end has been seen.
  private var ended: MeasuredTrain?
  private var lastSent: Int64 = 0

  package init() {}

  /// Takes a received packet, in the order of sending; nanoseconds, each on its own clock.
  package mutating func add(bytes: Int, sent: Int64, arrival: Int64) {
    guard !isOver else { return }
    if current != nil, sent &- lastSent <= Self.spacing.nanoseconds {
      current?.add(bytes: bytes, sent: sent, arrival: arrival)
    } else {
      if let current, current.whole.packets >= Self.fewest, current.whole.bytes >= Self.leastBytes {
        ended = ended ?? current
      }
      current = MeasuredTrain(front: Self.front, bytes: bytes, sent: sent, arrival: arrival)
    }
    lastSent = max(lastSent, sent)
  }

  /// Whether a burst is being received that may tell more.
  package func isPending(roundTripTime: TimeInterval64, now: MonotonicTime) -> Bool {
    guard !isOver, let current, current.whole.packets >= Self.few else { return false }
    return Int64(clamping: now.nanoseconds) - lastSent < (roundTripTime + Self.patience).nanoseconds
  }

  /// Bits per second that the burst arrived with, once; nil before enough of it has come.
  ///
  /// Infinite when all of it came at one instant or two, or as fast as it was sent.
  package mutating func take() -> Double? {
    guard !isOver, let train = ended ?? current else { return nil }
    let whole = train.whole
    let isEnough = whole.bytes >= Self.leastBytes && (ended != nil || whole.packets >= Self.enough)
    let isSlow = whole.packets >= Self.some && whole.lastArrival &- whole.firstArrival >= Self.long.nanoseconds
    guard isEnough || isSlow else { return nil }
    // A receiver that was busy reads what waited all at once: of few packets only an even spacing tells anything.
    let steady = train.steady ?? whole
    guard whole.packets >= Self.most || steady.isEven else {
      ended = nil
      return nil
    }
    isOver = true
    // What was not sent faster than it came shows no limit.
    if let sent = whole.sentRate, steady.evenRate >= ProbeMeasurements.saturation * sent { return .infinity }
    return steady.evenRate
  }

  /// Something else has measured the path.
  package mutating func end() {
    isOver = true
  }
}
