import Histogram
import Primitives

/// Packets as one thread of the load generator counts them: all values only grow.
package struct LoadCounters: Codable, Hashable, Sendable {
  /// Media packets, without retransmissions.
  package var packets: UInt64 = 0
  /// Bytes of their datagrams.
  package var bytes: UInt64 = 0
  /// Packets on retransmission streams.
  package var retransmissions: UInt64 = 0
  /// Missing packets that a retransmission brought.
  package var repaired: UInt64 = 0
  package var duplicates: UInt64 = 0
  /// Packets without a send time: too short for one, or not from this generator.
  package var unstamped: UInt64 = 0
  /// Datagrams that failed authentication or were replayed.
  package var rejected: UInt64 = 0
  /// Packets of a payload type that was not negotiated.
  package var unknown: UInt64 = 0
  /// Packets that viewers asked for again, repetitions included.
  package var requests: UInt64 = 0
  package var keyframeRequests: UInt64 = 0
  /// Media packets that callers sent.
  package var sent: UInt64 = 0
  /// Packets that callers left out because they were held up: the generator was too slow.
  package var skipped: UInt64 = 0
  /// Packets that callers sent again because the server asked.
  package var resent: UInt64 = 0
  /// Numbers from the first to the last of each stream received.
  package var expected: UInt64 = 0
  /// Different numbers received.
  package var distinct: UInt64 = 0

  package init() {}

  package static func + (left: LoadCounters, right: LoadCounters) -> LoadCounters {
    left.combined(with: right, &+)
  }

  package static func - (later: LoadCounters, earlier: LoadCounters) -> LoadCounters {
    later.combined(with: earlier) { $0 >= $1 ? $0 - $1 : 0 }
  }

  private func combined(with other: LoadCounters, _ operation: (UInt64, UInt64) -> UInt64) -> LoadCounters {
    var result = self
    for field in Self.fields { result[keyPath: field] = operation(self[keyPath: field], other[keyPath: field]) }
    return result
  }

  private static var fields: [WritableKeyPath<LoadCounters, UInt64>] {
    [
      \.packets, \.bytes, \.retransmissions, \.repaired, \.duplicates, \.unstamped, \.rejected, \.unknown, \.requests,
      \.keyframeRequests, \.sent, \.skipped, \.resent, \.expected, \.distinct,
    ]
  }
}

/// Forwarding delays, in microseconds, to three significant digits.
package typealias DelayHistogram = Histogram<UInt64>

extension DelayHistogram {
  /// Longest delay told apart; longer ones count as this.
  package static let longestDelay: UInt64 = 60_000_000

  package static func delays() -> DelayHistogram {
    DelayHistogram(highestTrackableValue: longestDelay, numberOfSignificantValueDigits: .three)
  }
}

/// What the sessions of one loop measured.
///
/// `@unchecked Sendable`: only ever touched on its loop's thread, where every access to it is made.
package final class LoadRecorder: @unchecked Sendable {
  package var counters = LoadCounters()
  private var receivers: [LoadReceiver] = []
  private var callers: [any ClipPlayback] = []
  /// Since the last snapshot.
  private var interval = DelayHistogram.delays()
  /// Since the window was opened.
  private var window = DelayHistogram.delays()
  private var windowOpenedAt = MonotonicTime.zero

  package init() {}

  package func add(_ receiver: LoadReceiver) {
    receivers.append(receiver)
  }

  package func add(caller: any ClipPlayback) {
    callers.append(caller)
  }

  /// Measures from `now` on.
  package func openWindow(now: MonotonicTime) {
    window.reset()
    interval.reset()
    windowOpenedAt = now
  }

  package func stopCallers() {
    for caller in callers { caller.stopPlaying() }
  }

  /// Notes the delay of a packet for a viewer whose media began at `began`.
  ///
  /// What was sent before is left out: a cached keyframe is old when a new viewer gets it, and that is no delay.
  @inline(__always)
  func noteDelay(from sent: MonotonicTime, to now: MonotonicTime, since began: MonotonicTime) {
    guard sent >= began, sent >= windowOpenedAt else { return }
    let microseconds = min(UInt64(max(0, (now - sent).nanoseconds)) / 1_000, DelayHistogram.longestDelay)
    interval.record(microseconds)
    window.record(microseconds)
  }

  @inline(__always)
  func count(_ arrival: SequenceAccount.Arrival) {
    switch arrival {
    case .newest, .first, .late, .restart: break
    case .duplicate, .outside: counters.duplicates += 1
    }
  }

  /// Everything now; the next snapshot's interval begins here.
  package func snapshot(cpuNanoseconds: UInt64) -> LoadSnapshot {
    var total = counters
    for stream in receivers.lazy.flatMap(\.streams) {
      total.expected += stream.account.expected
      total.distinct += stream.account.received
    }
    for caller in callers {
      let played = caller.playerCounters
      total.sent += played.sent
      total.skipped += played.skipped
      total.resent += played.retransmitted
    }
    defer { interval.reset() }
    return LoadSnapshot(
      counters: total, interval: interval, window: window, cpuNanoseconds: cpuNanoseconds,
      receiving: receivers.count { $0.firstPacketAt != nil })
  }
}

/// A loop's measurements at one moment.
package struct LoadSnapshot: Sendable {
  package var counters = LoadCounters()
  package var interval = DelayHistogram.delays()
  package var window = DelayHistogram.delays()
  package var cpuNanoseconds: UInt64 = 0
  /// Viewers that have received a packet.
  package var receiving = 0

  package init() {}

  package init(
    counters: LoadCounters, interval: DelayHistogram, window: DelayHistogram, cpuNanoseconds: UInt64, receiving: Int
  ) {
    self.counters = counters
    self.interval = interval
    self.window = window
    self.cpuNanoseconds = cpuNanoseconds
    self.receiving = receiving
  }
}
