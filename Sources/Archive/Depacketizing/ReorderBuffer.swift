import Primitives

/// Puts packets in the order of their sequence numbers and waits a while for those that are missing.
///
/// A packet in order passes without being kept. Work is proportional to packets and to the numbers that are skipped,
/// which ``maximumSpan`` limits.
package struct ReorderBuffer: Sendable {
  /// What comes out, in order.
  package enum Output: Hashable, Sendable {
    case packet(RecordedPacket)
    /// So many packets were waited for in vain.
    case missing(Int64)
  }

  /// How long a missing packet is waited for, from the arrival of the packet behind it.
  ///
  /// A retransmission takes a round trip and the sender's pacing.
  package static let maximumWait = TimeInterval64.milliseconds(300)
  /// Packets that wait behind a missing one; at the limit it is given up.
  package static let maximumWaiting = 512
  /// Sequence numbers from the next expected to the last that waits; a longer jump is a new beginning.
  package static let maximumSpan: Int64 = 2_048
  /// The most that a jump is counted as: the wire's numbers cannot say more.
  static let maximumMissing: Int64 = 65_536
  /// Packets in a row from before the expected number, after which the sender is taken to have started again.
  static let maximumStale = 64

  private var next: Int64?
  private var waiting: [Int64: RecordedPacket] = [:]
  /// Since when the packet `next` is missed; nil when nothing waits.
  private var missingSince: UTCTime?
  private var stale = 0

  package init() {}

  /// The number that is expected next; nil before the first packet.
  package var expected: Int64? { next }

  /// Takes a packet; late ones and repetitions are left out.
  package mutating func receive(_ packet: RecordedPacket) -> [Output] {
    guard let next else {
      self.next = packet.sequence &+ 1
      return [.packet(packet)]
    }
    let (ahead, overflow) = packet.sequence.subtractingReportingOverflow(next)
    if overflow || ahead >= Self.maximumSpan { return restart(with: packet, missing: overflow ? 0 : ahead) }
    guard ahead >= 0 else {
      stale += 1
      return stale >= Self.maximumStale ? restart(with: packet, missing: 0) : []
    }
    stale = 0
    if ahead == 0 {
      self.next = next &+ 1
      return waiting.isEmpty ? [.packet(packet)] : [.packet(packet)] + expire(at: packet.arrival)
    }
    if waiting.isEmpty { missingSince = packet.arrival }
    if waiting[packet.sequence] == nil { waiting[packet.sequence] = packet }
    return expire(at: packet.arrival)
  }

  /// Gives up what has been missed for too long.
  package mutating func advance(to now: UTCTime) -> [Output] {
    waiting.isEmpty ? [] : expire(at: now)
  }

  /// Everything that waits, however much is missing in between.
  package mutating func drain() -> [Output] {
    var outputs: [Output] = []
    while !waiting.isEmpty {
      skipToWaiting(&outputs)
      release(&outputs)
    }
    return outputs
  }

  private mutating func restart(with packet: RecordedPacket, missing: Int64) -> [Output] {
    var outputs = drain()
    stale = 0
    next = packet.sequence &+ 1
    outputs += [.missing(min(max(1, missing), Self.maximumMissing)), .packet(packet)]
    return outputs
  }

  private mutating func expire(at now: UTCTime) -> [Output] {
    var outputs: [Output] = []
    release(&outputs)
    while let since = missingSince, now - since > Self.maximumWait || waiting.count > Self.maximumWaiting {
      skipToWaiting(&outputs)
      release(&outputs)
    }
    return outputs
  }

  /// Moves to the first number that waits.
  private mutating func skipToWaiting(_ outputs: inout [Output]) {
    guard let start = next, !waiting.isEmpty else { return }
    var number = start
    while waiting[number] == nil, number &- start < Self.maximumSpan { number &+= 1 }
    next = number
    outputs.append(.missing(number &- start))
  }

  /// Lets out what waits without a gap before it.
  private mutating func release(_ outputs: inout [Output]) {
    while let number = next, let packet = waiting.removeValue(forKey: number) {
      next = number &+ 1
      outputs.append(.packet(packet))
    }
    guard let number = next, !waiting.isEmpty else {
      missingSince = nil
      return
    }
    if outputs.isEmpty { return }
    // The packet behind the next hole says since when that one is known; it is near, or the wait is long over.
    var behind = number &+ 1
    while waiting[behind] == nil, behind &- number < Self.maximumSpan { behind &+= 1 }
    missingSince = waiting[behind]?.arrival ?? missingSince
  }
}
