import Primitives
import RTP

// Packets to viewers. Packet path: no allocation, no reference count; one crypto call and a few dozen instructions a packet.

/// Where ``Relay/flush(into:now:)`` stopped when the buffer was full.
struct FanOutCursor {
  var subscriber = 0
  var packet = 0
  var isPlanned = false
}

/// Old packets that one slot is owed, so that it shows a picture at once.
struct Replay {
  let slot: SlotHandle
  var stream: StreamHandle
  var remaining: Range<Int64>?
}

/// A packet that a viewer asked for again.
struct Retransmission {
  let slot: SlotHandle
  let stream: StreamHandle
  /// Extended sequence number in the slot.
  let original: Int64
  /// Extended sequence number in the stream.
  let extended: Int64
  let timestampOffset: UInt32
}

extension Relay {
  /// Writes what waits into `egress`; returns true when all of it is written, false when the buffer must be sent first.
  package func flush(into egress: inout EgressBuffer, now: MonotonicTime) -> Bool {
    while let handle = dirtySound.last {
      guard fanOut(handle, into: &egress, now: now) else { return false }
      streams[unchecked: handle.index].pointee.pending.removeAll()
      dirtySound.removeLast()
      fanOut = FanOutCursor()
    }
    while let handle = dirtyStreams.last {
      guard fanOut(handle, into: &egress, now: now) else { return false }
      streams[unchecked: handle.index].pointee.pending.removeAll()
      dirtyStreams.removeLast()
      fanOut = FanOutCursor()
    }
    guard replays.isEmpty || flushReplays(into: &egress, now: now) else { return false }
    return retransmissions.isEmpty || flushRetransmissions(into: &egress)
  }

  /// All pending packets of one stream to all of its subscribers, viewer by viewer.
  private func fanOut(_ handle: StreamHandle, into egress: inout EgressBuffer, now: MonotonicTime) -> Bool {
    let stream = streams[unchecked: handle.index]
    if !fanOut.isPlanned {
      equaliseSizes(stream)
      fanOut.isPlanned = true
    }
    let subscribers = stream.pointee.subscribers
    let pending = stream.pointee.pending
    let ring = stream.pointee.ring
    var cursor = fanOut
    var forwarded: UInt64 = 0
    defer {
      fanOut = cursor
      counters.packetsForwarded &+= forwarded
    }
    while cursor.subscriber < subscribers.count {
      let slot = slots[unchecked: subscribers[cursor.subscriber]]
      var message = MessageBuilder(destination: slot.pointee.destination)
      while cursor.packet < pending.count {
        let place = pending[cursor.packet]
        var packet = ring.entries[place]
        guard slot.pointee.accepts(packet, of: handle, now: now) else {
          cursor.packet &+= 1
          continue
        }
        var payload = UnsafeRawPointer(ring.payload(at: place))
        if slot.pointee.redundancy > 0 { payload = addRedundancy(to: &packet, payload, ring, slot) }
        let length = Int(packet.paddedLength)
        guard message.makeRoom(for: length, in: &egress) else { return false }
        let written = slot.pointee.write(
          packet, payload: payload, length: length, to: message.position(in: egress), now: now)
        message.append(payload: length, written: written)
        forwarded &+= written > 0 ? 1 : 0
        cursor.packet &+= 1
      }
      message.finish(in: &egress)
      cursor.packet = 0
      cursor.subscriber &+= 1
    }
    return true
  }

  /// Pads packets whose sizes differ by a few bytes to one size, since UDP_SEGMENT wants equal segments.
  ///
  /// libwebrtc splits a frame into packets that differ by one byte. RTP padding (RFC 3550 §5.1) is harmless to decoders.
  private func equaliseSizes(_ stream: UnsafeMutablePointer<Stream>) {
    let pending = stream.pointee.pending
    let ring = stream.pointee.ring
    var start = 0
    while start < pending.count {
      var low = ring.entries[pending[start]].length
      var high = low
      var end = start + 1
      while end < pending.count {
        let length = ring.entries[pending[end]].length
        guard max(high, length) - min(low, length) <= Self.maximumEqualisingPadding else { break }
        low = min(low, length)
        high = max(high, length)
        end += 1
      }
      for index in start..<end where end - start > 1 { pad(ring, at: pending[index], to: high) }
      start = end
    }
  }

  /// Bytes of padding that are worth a saved system call.
  private static var maximumEqualisingPadding: Int32 { 3 }

  private func pad(_ ring: PacketRing, at place: Int, to length: Int32) {
    let missing = length - ring.entries[place].length
    // A packet without payload stays as it is: its padding would be all of it.
    guard missing > 0, ring.entries[place].length > 0 else { return }
    let tail = ring.payload(at: place) + Int(ring.entries[place].length)
    for index in 0..<Int(missing) { tail.storeBytes(of: 0, toByteOffset: index, as: UInt8.self) }
    tail.storeBytes(of: UInt8(truncatingIfNeeded: missing), toByteOffset: Int(missing) - 1, as: UInt8.self)
    ring.entries[place].paddedLength = length
  }
}

/// Gathers datagrams of one viewer into messages of equal segments.
private struct MessageBuilder {
  let destination: PeerHandle
  /// Payload bytes of each datagram but the last; equal payloads make equal datagrams.
  var segmentPayload = 0
  var segmentSize = 0
  var segments = 0
  var length = 0
  /// A shorter datagram was appended: the kernel takes it only as the last one.
  var isClosed = false

  init(destination: PeerHandle) {
    self.destination = destination
  }

  /// Upper bound on what protection and the header add to a payload.
  private static var maximumOverhead: Int { 12 + 2 + 16 }

  /// Ends the message if a payload of `payload` bytes cannot join it; false when the buffer is full.
  @inline(__always)
  mutating func makeRoom(for payload: Int, in egress: inout EgressBuffer) -> Bool {
    if segments > 0,
      isClosed || payload > segmentPayload || segments == EgressBuffer.maximumSegments
        || length + payload + Self.maximumOverhead > EgressBuffer.maximumMessageLength
    {
      finish(in: &egress)
    }
    return segments > 0 || egress.hasRoom
  }

  @inline(__always)
  func position(in egress: borrowing EgressBuffer) -> UnsafeMutableRawPointer {
    egress.next + length
  }

  @inline(__always)
  mutating func append(payload: Int, written: Int) {
    guard written > 0 else { return }
    if segments == 0 {
      segmentPayload = payload
      segmentSize = written
    } else if payload < segmentPayload {
      isClosed = true
    }
    segments &+= 1
    length &+= written
  }

  @inline(__always)
  mutating func finish(in egress: inout EgressBuffer) {
    guard segments > 0 else { return }
    egress.commit(to: destination, length: length, segmentSize: segmentSize, segments: segments)
    segments = 0
    length = 0
    isClosed = false
  }
}

// Replays and retransmissions: rare beside the fan-out.

extension Relay {
  /// Asks for a slot's first picture out of the caches, at the next flush.
  func scheduleReplay(_ slot: SlotHandle) {
    guard let entry = slots.find(Int(slot.index)), entry.pointee.outbound != nil,
      case .awaitingKeyframe(let stream) = entry.pointee.phase, streams[unchecked: stream.index].pointee.kind == .video,
      !replays.contains(where: { $0.slot == slot })
    else { return }
    replays.append(Replay(slot: slot, stream: stream, remaining: nil))
  }

  private func flushReplays(into egress: inout EgressBuffer, now: MonotonicTime) -> Bool {
    while var replay = replays.last {
      guard let slot = slots.find(Int(replay.slot.index)), let stream = streams.find(Int(replay.stream.index)),
        replay.remaining != nil || start(&replay, slot, stream, now: now)
      else {
        replays.removeLast()
        continue
      }
      guard write(&replay, slot, stream, into: &egress, now: now) else {
        replays[replays.count - 1] = replay
        return false
      }
      replays.removeLast()
    }
    return true
  }

  /// Decides what is replayed: everything since the last keyframe when it is still there and short, else the keyframe.
  private func start(
    _ replay: inout Replay, _ slot: UnsafeMutablePointer<Slot>, _ stream: UnsafeMutablePointer<Stream>,
    now: MonotonicTime
  ) -> Bool {
    guard slot.pointee.phase == .awaitingKeyframe(of: replay.stream), let keyframes = stream.pointee.keyframes,
      let start = keyframes.newestStart, let highest = stream.pointee.sequence.highest
    else { return false }
    if let place = stream.pointee.ring.find(start), highest - start < Self.maximumReplay {
      // Of a keyframe that is still arriving, the rest follows live.
      slot.pointee.begin(replay.stream, at: stream.pointee.ring.entries[place], now: now)
      replay.remaining = start..<(highest + 1)
    } else if let keyframe = keyframes.range, let cached = cachedPacket(start, of: stream) {
      slot.pointee.mapNext(cached.packet, of: replay.stream, now: now)
      replay.remaining = keyframe
    } else {
      return false
    }
    slot.pointee.lastReplayAt = now
    counters.keyframesReplayed &+= 1
    return true
  }

  /// Packets that are sent at once to bring a viewer up to the present.
  private static var maximumReplay: Int64 { 128 }

  private func write(
    _ replay: inout Replay, _ slot: UnsafeMutablePointer<Slot>, _ stream: UnsafeMutablePointer<Stream>,
    into egress: inout EgressBuffer, now: MonotonicTime
  ) -> Bool {
    guard let remaining = replay.remaining else { return true }
    var message = MessageBuilder(destination: slot.pointee.destination)
    for extended in remaining {
      guard let (packet, payload) = cachedPacket(extended, of: stream) else { continue }
      let length = Int(packet.length)
      guard message.makeRoom(for: length, in: &egress) else {
        replay.remaining = extended..<remaining.upperBound
        return false
      }
      let written = slot.pointee.write(
        packet, payload: payload, length: length, to: message.position(in: egress), now: now)
      message.append(payload: length, written: written)
      counters.packetsForwarded &+= written > 0 ? 1 : 0
    }
    message.finish(in: &egress)
    return true
  }

  private func flushRetransmissions(into egress: inout EgressBuffer) -> Bool {
    while let wanted = retransmissions.last {
      guard egress.hasRoom else { return false }
      retransmissions.removeLast()
      guard let slot = slots.find(Int(wanted.slot.index)), let stream = streams.find(Int(wanted.stream.index)),
        let (packet, payload) = cachedPacket(wanted.extended, of: stream)
      else {
        counters.retransmissionsMissed &+= 1
        continue
      }
      let written = slot.pointee.writeRetransmission(
        packet, original: wanted.original, payload: payload, timestampOffset: wanted.timestampOffset, to: egress.next)
      guard written > 0 else { continue }
      egress.commit(to: slot.pointee.destination, length: written, segmentSize: written, segments: 1)
      counters.retransmitted &+= 1
    }
    return true
  }

  private func cachedPacket(
    _ extended: Int64, of stream: UnsafeMutablePointer<Stream>
  ) -> (packet: CachedPacket, payload: UnsafeRawPointer)? {
    if let place = stream.pointee.ring.find(extended) {
      return (stream.pointee.ring.entries[place], UnsafeRawPointer(stream.pointee.ring.payload(at: place)))
    }
    guard let keyframes = stream.pointee.keyframes, let place = keyframes.find(extended) else { return nil }
    return (keyframes.packet(at: place), UnsafeRawPointer(keyframes.payload(at: place)))
  }
}
