import Primitives
import RTP

/// What the path to one receiver bears: send-side estimation over transport-wide feedback.
///
/// One for each viewer. Memory is allocated once and owned by whoever calls ``deallocate()``.
package struct BandwidthEstimator: ~Copyable {
  /// A burst of packets sent faster than the target, to learn whether more fits.
  package struct Probe: Equatable, Sendable {
    /// 1 to 255; goes into ``noteSent(_:bytes:probe:now:)`` with each of its packets.
    package var id: UInt8
    package var bitsPerSecond: Int
    /// To send in all.
    package var bytes: Int
  }

  /// What the path bears now, in bits per second, packet headers included: what to allocate from.
  package private(set) var target: Int
  /// How fast packets may leave, bits per second.
  package var pacingRate: Int { target * 5 / 2 }
  /// Smoothed; nil before the first feedback.
  package private(set) var roundTripTime: TimeInterval64?
  /// Feedback that cannot be true: about packets never sent, from the future, or telling of an absurd rate.
  package private(set) var absurdFeedback: UInt64 = 0

  package init(initial: Int, now: MonotonicTime) {
    target = initial
  }

  package func deallocate() {}

  /// Takes note of a packet with a transport-wide number.
  ///
  /// Packet path.
  @inline(__always)
  package mutating func noteSent(_ sequence: UInt16, bytes: Int, probe: UInt8, now: MonotonicTime) {}

  package mutating func receive(_ feedback: TransportFeedback, now: MonotonicTime) {}

  /// Takes a receiver's own estimate (REMB): it caps the target while it is fresh.
  package mutating func receive(maximum bitsPerSecond: UInt64, now: MonotonicTime) {}

  /// Takes what a receiver report tells, for receivers without transport-wide feedback.
  ///
  /// - Parameter loss: Share lost since the last report, in 256ths.
  package mutating func receive(loss: UInt8, roundTripTime: TimeInterval64?, now: MonotonicTime) {}

  /// Tells what could be used: probes go up to it and no further.
  package mutating func setWanted(_ bitsPerSecond: Int) {}

  /// Does what time demands; call it every 10 to 50 ms.
  package mutating func tick(now: MonotonicTime) {}

  /// The next burst to send, if it is time.
  package mutating func takeProbe(now: MonotonicTime) -> Probe? { nil }
}
