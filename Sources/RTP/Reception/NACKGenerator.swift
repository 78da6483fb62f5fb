import Primitives

/// Decides which missing packets of one stream to ask for, when to ask again and when to give up (RFC 4585 §6.2.1).
///
/// Works on extended sequence numbers (``SequenceUnwrapper``). A packet in order costs one comparison: no allocation.
package struct NACKGenerator: Sendable {
  /// Missing packets that are tracked at most.
  ///
  /// A larger hole is cheaper to close with a keyframe.
  package static let maximumMissing = 512
  /// Times that one packet is asked for at most.
  package static let maximumRequests = 40
  /// How long a packet is waited for at most, from when it was missed.
  package static let maximumAge = TimeInterval64.milliseconds(1_000)
  /// Numbers in one request at most, so that the packet stays well below a datagram's size even when nothing packs.
  package static let maximumPerRound = 200
  /// How long a missing packet may still come by itself, reordered, before the first request.
  package static let reorderingTolerance = TimeInterval64.milliseconds(5)
  /// Shortest interval between two requests for one packet, whatever the round-trip time is.
  package static let minimumRetryInterval = TimeInterval64.milliseconds(20)
  /// Round-trip time to go by before one was measured.
  package static let assumedRoundTripTime = TimeInterval64.milliseconds(100)

  /// What a packet meant.
  package enum Insertion: Equatable, Sendable {
    /// The successor of the highest so far, or the first.
    case inOrder
    /// Newer than expected: `missing` packets before it have not come.
    case gap(missing: Int)
    /// One that was missing.
    case recovered
    /// One that was not missing: a duplicate, or given up.
    case notMissing
    /// Too much is missing: all of it is given up, and a keyframe is needed.
    case overflow
  }

  /// What there is to do now.
  package struct Round: Equatable, Sendable {
    /// To be asked for in one generic NACK, ascending; may be empty.
    package var lost: [SequenceNumber]
    /// Packets were given up, so that decoding goes on only at a keyframe.
    package var needsKeyframe: Bool

    package init(lost: [SequenceNumber] = [], needsKeyframe: Bool = false) {
      self.lost = lost
      self.needsKeyframe = needsKeyframe
    }
  }

  private struct Missing {
    let sequence: Int64
    /// When waiting ends.
    let limit: MonotonicTime
    var nextRequest: MonotonicTime
    var requests = 0

    func isHopeless(now: MonotonicTime) -> Bool {
      now >= limit || requests >= NACKGenerator.maximumRequests && nextRequest <= now
    }
  }

  /// Ascending by sequence number.
  private var missing: [Missing] = []
  private var hasGivenUp = false
  /// The highest extended number so far.
  package private(set) var highest: Int64?
  /// When ``takeRound(now:roundTripTime:)`` has something to say; nil while nothing is missing.
  package private(set) var deadline: MonotonicTime?

  package init() {
    missing.reserveCapacity(Self.maximumMissing)
  }

  /// Packets that are being waited for.
  package var missingCount: Int { missing.count }

  /// Notes the arrival of a packet, be it original or repaired.
  @inline(__always)
  package mutating func insert(_ sequence: Int64, now: MonotonicTime) -> Insertion {
    if let highest, sequence == highest &+ 1 {
      self.highest = sequence
      return .inOrder
    }
    return insertOutOfOrder(sequence, now: now)
  }

  /// Stops asking for packets before `sequence`: a keyframe that starts there makes them worthless.
  package mutating func forget(before sequence: Int64) {
    missing.removeAll { $0.sequence < sequence }
    hasGivenUp = false
    if missing.isEmpty { deadline = nil }
  }

  /// The requests that are due, and whether packets had to be given up since the last call.
  ///
  /// Between two requests lies a little more than a round trip: a picture that is decoded in order waits for its oldest
  /// packet, so that longer and longer waits would cost more frames than they save requests.
  package mutating func takeRound(now: MonotonicTime, roundTripTime: TimeInterval64?) -> Round {
    var round = Round()
    let base = max(roundTripTime ?? Self.assumedRoundTripTime, Self.minimumRetryInterval)
    let countBefore = missing.count
    missing.removeAll { $0.isHopeless(now: now) }
    if missing.count < countBefore { hasGivenUp = true }
    deadline = nil
    for index in missing.indices {
      if missing[index].nextRequest <= now, round.lost.count < Self.maximumPerRound {
        round.lost.append(SequenceNumber(UInt16(truncatingIfNeeded: missing[index].sequence)))
        let next = now + Self.wait(base)
        missing[index].nextRequest = min(next, missing[index].limit)
        missing[index].requests += 1
      }
      deadline = min(deadline ?? missing[index].nextRequest, missing[index].nextRequest)
    }
    round.needsKeyframe = hasGivenUp
    hasGivenUp = false
    return round
  }

  /// The wait between two requests.
  ///
  /// A quarter more than the round trip leaves room for jitter.
  private static func wait(_ roundTripTime: TimeInterval64) -> TimeInterval64 {
    let first = TimeInterval64(nanoseconds: roundTripTime.nanoseconds / 4 &* 5)
    return min(first, maximumAge)
  }

  private mutating func insertOutOfOrder(_ sequence: Int64, now: MonotonicTime) -> Insertion {
    guard let last = highest else {
      highest = sequence
      return .inOrder
    }
    guard sequence > last else { return remove(sequence) ? .recovered : .notMissing }
    highest = sequence
    let hole = Int(clamping: sequence &- last &- 1)
    guard hole <= Self.maximumMissing - missing.count else {
      missing.removeAll(keepingCapacity: true)
      hasGivenUp = true
      // The keyframe is needed now, not at some later request.
      deadline = now
      return .overflow
    }
    let due = now + Self.reorderingTolerance
    for absent in (last + 1)..<sequence {
      missing.append(Missing(sequence: absent, limit: now + Self.maximumAge, nextRequest: due))
    }
    deadline = min(deadline ?? due, due)
    return .gap(missing: hole)
  }

  private mutating func remove(_ sequence: Int64) -> Bool {
    var (low, high) = (0, missing.count)
    while low < high {
      let middle = (low + high) / 2
      if missing[middle].sequence < sequence { low = middle + 1 } else { high = middle }
    }
    guard low < missing.count, missing[low].sequence == sequence else { return false }
    missing.remove(at: low)
    if missing.isEmpty, !hasGivenUp { deadline = nil }
    return true
  }
}
