import Primitives
import SRTP

/// One outgoing stream of one viewer, and how the stream that it shows now is mapped onto it.
///
/// Plain data: the packet path reads and writes it through a pointer, with no reference count anywhere in it.
struct Slot {
  let destination: PeerHandle
  let ssrc: SSRC
  let retransmissionSSRC: SSRC
  var formats: SlotFormats
  let clockRate: UInt32
  /// Set when the peer's keys are known; nothing is sent before.
  var outbound: SRTPOutbound?
  var phase = SlotPhase.idle
  var mapping: Mapping?
  /// The mapping before this one, for retransmissions that were asked for just before a switch.
  var previousMapping: Mapping?
  /// The next extended sequence number to send.
  var nextExtended: Int64
  var nextRetransmission: Int64
  var lastTimestamp: UInt32
  var lastSentAt = MonotonicTime.zero
  var sent = SentCounters()
  /// Retransmissions left in this interval.
  var retransmissionBudget = Slot.retransmissionsPerInterval
  var lastReplayAt = MonotonicTime.zero
  /// Earlier packets that each packet of sound repeats; 0 for plain sound.
  var redundancy: UInt8 = 0

  /// Most packets sent again to a viewer in a ``Relay/budgetInterval``: a bound on what a NACK storm can cost.
  static let retransmissionsPerInterval: Int32 = 128

  init(_ description: SlotParameters, formats: SlotFormats, random: inout RandomSource) {
    destination = description.peer
    ssrc = description.ssrc
    retransmissionSSRC = description.retransmissionSSRC
    clockRate = description.kind == .audio ? 48_000 : 90_000
    self.formats = formats
    // Below 2^15, so that the SRTP rollover counter starts at 0 on both sides (RFC 3711 §3.3.1).
    nextExtended = Int64(random.next() & 0x7fff)
    nextRetransmission = Int64(random.next() & 0x7fff)
    lastTimestamp = UInt32(truncatingIfNeeded: random.next())
  }
}

extension Slot {
  /// Drops everything that refers to a stream that is gone: its handle may soon name another one.
  mutating func forget(_ stream: StreamHandle) {
    phase = phase.without(stream)
    if mapping?.stream == stream { mapping = nil }
    if previousMapping?.stream == stream { previousMapping = nil }
  }
}

/// What a slot shows.
enum SlotPhase: Equatable {
  /// Nothing is connected.
  case idle
  /// A stream is connected and its next keyframe is awaited.
  case awaitingKeyframe(of: StreamHandle)
  case forwarding(StreamHandle)
  /// The old stream goes on until the new one's keyframe arrives.
  case switching(from: StreamHandle, to: StreamHandle)

  /// The stream that the slot will show when all goes well.
  var target: StreamHandle? {
    switch self {
    case .idle: nil
    case .awaitingKeyframe(let stream), .forwarding(let stream), .switching(_, let stream): stream
    }
  }

  /// What is left to show when a stream goes away.
  func without(_ stream: StreamHandle) -> SlotPhase {
    switch self {
    case .idle: .idle
    case .awaitingKeyframe(let own), .forwarding(let own): own == stream ? .idle : self
    case .switching(let old, let new):
      if new == stream {
        old == stream ? .idle : .forwarding(old)
      } else {
        old == stream ? .awaitingKeyframe(of: new) : self
      }
    }
  }

  func involves(_ stream: StreamHandle) -> Bool {
    switch self {
    case .idle: false
    case .awaitingKeyframe(let own), .forwarding(let own): own == stream
    case .switching(let old, let new): old == stream || new == stream
    }
  }
}

/// How numbers of an incoming stream become numbers of the slot.
struct Mapping: Equatable {
  let stream: StreamHandle
  /// Added to the stream's extended sequence number.
  let sequenceOffset: Int64
  /// Added to the stream's timestamp.
  let timestampOffset: UInt32
  /// The first extended sequence number sent under this mapping.
  let first: Int64
}

struct SentCounters: Equatable {
  var packets: UInt32 = 0
  /// Payload bytes, as sender reports count them (RFC 3550 §6.4.1).
  var octets: UInt32 = 0
}

/// The payload types that a viewer negotiated, by the relay's format number.
struct SlotFormats {
  private var media = InlineArray<32, UInt8>(repeating: Self.absent)
  private var retransmission = InlineArray<32, UInt8>(repeating: Self.absent)

  private static let absent: UInt8 = 0xff

  mutating func set(_ format: FormatIndex, media payloadType: PayloadType, retransmission rtx: PayloadType?) {
    guard Int(format.value) < FormatIndex.maximumCount else { return }
    media[Int(format.value)] = payloadType.rawValue
    retransmission[Int(format.value)] = rtx?.rawValue ?? Self.absent
  }

  /// Gives redundant audio a payload type; the viewer then takes it in place of Opus at any packet.
  mutating func setRedundancy(_ payloadType: PayloadType) {
    set(.redundantAudio, media: payloadType, retransmission: nil)
  }

  /// Takes the payload types of the relay's formats anew.
  mutating func replace(with other: SlotFormats) {
    let redundancy = payloadType(of: .redundantAudio)
    self = other
    if let redundancy { setRedundancy(PayloadType(redundancy)) }
  }

  /// The payload type for `format`; nil when the viewer cannot decode it.
  @inline(__always)
  func payloadType(of format: FormatIndex) -> UInt8? {
    guard format.value < 32 else { return nil }
    let value = media[Int(format.value)]
    return value == Self.absent ? nil : value
  }

  func retransmissionPayloadType(of format: FormatIndex) -> UInt8? {
    guard format.value < 32 else { return nil }
    let value = retransmission[Int(format.value)]
    return value == Self.absent ? nil : value
  }
}
