import Primitives

// The packet path of one viewer: no allocation, no reference count, no call through a protocol.

extension Slot {
  /// Bytes of the RTP header that the relay writes: no CSRC, no extension.
  static let headerLength = 12

  /// Whether `packet` of `stream` goes to this viewer now; it moves on to a new stream when its keyframe starts.
  @inline(__always)
  mutating func accepts(_ packet: CachedPacket, of stream: StreamHandle, now: MonotonicTime) -> Bool {
    guard outbound != nil else { return false }
    switch phase {
    case .idle:
      return false
    case .forwarding(let own):
      guard own == stream, isInMapping(packet) else { return false }
      if isInReach(packet) { return true }
      phase = .awaitingKeyframe(of: own)
      return accepts(firstOf: own, packet, now: now)
    case .awaitingKeyframe(let awaited):
      return awaited == stream && accepts(firstOf: awaited, packet, now: now)
    case .switching(let old, let new):
      if old == stream { return isInMapping(packet) && isInReach(packet) }
      return new == stream && accepts(firstOf: new, packet, now: now)
    }
  }

  /// Whether `stream` can start with `packet`; if so it does.
  @inline(__always)
  private mutating func accepts(firstOf stream: StreamHandle, _ packet: CachedPacket, now: MonotonicTime) -> Bool {
    guard packet.startsKeyframe else { return false }
    begin(stream, at: packet, now: now)
    return true
  }

  /// Packets from before the mapping began have no number of their own in the slot: they are dropped.
  @inline(__always)
  private func isInMapping(_ packet: CachedPacket) -> Bool {
    guard let mapping else { return false }
    return packet.extended &+ mapping.sequenceOffset >= mapping.first
  }

  /// Whether the hole before `packet` is small enough to be shown to the viewer.
  ///
  /// Receivers guess the rollover counter from the last number that they got (RFC 3711 §3.3.1): a sender that jumps, by
  /// malice or after a long silence, must not take them so far that they lose it, for whatever the slot shows next would
  /// be unreadable too.
  @inline(__always)
  private func isInReach(_ packet: CachedPacket) -> Bool {
    guard let mapping else { return false }
    return packet.extended &+ mapping.sequenceOffset &- nextExtended <= Self.maximumGap
  }

  /// Sequence numbers that a slot leaves out at most; beyond that the picture starts anew at a keyframe.
  private static var maximumGap: Int64 { 4_096 }

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
    mapping = Mapping(
      stream: stream, sequenceOffset: nextExtended &- packet.extended, timestampOffset: timestampOffset,
      first: nextExtended)
  }

  /// The timestamp that a picture taken now would have, had the last source gone on.
  private func continuedTimestamp(_ now: MonotonicTime) -> UInt32 {
    guard lastSentAt != .zero else { return lastTimestamp }
    let elapsed = max(0, (now - lastSentAt).nanoseconds)
    let ticks = elapsed / 1_000 &* Int64(clockRate) / 1_000_000
    return lastTimestamp &+ UInt32(truncatingIfNeeded: max(1, ticks))
  }

  /// Writes the protected datagram of `packet` at `destination`; returns its length, or 0 when it cannot be sent.
  @inline(__always)
  mutating func write(
    _ packet: CachedPacket, payload: UnsafeRawPointer, length: Int, to destination: UnsafeMutableRawPointer,
    now: MonotonicTime
  ) -> Int {
    guard let mapping, outbound != nil, let payloadType = formats.payloadType(of: packet.format) else { return 0 }
    let extended = packet.extended &+ mapping.sequenceOffset
    let timestamp = packet.timestamp &+ mapping.timestampOffset
    let padding: UInt8 = length > Int(packet.length) ? 0x20 : 0
    Self.writeHeader(
      to: destination, first: 0x80 | padding, second: (packet.marker ? 0x80 : 0) | payloadType,
      sequence: UInt16(truncatingIfNeeded: extended), timestamp: timestamp, ssrc: ssrc)
    if extended >= nextExtended {
      nextExtended = extended &+ 1
      lastTimestamp = timestamp
      lastSentAt = now
    }
    sent.packets &+= 1
    sent.octets &+= UInt32(truncatingIfNeeded: length)
    return outbound.unsafelyUnwrapped.protectRTP(
      packet: destination, headerLength: Self.headerLength, payload: payload, payloadLength: length,
      rolloverCounter: UInt32(truncatingIfNeeded: extended >> 16))
  }

  /// Writes a retransmission of the packet that was sent as `original` (RFC 4588 §4).
  mutating func writeRetransmission(
    _ packet: CachedPacket, original: Int64, payload: UnsafeRawPointer, timestampOffset: UInt32,
    to destination: UnsafeMutableRawPointer
  ) -> Int {
    guard let outbound, let payloadType = formats.retransmissionPayloadType(of: packet.format) else { return 0 }
    let extended = nextRetransmission
    nextRetransmission &+= 1
    Self.writeHeader(
      to: destination, first: 0x80, second: (packet.marker ? 0x80 : 0) | payloadType,
      sequence: UInt16(truncatingIfNeeded: extended), timestamp: packet.timestamp &+ timestampOffset,
      ssrc: retransmissionSSRC)
    let body = destination + Self.headerLength
    body.storeBytes(of: UInt16(truncatingIfNeeded: original).bigEndian, as: UInt16.self)
    (body + 2).copyMemory(from: payload, byteCount: Int(packet.length))
    return outbound.protectRTP(
      packet: destination, headerLength: Self.headerLength, payload: body, payloadLength: Int(packet.length) &+ 2,
      rolloverCounter: UInt32(truncatingIfNeeded: extended >> 16))
  }

  @inline(__always)
  private static func writeHeader(
    to destination: UnsafeMutableRawPointer, first: UInt8, second: UInt8, sequence: UInt16, timestamp: UInt32,
    ssrc: SSRC
  ) {
    destination.storeBytes(of: first, as: UInt8.self)
    destination.storeBytes(of: second, toByteOffset: 1, as: UInt8.self)
    destination.storeBytes(of: sequence.bigEndian, toByteOffset: 2, as: UInt16.self)
    destination.storeBytes(of: timestamp.bigEndian, toByteOffset: 4, as: UInt32.self)
    destination.storeBytes(of: ssrc.rawValue.bigEndian, toByteOffset: 8, as: UInt32.self)
  }
}
