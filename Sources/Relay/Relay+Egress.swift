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
  /// A single picture for a slot that gets stills.
  var isStill = false
  /// An old keyframe alone: what follows it waits for the next one.
  var isKeyframeOnly = false
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
  let shift: PictureShift
}

extension Relay {
  /// Writes what waits into `egress`; returns true when all that may leave now is written, false when the buffer must be sent
  /// first.
  package func flush(into egress: inout EgressBuffer, now: MonotonicTime) -> Bool {
    if nodePacer.isActive { nodePacer.refill(now) }
    while let handle = nextDirty(now) {
      guard fanOut(handle, into: &egress, now: now) else { return false }
      streams[unchecked: handle.index].pointee.pending.removeAll()
      if dirtySound.popLast() == nil { dirtyStreams.removeLast() }
      fanOut = FanOutCursor()
    }
    guard retransmissions.isEmpty || flushRetransmissions(into: &egress, now: now) else { return false }
    guard replays.isEmpty || flushReplays(into: &egress, now: now) else { return false }
    guard backlogged.isEmpty || flushBacklogs(into: &egress, now: now) else { return false }
    return probing.isEmpty || flushProbes(into: &egress, now: now)
  }

  /// The stream whose turn it is: sound before any picture.
  @inline(__always)
  private func nextDirty(_ now: MonotonicTime) -> StreamHandle? {
    // Not in the middle of a fan-out, which is always the last one's; but before replays and backlogs, of which it may make
    // some.
    if !fanOut.isPlanned, !gathered.isEmpty { releaseGathered(now) }
    return dirtySound.last ?? dirtyStreams.last
  }

  /// All pending packets of one stream to all of its subscribers, viewer by viewer.
  private func fanOut(_ handle: StreamHandle, into egress: inout EgressBuffer, now: MonotonicTime) -> Bool {
    let stream = streams[unchecked: handle.index]
    if !fanOut.isPlanned {
      prefetchFirst(of: stream)
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
      prefetch(after: cursor.subscriber, of: subscribers)
      let name = SlotHandle(Int(subscribers[cursor.subscriber]))
      let slot = slots[unchecked: name.index]
      let pacer = pacer(of: slot, now: now)
      var message = MessageBuilder(to: slot)
      while cursor.packet < pending.count {
        let place = pending[cursor.packet]
        var packet = ring.entries[place]
        if pacer != nil, isHeldBack(packet, of: handle, for: slot, as: name, now: now) {
          cursor.packet &+= 1
          continue
        }
        let number = slot.pointee.take(packet, of: handle, now: now)
        guard !number.isNone else {
          cursor.packet &+= 1
          continue
        }
        var payload = UnsafeRawPointer(ring.payload(at: place))
        if slot.pointee.redundancy > 0 { payload = addRedundancy(to: &packet, payload, ring, slot) }
        let length = Int(packet.paddedLength)
        guard message.makeRoom(for: length, in: &egress) else { return false }
        let written = slot.pointee.write(
          packet, as: number, payload: payload, length: length, to: message.position(in: egress), now: now)
        message.append(payload: length, written: written)
        pacer?.pointee.pacer.spend(written)
        nodePacer.spend(written)
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
