import Primitives

// Which packets go to a viewer, and under which numbers. Packet path: no allocation, no reference count.

/// What a packet is to a slot.
struct SlotNumber: BitwiseCopyable {
  /// Extended sequence number of the slot; negative for a packet that does not go out.
  var value: Int64
  var shift = PictureShift()

  static let none = SlotNumber(value: -1)
  @inline(__always) var isNone: Bool { value < 0 }
}

/// What is taken off a VP8 packet's running numbers, so that they go on without a jump where pictures are left out and where
/// another stream begins: receivers order pictures by them, and drop what seems to be older than what they have.
struct PictureShift: BitwiseCopyable, Equatable {
  /// Modulo 2^15.
  var pictures: UInt16 = 0
  /// Modulo 2^8.
  var baseLayers: UInt8 = 0

  @inline(__always) var isNone: Bool { pictures == 0 && baseLayers == 0 }

  func skipping(_ skipped: UInt16) -> PictureShift {
    PictureShift(pictures: (pictures &+ skipped) & 0x7fff, baseLayers: baseLayers)
  }
}

extension Slot {
  /// Whether `packet` of `stream` goes to this viewer now, and as what; the slot moves on to a new stream at its keyframe.
  ///
  /// To ask again for the same packet gives the same number.
  @inline(__always)
  mutating func take(_ packet: CachedPacket, of stream: StreamHandle, now: MonotonicTime) -> SlotNumber {
    guard outbound != nil else { return .none }
    switch phase {
    case .idle:
      return .none
    case .forwarding(let own):
      guard own == stream else { return .none }
      if isInReach(packet) { return number(of: packet) }
      phase = .awaitingKeyframe(of: own)
      return start(own, with: packet, now: now)
    case .awaitingKeyframe(let awaited):
      return awaited == stream ? start(awaited, with: packet, now: now) : .none
    case .switching(let old, let new):
      if new == stream, packet.startsKeyframe { return start(new, with: packet, now: now) }
      return old == stream && isInReach(packet) ? number(of: packet) : .none
    }
  }

  /// Starts with `packet` if a stream can start with it.
  @inline(__always)
  private mutating func start(_ stream: StreamHandle, with packet: CachedPacket, now: MonotonicTime) -> SlotNumber {
    guard packet.startsKeyframe else { return .none }
    begin(stream, at: packet, now: now)
    return number(of: packet)
  }

  /// Whether the hole before `packet` is small enough to be shown to the viewer.
  ///
  /// Receivers guess the rollover counter from the last number that they got (RFC 3711 §3.3.1): a sender that jumps, by
  /// malice or after a long silence, must not take them so far that they lose it, for whatever the slot shows next would
  /// be unreadable too.
  @inline(__always)
  private func isInReach(_ packet: CachedPacket) -> Bool {
    guard let mapping else { return false }
    return packet.extended &+ mapping.thinnedOffset &- nextExtended <= Self.maximumGap
  }

  /// Sequence numbers that a slot leaves out at most; beyond that the picture starts anew at a keyframe.
  private static var maximumGap: Int64 { 4_096 }

  /// The number of a packet of a single cached picture, of which nothing is left out.
  mutating func plainNumber(of packet: CachedPacket) -> SlotNumber {
    guard let mapping, outbound != nil else { return .none }
    considered = max(considered, packet.extended)
    return SlotNumber(value: packet.extended &+ mapping.sequenceOffset, shift: mapping.shift)
  }

  @inline(__always)
  private mutating func number(of packet: CachedPacket) -> SlotNumber {
    guard let mapping else { return .none }
    guard packet.extended > considered else { return lateNumber(of: packet, mapping) }
    if mapping.thinnedFrom == .max, cut == .all, goal == .all {
      considered = packet.extended
      return SlotNumber(value: packet.extended &+ mapping.sequenceOffset, shift: mapping.shift)
    }
    return layeredNumber(of: packet)
  }

  /// A packet that came after later ones, or is asked for again: its number was kept free, whatever its layer.
  ///
  /// Packets from before the mapping began have none.
  private func lateNumber(of packet: CachedPacket, _ mapping: Mapping) -> SlotNumber {
    let plain = packet.extended &+ mapping.sequenceOffset
    guard plain >= mapping.first else { return .none }
    if plain < mapping.thinnedFrom { return SlotNumber(value: plain, shift: mapping.shift) }
    let end = considered &+ mapping.thinnedOffset &+ 1
    guard let number = records.number(of: packet.extended, from: mapping.thinnedFrom, to: end),
      let record = records.find(number)
    else { return .none }
    return SlotNumber(value: number, shift: mapping.shift.skipping(record.skippedPictures))
  }

  /// The next packet of a stream of which layers are left out.
  private mutating func layeredNumber(of packet: CachedPacket) -> SlotNumber {
    let isNewPicture = packet.timestamp != picture
    if isNewPicture {
      picture = packet.timestamp
      if cut != goal || packet.startsKeyframe { cut = cut.moved(towards: goal, at: packet.layers) }
    }
    keepNumbers(upTo: packet.extended)
    guard let mapping else { return .none }
    if cut.includes(packet.layers) {
      let number = packet.extended &+ mapping.thinnedOffset
      // Up to the first packet that is left out the offset says it all.
      if mapping.thinnedFrom != .max {
        records.set(number, extended: packet.extended, skippedPictures: skippedPictures)
      }
      return SlotNumber(value: number, shift: mapping.shift.skipping(skippedPictures))
    }
    if mapping.thinnedFrom == .max { self.mapping?.thinnedFrom = packet.extended &+ mapping.thinnedOffset }
    self.mapping?.thinnedOffset &-= 1
    // A picture of which a lower spatial layer went out is not left out.
    if isNewPicture, packet.layers.countsPictures { skippedPictures = (skippedPictures &+ 1) & 0x7fff }
    return .none
  }

  /// Packets that did not come yet keep their numbers: they may come late.
  @inline(__always)
  private mutating func keepNumbers(upTo extended: Int64) {
    if let mapping, mapping.thinnedFrom != .max, extended &- considered > 1 {
      for missing in max(considered &+ 1, extended &- Int64(SentRecords.capacity))..<extended {
        records.set(missing &+ mapping.thinnedOffset, extended: missing, skippedPictures: skippedPictures)
      }
    }
    considered = extended
  }

  /// Starts to show `stream` with `packet`: sequence numbers go on without a gap, time goes on as it passed.
  mutating func begin(_ stream: StreamHandle, at packet: CachedPacket, now: MonotonicTime) {
    mapNext(packet, of: stream, now: now)
    phase = .forwarding(stream)
  }

  /// Maps `packet` onto the next sequence number without a change of phase.
  mutating func mapNext(_ packet: CachedPacket, of stream: StreamHandle, now: MonotonicTime) {
    // By the clock even when the stream is the same: between a cached keyframe, which may be old, and the present a
    // viewer would otherwise wait for all the time that lies between them.
    let timestampOffset = continuedTimestamp(now) &- packet.timestamp
    previousMapping = mapping
    let offset = nextExtended &- packet.extended
    mapping = Mapping(
      stream: stream, sequenceOffset: offset, thinnedOffset: offset, timestampOffset: timestampOffset,
      first: nextExtended, shift: shift(before: packet.layers))
    considered = packet.extended &- 1
    picture = packet.timestamp
    skippedPictures = 0
    cut = goal
    if backlog?.stream != stream { backlog = nil }
  }

  /// What makes `first` the next picture after the last that was sent.
  private func shift(before first: PacketLayers) -> PictureShift {
    guard first.countsPictures, let last = lastPicture else { return PictureShift() }
    return PictureShift(
      pictures: (first.pictureID &- last.pictureID &- 1) & 0x7fff,
      baseLayers: first.baseLayerIndex &- last.baseLayerIndex &- 1)
  }

  /// Takes note of the running numbers of a packet that went out.
  @inline(__always)
  mutating func notePicture(_ layers: PacketLayers, _ shift: PictureShift) {
    guard layers.countsPictures else { return }
    lastPicture = LastPicture(
      pictureID: layers.pictureID &- shift.pictures, baseLayerIndex: layers.baseLayerIndex &- shift.baseLayers)
  }

  /// The timestamp that a picture taken now would have, had the last source gone on.
  private func continuedTimestamp(_ now: MonotonicTime) -> UInt32 {
    guard lastSentAt != .zero else { return lastTimestamp }
    let elapsed = max(0, (now - lastSentAt).nanoseconds)
    let ticks = elapsed / 1_000 &* Int64(clockRate) / 1_000_000
    return lastTimestamp &+ UInt32(truncatingIfNeeded: max(1, ticks))
  }

  /// Which packet of which stream went out as `number`; nil when it is too long ago.
  func origin(of number: Int64) -> (mapping: Mapping, extended: Int64, shift: PictureShift)? {
    for mapping in [mapping, previousMapping] {
      guard let mapping, number >= mapping.first else { continue }
      guard number >= mapping.thinnedFrom else { return (mapping, number - mapping.sequenceOffset, mapping.shift) }
      guard let record = records.find(number) else { return nil }
      // The record holds the lower half; the offset tells the rest.
      let near = number - mapping.thinnedOffset
      let difference = Int32(bitPattern: record.extended &- UInt32(truncatingIfNeeded: near))
      return (mapping, near + Int64(difference), mapping.shift.skipping(record.skippedPictures))
    }
    return nil
  }
}
