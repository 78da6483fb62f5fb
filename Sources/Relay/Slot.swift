import Primitives
import SRTP

/// One outgoing stream of one viewer, and how the stream that it shows now is mapped onto it.
///
/// Plain data: the packet path reads and writes it through a pointer, with no reference count anywhere in it.
struct Slot {
  let destination: PeerHandle
  let kind: SourceKind
  let ssrc: SSRC
  let retransmissionSSRC: SSRC
  var formats: SlotFormats
  let clockRate: UInt32
  /// Id of the transport-wide sequence number's header extension; 0 when the viewer did not negotiate it.
  let transportExtension: UInt8
  /// What the slot's viewer has in common with the others of its peer.
  let link: SendingLinkPointer
  /// Set when the peer's keys are known; nothing is sent before.
  var outbound: SRTPOutbound?
  var phase = SlotPhase.idle
  var mapping: Mapping?
  /// The mapping before this one, for retransmissions that were asked for just before a switch.
  var previousMapping: Mapping?
  /// The stream's highest extended sequence number that was decided on under this mapping.
  var considered: Int64 = -1
  /// The next extended sequence number to send.
  var nextExtended: Int64
  var nextRetransmission: Int64
  var lastTimestamp: UInt32
  var lastSentAt = MonotonicTime.zero
  var sent = SentCounters()
  var rate = RateMeter()
  /// Retransmissions left in this interval.
  var retransmissionBudget = Slot.retransmissionsPerInterval
  /// When a picture out of the cache was sent that a viewer which missed it gets again.
  var lastReplayAt = MonotonicTime.zero
  /// When a long replay began, which is not sent again.
  var longReplayAt = MonotonicTime.zero
  /// When the viewer last asked for a keyframe; nil for never.
  var askedAt: MonotonicTime?
  /// What the allocator decided, and when.
  var view = SlotAllocation()
  /// Layers forwarded now, and those to be forwarded as soon as it can be done.
  var cut = LayerCut.all
  var goal = LayerCut.all
  /// The picture that packets are decided on now, by the stream's timestamp.
  var picture: UInt32 = 0
  /// VP8's running numbers as they went out last; nil before.
  var lastPicture: LastPicture?
  /// Pictures left out under this mapping, modulo 2^15.
  var skippedPictures: UInt16 = 0
  /// Under which numbers packets went out, once some were left out.
  var records = SentRecords()
  /// When packets were sent again.
  var repairs = RepairTimes()
  /// What waits for the pacer, if anything.
  var backlog: Backlog?
  /// Earlier packets that each packet of sound repeats; 0 for plain sound.
  var redundancy: UInt8 = 0

  /// Most packets sent again to a viewer in a ``Relay/budgetInterval``: a bound on what a NACK storm can cost.
  static let retransmissionsPerInterval: Int32 = 128

  init(_ description: SlotParameters, formats: SlotFormats, link: SendingLinkPointer, random: inout RandomSource) {
    destination = description.peer
    kind = description.kind
    ssrc = description.ssrc
    retransmissionSSRC = description.retransmissionSSRC
    clockRate = description.kind == .audio ? 48_000 : 90_000
    transportExtension = description.transportExtension
    self.link = link
    self.formats = formats
    // Below 2^15, so that the SRTP rollover counter starts at 0 on both sides (RFC 3711 §3.3.1).
    nextExtended = Int64(random.next() & 0x7fff)
    nextRetransmission = Int64(random.next() & 0x7fff)
    lastTimestamp = UInt32(truncatingIfNeeded: random.next())
  }

  /// Sound before pictures, and urgent pictures before others (RFC 8837 §5, table 1: high and medium).
  @inline(__always)
  var codePoint: DSCP {
    guard kind == .video else { return .expedited }
    return link.pointee.nodeReserve == nil ? .video : .lesserVideo
  }

  /// Gives back what the slot allocated; it must not be used afterwards.
  func deallocate() {
    records.deallocate()
    repairs.deallocate()
  }
}

extension Slot {
  /// Drops everything that refers to a stream that is gone: its handle may soon name another one.
  mutating func forget(_ stream: StreamHandle) {
    phase = phase.without(stream)
    if mapping?.stream == stream { mapping = nil }
    if previousMapping?.stream == stream { previousMapping = nil }
    if backlog?.stream == stream { backlog = nil }
    if case .layer(let layer) = view.rung, layer.stream == stream { view.rung = nil }
  }

  /// Whether the viewer may still ask for packets of a long replay, which are older than what is sent live.
  func isCatchingUp(_ now: MonotonicTime) -> Bool {
    longReplayAt != .zero && now - longReplayAt < Self.catchingUp
  }

  private static var catchingUp: TimeInterval64 { .milliseconds(3_000) }

  /// Forgets what was sent: the viewer is to be shown its picture from a keyframe on.
  mutating func startAnew(_ now: MonotonicTime) {
    resetAllocation(now)
    backlog = nil
    guard kind == .video, let stream = phase.target else { return }
    phase = .awaitingKeyframe(of: stream)
  }
}

/// A picture's running numbers as its viewer saw them (RFC 7741 §4.2).
struct LastPicture: BitwiseCopyable {
  var pictureID: UInt16
  var baseLayerIndex: UInt8
}

/// Packets of a stream that a slot has not sent yet because the viewer's link bears no more at once.
///
/// They lie in the stream's ring: waiting costs no memory.
struct Backlog: BitwiseCopyable {
  enum Kind: BitwiseCopyable {
    /// Pictures as they come.
    case live
    /// Pictures since a keyframe that is kept, for a viewer that has just come; the next keyframe makes them needless.
    case replay
    /// A replay that may take the viewer's link longer than a fresh keyframe would.
    case longReplay
  }

  var stream: StreamHandle
  var kind = Kind.live
  /// Where a replay began.
  var first: Int64 = 0
  /// The first extended sequence number that waits.
  var next: Int64
  /// When it began.
  var heldAt: MonotonicTime
}
