import Primitives
import RTP
import SRTP

/// Carries packets from sources to slots: the heart of one media thread.
///
/// A turn of the thread is: ``receiveRTP(_:from:now:)`` for each decrypted packet, then ``flush(into:now:)`` until it is
/// finished, and once more at ``gatheringDeadline``. Packets of one turn are gathered per viewer, so that the kernel sends
/// them with one call. Around it stand ``receiveRTCP(_:from:now:wall:)``, ``tick(now:wall:)`` and ``poll()``.
///
/// The relay does no I/O, reads no clock and belongs to one thread. On the packet path it allocates nothing and touches
/// no reference count: streams and slots are plain data in pools, and what packets touch is not checked for overlapping
/// access at run time.
package final class Relay {
  @exclusivity(unchecked) var peers = Pool<RelayPeer>()
  @exclusivity(unchecked) var sources = Pool<Source>()
  @exclusivity(unchecked) var streams = Pool<Stream>()
  @exclusivity(unchecked) var slots = Pool<Slot>(capacity: 64)
  @exclusivity(unchecked) var formats = FormatTable()
  /// The video codec of each format, for the packet path; nil for audio.
  @exclusivity(unchecked) var videoCodecs = [VideoCodec?](repeating: nil, count: 256)
  /// What each slot negotiated, kept beside the slots so that they stay plain data.
  var slotPayloads: [SlotHandle: [RelayedFormat]] = [:]
  /// The recorder's end of a ring; it must outlive the relay or be taken away first.
  @exclusivity(unchecked) package var recorder: HandoverRing.Writer?
  /// Rings to the other media threads, by thread; see ``startMirroring(_:as:on:)``.
  @exclusivity(unchecked) var mirrorRings = [HandoverRing.Writer?](repeating: nil, count: Mirrors.maximumThreads)
  /// Media threads for whom something was written since ``takeMirrorNews()``, a bit each.
  @exclusivity(unchecked) var mirrorNews: UInt64 = 0
  var random: RandomSource
  /// Sound with pending packets: all of it goes before any picture.
  ///
  /// The last is served first, and is the most urgent.
  @exclusivity(unchecked) var dirtySound: [StreamHandle] = []
  /// Where a packet of sound is put together with those that it repeats.
  let redundancyBuffer = UnsafeMutableRawPointer.allocate(byteCount: CachedPacket.stride, alignment: 64)
  /// Pictures with pending packets, in the same order.
  @exclusivity(unchecked) var dirtyStreams: [StreamHandle] = []
  /// Pictures of crowds whose first packets wait for the rest; see ``gatheringDeadline``.
  @exclusivity(unchecked) var gathered: [StreamHandle] = []
  @exclusivity(unchecked) var fanOut = FanOutCursor()
  @exclusivity(unchecked) var replays: [Replay] = []
  @exclusivity(unchecked) var retransmissions: [Retransmission] = []
  /// Slots with a ``Backlog``.
  @exclusivity(unchecked) var backlogged: [SlotHandle] = []
  /// Peers with a probe on its way.
  @exclusivity(unchecked) var probing: [PeerHandle] = []
  var nextAllocation = MonotonicTime.zero
  /// The viewers of the last allocation, in its order.
  var viewers: [PeerHandle] = []
  /// What the node may send, bits per second; nil for no limit.
  package var egressBitsPerSecond: Int?
  @exclusivity(unchecked) var nodePacer = NodePacer()
  /// What each tier could use by the last allocation, bits per second; sound counts with the first.
  ///
  /// Kept while ``egressBitsPerSecond`` is set.
  package internal(set) var tierDemands = [Int](repeating: 0, count: Tier.count)
  /// What the media thread can still forward, bits per second; nil while it has time to spare.
  package var processingBitsPerSecond: Int?
  var outputs: [RelayOutput] = []
  /// Whether packets or a keyframe of some sender are missing.
  @exclusivity(unchecked) var isRepairing = false
  var nextBudget = MonotonicTime.zero
  /// The peer that a tick begins with.
  var firstPeer = 0
  @exclusivity(unchecked) package internal(set) var counters = RelayCounters()

  /// How often ``tick(now:wall:)`` wants to be called while something waits for it.
  package static var tickInterval: TimeInterval64 { .milliseconds(10) }
  /// The same while all is well.
  package static var idleTickInterval: TimeInterval64 { .milliseconds(20) }
  /// A source that sends nothing for this long is stalled.
  package static let stallLimit = TimeInterval64.milliseconds(1_500)
  /// How often a viewer who gets stills gets one.
  package static let stillInterval = TimeInterval64.milliseconds(3_000)
  /// How often retransmission budgets are refilled.
  package static let budgetInterval = TimeInterval64.milliseconds(100)
  /// Retransmissions waiting to be sent; more are dropped and asked for again by the viewers.
  static let maximumRetransmissions = 4_096
  /// Outputs that wait for ``poll()``; more are dropped, since each is repeated or replaced by the next report.
  static let maximumOutputs = 4_096

  package init(random: RandomSource) {
    self.random = random
  }

  deinit {
    redundancyBuffer.deallocate()
    for index in 0..<streams.end {
      streams.find(index)?.pointee.deallocate()
    }
    for index in 0..<slots.end { slots.find(index)?.pointee.deallocate() }
    for index in 0..<peers.end { peers.find(index)?.pointee.freeLink() }
  }

  /// The next output, until there is none.
  package func poll() -> RelayOutput? {
    guard !outputs.isEmpty else { return nil }
    return outputs.removeFirst()
  }

  /// All outputs at once.
  package func takeOutputs() -> [RelayOutput] {
    let taken = outputs
    outputs.removeAll(keepingCapacity: true)
    return taken
  }

  func emit(_ output: RelayOutput) {
    guard outputs.count < Self.maximumOutputs else {
      counters.outputsDropped &+= 1
      return
    }
    outputs.append(output)
  }

  /// How long after the last ``tick(now:wall:)`` the next is due.
  package var tickInterval: TimeInterval64 {
    let isWaiting = isRepairing || !backlogged.isEmpty || !probing.isEmpty
    return isWaiting ? Self.tickInterval : Self.idleTickInterval
  }

  /// Whether any packet waits for ``flush(into:now:)``.
  package var hasPending: Bool {
    !dirtySound.isEmpty || !dirtyStreams.isEmpty || !gathered.isEmpty || !replays.isEmpty || !retransmissions.isEmpty
      || !backlogged.isEmpty || !probing.isEmpty
  }
}

/// Something that the relay wants done.
package enum RelayOutput: Sendable {
  /// A compound RTCP packet in the clear, to be protected and sent.
  case rtcp([UInt8], to: PeerHandle)
  case sourceChanged(SourceHandle, SourceStatus)
  /// A keyframe of a mirrored source is wanted, which only the thread that receives it can ask for.
  case keyframeWanted(SourceHandle, SSRC)
  /// A slot shows more or less of its source than before.
  case viewChanged(SlotHandle, of: PeerHandle)
}

/// What the relay counts.
///
/// All values only grow.
package struct RelayCounters: Sendable {
  package var packetsReceived: UInt64 = 0
  package var bytesReceived: UInt64 = 0
  package var packetsForwarded: UInt64 = 0
  package var malformedRTP: UInt64 = 0
  package var malformedRTCP: UInt64 = 0
  package var unknownSSRC: UInt64 = 0
  package var unknownFormat: UInt64 = 0
  package var duplicates: UInt64 = 0
  /// Packets whose numbers were further ahead of others in the same turn than the ring holds: taken as lost.
  package var jumps: UInt64 = 0
  package var recovered: UInt64 = 0
  /// Lost packets of sound that a later one repeated.
  package var recoveredFromRedundancy: UInt64 = 0
  /// Packets of sound sent with earlier ones repeated.
  package var redundantSent: UInt64 = 0
  package var nacksSent: UInt64 = 0
  package var nacksReceived: UInt64 = 0
  package var retransmitted: UInt64 = 0
  package var retransmissionsMissed: UInt64 = 0
  package var retransmissionsOverBudget: UInt64 = 0
  package var keyframesRequested: UInt64 = 0
  package var keyframeRequestsReceived: UInt64 = 0
  package var keyframeRequestsIgnored: UInt64 = 0
  package var keyframesReplayed: UInt64 = 0
  package var outputsDropped: UInt64 = 0
  /// Transport-wide feedback, REMB and receiver reports that cannot be true.
  package var absurdFeedback: UInt64 = 0
  package var paddingSent: UInt64 = 0
  package var probesSent: UInt64 = 0
  package var retransmissionsLate: UInt64 = 0
  /// Packets that waited for the pacer, and backlogs that were given up for a fresh keyframe.
  package var packetsPaced: UInt64 = 0
  package var backlogsAbandoned: UInt64 = 0
  package var replaysShortened: UInt64 = 0
  /// Times that a slot was given less, by cause, and more.
  package var reducedForLink: UInt64 = 0
  package var reducedForOverload: UInt64 = 0
  package var raised: UInt64 = 0
  package var stillsSent: UInt64 = 0
  /// Packets from other media threads, and those that found no room on their way to one.
  package var mirrored: UInt64 = 0
  package var mirrorsDropped: UInt64 = 0
}
