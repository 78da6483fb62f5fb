import Primitives

/// Notes when a transport's packets arrived and turns that into feedback for the sender's bandwidth estimate
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3).
///
/// Packet path: ``record(_:arrival:)`` allocates nothing, the window is allocated once.
package struct TransportFeedbackRecorder: Sendable {
  /// Packets remembered at most; older ones that were never reported are forgotten.
  ///
  /// A power of two.
  package static let windowSize = 2_048
  /// Largest feedback packet, in bytes with its RTCP header, so that SRTCP and an ICE-TCP frame still fit a datagram.
  package static let maximumFeedbackLength = 1_000

  private static let notReceived = Int64.min

  /// Arrival in ticks of 250 µs by extended number modulo the window; `notReceived` otherwise.
  private var arrivals = [Int64](repeating: TransportFeedbackRecorder.notReceived, count: windowSize)
  private var unwrapper = SequenceUnwrapper()
  /// The first number that the next feedback is about.
  private var start: Int64 = 0
  private var feedbackCount: UInt8 = 0
  /// Whether packets arrived that no feedback has told about.
  package private(set) var hasNews = false

  package init() {}

  /// Notes the arrival of the packet with transport-wide number `sequence`.
  ///
  /// The first arrival counts, duplicates do not.
  @inline(__always)
  package mutating func record(_ sequence: SequenceNumber, arrival: MonotonicTime) {
    let before = unwrapper.highest
    let number = unwrapper.unwrap(sequence)
    if let before, number > before {
      advance(from: before, to: number)
    } else if let before {
      guard number > before - Int64(Self.windowSize), slot(number) == Self.notReceived else { return }
      // Reported as lost before: the next feedback goes back to it and tells that it came after all.
      start = min(start, number)
    } else {
      start = number
    }
    arrivals[Self.index(number)] = Int64(arrival.nanoseconds / UInt64(TransportFeedback.nanosecondsPerTick))
    hasNews = true
  }

  /// The feedback on everything that arrived since the last call, in as many packets as the size limit asks for.
  package mutating func takeFeedback(senderSSRC: SSRC, mediaSSRC: SSRC) -> [TransportFeedback] {
    guard hasNews, let highest = unwrapper.highest else { return [] }
    hasNews = false
    var packets: [TransportFeedback] = []
    while start <= highest {
      // The highest was received, so that each packet has an arrival to count from.
      guard let first = (start...highest).first(where: { slot($0) != Self.notReceived }) else { break }
      var builder = Builder(base: start, firstArrival: slot(first))
      while start <= highest, builder.append(slot(start) == Self.notReceived ? nil : slot(start)) { start += 1 }
      packets.append(builder.finish(senderSSRC: senderSSRC, mediaSSRC: mediaSSRC, feedbackCount: feedbackCount))
      feedbackCount &+= 1
    }
    return packets
  }

  @inline(__always)
  private static func index(_ number: Int64) -> Int {
    Int(truncatingIfNeeded: number) & (windowSize - 1)
  }

  @inline(__always)
  private func slot(_ number: Int64) -> Int64 { arrivals[Self.index(number)] }

  /// Empties the slots of the numbers that were skipped, and pulls the start along when they push it out of the window.
  @inline(__always)
  private mutating func advance(from before: Int64, to number: Int64) {
    var skipped = max(before + 1, number - Int64(Self.windowSize) + 1)
    while skipped < number {
      arrivals[Self.index(skipped)] = Self.notReceived
      skipped += 1
    }
    start = max(start, number - Int64(Self.windowSize) + 1)
  }
}

extension TransportFeedbackRecorder {
  /// Collects the statuses of one feedback packet and keeps it within the size limit.
  private struct Builder {
    private let base: Int64
    private let referenceTime: Int64
    private var lastArrival: Int64
    private var statuses: [TransportFeedback.Status] = []
    private var deltaLength = 0

    init(base: Int64, firstArrival: Int64) {
      self.base = base
      referenceTime = firstArrival / TransportFeedback.ticksPerReferenceUnit
      lastArrival = referenceTime * TransportFeedback.ticksPerReferenceUnit
    }

    /// False, and nothing changes, when the status no longer fits: by size, or because its delta is out of range.
    mutating func append(_ arrival: Int64?) -> Bool {
      guard statuses.count < TransportFeedback.maximumStatuses else { return false }
      var added = 0
      var status = TransportFeedback.Status.notReceived
      if let arrival {
        guard let delta = Int16(exactly: arrival - lastArrival) else { return false }
        added = (0...255).contains(delta) ? 1 : 2
        status = .received(delta: delta)
      }
      // Chunks take at worst two bytes for seven statuses; runs only save.
      let chunks = 2 * (statuses.count / 7 + 1)
      let length = TransportFeedback.fixedLength + chunks + deltaLength + added + 3
      guard length <= TransportFeedbackRecorder.maximumFeedbackLength else { return false }
      statuses.append(status)
      deltaLength += added
      if let arrival { lastArrival = arrival }
      return true
    }

    func finish(senderSSRC: SSRC, mediaSSRC: SSRC, feedbackCount: UInt8) -> TransportFeedback {
      TransportFeedback(
        senderSSRC: senderSSRC, mediaSSRC: mediaSSRC,
        baseSequence: SequenceNumber(UInt16(truncatingIfNeeded: base)),
        referenceTime: UInt32(truncatingIfNeeded: referenceTime), feedbackCount: feedbackCount, statuses: statuses)
    }
  }
}
