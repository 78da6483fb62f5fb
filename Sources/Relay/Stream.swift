import Primitives
import RTP

/// One incoming RTP stream: what it sent lately, who watches it, and what is missing.
struct Stream {
  let source: SourceHandle
  let kind: SourceKind
  let ssrc: SSRC
  let ring: PacketRing
  var keyframes: KeyframeCache?
  var sequence = SequenceUnwrapper()
  var missing: NACKGenerator
  var statistics: ReceptionStatistics
  /// Packets that were not fanned out yet, as places in the ring, in order of arrival.
  var pending: PendingPackets
  /// Until when they wait for the rest of their picture; in the past when they wait no more.
  var gatheredUntil = MonotonicTime.zero
  var subscribers = SubscriberList()
  var keyframeRequest = KeyframeRequest.none
  var lastKeyframeAt: MonotonicTime?
  /// How long keyframes that are asked for take to come; nil before the first.
  private(set) var answerTime: TimeInterval64?
  /// Whether something since the last keyframe is lost for good.
  var isBroken = false
  var lastPacketAt: MonotonicTime
  var format = FormatIndex.none
  var rate = RateMeter()
  var layers = LayerRates()
  /// The layers of the templates of its dependency descriptors, if it sends any.
  var templates = TemplateLayers()
  /// Pixels of its pictures; 0 while unknown.
  var width: UInt16 = 0
  var height: UInt16 = 0
  /// The sender's clock as its last sender report told it, on the server's wall clock.
  var senderClock: SenderClock?
  /// Whether somebody speaks in it.
  var speaker = SpeakerLevel()
  /// What the recorder knows the source by; 0 while it is not recorded.
  var recording: UInt32
  /// Which of several simulcast encodings this is, for the recorder.
  var recordingLayer: UInt8 = 0
  /// The other media threads that fan it out, too.
  var mirrors: Mirrors

  init(
    source: SourceHandle, kind: SourceKind, ssrc: SSRC, clockRate: UInt32, recording: UInt32 = 0,
    mirrors: Mirrors = Mirrors(), now: MonotonicTime
  ) {
    self.source = source
    self.kind = kind
    self.ssrc = ssrc
    let capacity = kind == .video ? PacketRing.videoCapacity : PacketRing.audioCapacity
    ring = PacketRing(capacity: capacity)
    keyframes = kind == .video ? KeyframeCache() : nil
    pending = PendingPackets(capacity: capacity / 4)
    missing = NACKGenerator()
    statistics = ReceptionStatistics(clockRate: clockRate)
    lastPacketAt = now
    self.recording = recording
    self.mirrors = mirrors
  }

  /// Takes note of how long a keyframe took to come from when it was first asked for.
  ///
  /// What comes soon may answer an earlier request, or none: it counts by half. Longer than any way takes it only after an
  /// outage.
  mutating func noteAnswer(after time: TimeInterval64) {
    let time = min(time, Self.longestAnswer)
    let half = answerTime.map { TimeInterval64(nanoseconds: ($0.nanoseconds &+ time.nanoseconds) / 2) } ?? time
    answerTime = max(time, half)
  }

  private static let longestAnswer = TimeInterval64.milliseconds(2_000)

  /// Completes the keyframe cache when the first packet came after others of its picture, reordered or repaired.
  mutating func collectKeyframe(after start: Int64, upTo highest: Int64) {
    for extended in (start + 1)...min(highest, start + Int64(KeyframeCache.maximumPackets)) {
      guard let place = ring.find(extended) else { continue }
      keyframes?.note(ring.entries[place], payload: ring.payload(at: place))
    }
  }

  /// Whether a packet's number is so far ahead that it would take the place of one that is pending, which would then be lost
  /// and the new one be sent twice.
  @inline(__always)
  func wouldDisplacePending(_ extended: Int64) -> Bool {
    guard !pending.isEmpty else { return false }
    // Those that wait stand near the first of them.
    return extended &- ring.entries[pending[0]].extended >= Int64(ring.capacity &- pending.capacity)
  }

  /// Gives back what the stream allocated; it must not be used afterwards.
  func deallocate() {
    ring.deallocate()
    keyframes?.deallocate()
    pending.deallocate()
    subscribers.deallocate()
  }
}

/// A picture's relation between the sender's RTP clock and the server's wall clock (RFC 3550 §6.4.1).
struct SenderClock {
  var wall: NTPTimestamp
  var rtpTimestamp: UInt32
}

/// Whether a keyframe is wanted from the sender, and when it was last asked for.
enum KeyframeRequest: Equatable {
  case none
  /// `since` when it was first asked for, or is wanted; `askedAt` when it was last asked for.
  case wanted(since: MonotonicTime, askedAt: MonotonicTime?)
}

/// Places of packets that arrived since the last fan-out.
///
/// A full list asks for a fan-out; it never loses a packet.
struct PendingPackets: BitwiseCopyable {
  let capacity: Int
  private(set) var count = 0
  private let places: UnsafeMutablePointer<Int32>

  init(capacity: Int) {
    self.capacity = capacity
    places = .allocate(capacity: capacity)
  }

  func deallocate() {
    places.deallocate()
  }

  var isEmpty: Bool { count == 0 }
  var isFull: Bool { count == capacity }

  @inline(__always)
  mutating func append(_ place: Int) {
    precondition(count < capacity, "\(count) packets pending: flush before more are received")
    places[count] = Int32(truncatingIfNeeded: place)
    count &+= 1
  }

  @inline(__always)
  subscript(_ index: Int) -> Int { Int(places[index]) }

  mutating func removeAll() {
    count = 0
  }
}

/// The slots that a stream's packets go to: a plain list, changed only between fan-outs.
struct SubscriberList: BitwiseCopyable {
  private(set) var count = 0
  private var capacity = 0
  private var slots: UnsafeMutablePointer<Int32>?

  func deallocate() {
    slots?.deallocate()
  }

  @inline(__always)
  subscript(_ index: Int) -> Int32 { slots.unsafelyUnwrapped[index] }

  mutating func insert(_ slot: SlotHandle) {
    guard !contains(slot) else { return }
    if count == capacity {
      let larger = UnsafeMutablePointer<Int32>.allocate(capacity: max(8, capacity * 2))
      if let slots {
        larger.update(from: slots, count: count)
        slots.deallocate()
      }
      slots = larger
      capacity = max(8, capacity * 2)
    }
    slots.unsafelyUnwrapped[count] = slot.index
    count += 1
  }

  mutating func remove(_ slot: SlotHandle) {
    guard let slots, let place = (0..<count).first(where: { slots[$0] == slot.index }) else { return }
    count -= 1
    slots[place] = slots[count]
  }

  mutating func removeAll(where isGone: (Int32) -> Bool) {
    var place = 0
    while place < count {
      if isGone(self[place]) {
        count -= 1
        slots.unsafelyUnwrapped[place] = self[count]
      } else {
        place += 1
      }
    }
  }

  private func contains(_ slot: SlotHandle) -> Bool {
    (0..<count).contains { self[$0] == slot.index }
  }
}
