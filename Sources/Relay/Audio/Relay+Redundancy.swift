import Primitives
import RTP

// Redundancy that comes in. Packet path.

extension Relay {
  @inline(__always)
  func isRedundant(_ header: RTPHeader, _ stream: UnsafeMutablePointer<Stream>) -> Bool {
    stream.pointee.kind == .audio
      && sources[unchecked: stream.pointee.source.index].pointee.payloadTypes.format(of: header.payloadType)
        == .redundantAudio
  }

  /// Takes a packet of redundant audio apart: the new payload, and before it the earlier ones that did not come.
  ///
  /// From here on they are plain packets, so that nobody behind the relay needs to know of redundancy.
  func receiveRedundant(
    _ header: RTPHeader, _ payload: UnsafeRawPointer, _ length: Int, _ extended: Int64, _ handle: StreamHandle,
    _ stream: UnsafeMutablePointer<Stream>, _ now: MonotonicTime
  ) -> Bool {
    let parsed: RedundantAudio
    do {
      parsed = try RedundantAudio(parsing: UnsafeRawBufferPointer(start: payload, count: length))
    } catch {
      // It stays missing, so that the next packet may bring what should have been in it.
      counters.malformedRTP &+= 1
      return true
    }
    _ = stream.pointee.missing.insert(extended, now: now)
    for index in 0..<parsed.repeatedCount {
      let block = parsed[index]
      let number = extended &- Int64(parsed.repeatedCount &- index)
      // One place is kept for the packet itself; what finds none is lost as it would be without redundancy.
      guard stream.pointee.pending.count &+ 1 < stream.pointee.pending.capacity,
        isMissing(block, number: number, in: header, extended, stream),
        stream.pointee.missing.insert(number, now: now) == .recovered
      else { continue }
      var repaired = header
      repaired.timestamp = header.timestamp &- block.age
      repaired.marker = false
      counters.recoveredFromRedundancy &+= 1
      _ = admit(repaired, block.payloadType, payload + block.offset, block.length, number, handle, stream, now, nil)
    }
    return admit(
      header, parsed.primaryPayloadType, payload + parsed.primaryOffset, parsed.primaryLength, extended, handle, stream,
      now, nil)
  }

  /// Whether a block is the packet that should have come as `number`.
  ///
  /// Blocks carry no sequence number (RFC 2198 §3): a sender repeats its last packets, so that their distance is known.
  /// Where the packets around it tell another story, the block is left alone.
  private func isMissing(
    _ block: RedundantAudio.Block, number: Int64, in header: RTPHeader, _ extended: Int64,
    _ stream: UnsafeMutablePointer<Stream>
  ) -> Bool {
    let ring = stream.pointee.ring
    guard block.length > 0, block.age > 0, number >= 0, ring.find(number) == nil else { return false }
    let timestamp = header.timestamp &- block.age
    for other in (number &- Self.neighbourhood)..<extended where other >= 0 {
      guard let place = ring.find(other) else { continue }
      let distance = Int32(bitPattern: ring.entries[place].timestamp &- timestamp)
      guard other < number ? distance < 0 : distance > 0 else { return false }
    }
    return true
  }

  /// Packets before a block that are compared with it.
  private static var neighbourhood: Int64 { 4 }
}

// Redundancy that goes out, to viewers behind weak links.

extension Relay {
  /// Has a packet of sound repeat the ones before it, as often as the slot's link needs it.
  ///
  /// Packet path. What it changes in `packet` is the payload type and the length: a viewer that negotiated redundancy takes
  /// both kinds as they come. Returns the new payload, valid until the next call.
  func addRedundancy(
    to packet: inout CachedPacket, _ payload: UnsafeRawPointer, _ ring: PacketRing, _ slot: UnsafeMutablePointer<Slot>
  ) -> UnsafeRawPointer {
    guard let mapping = slot.pointee.mapping, let payloadType = slot.pointee.formats.payloadType(of: packet.format)
    else { return payload }
    let count = repeatable(Int64(slot.pointee.redundancy), before: packet, mapping, ring)
    guard count > 0 else { return payload }
    var offset = 0
    for distance in stride(from: count, through: 1, by: -1) {
      let earlier = ring.entries[ring.place(of: packet.extended &- distance)]
      RedundantAudio.writeBlockHeader(
        to: redundancyBuffer + offset, payloadType: payloadType, age: packet.timestamp &- earlier.timestamp,
        length: Int(earlier.length))
      offset &+= RedundantAudio.blockHeaderLength
    }
    RedundantAudio.writePrimaryHeader(to: redundancyBuffer + offset, payloadType: payloadType)
    offset &+= RedundantAudio.primaryHeaderLength
    for distance in stride(from: count, through: 1, by: -1) {
      let place = ring.place(of: packet.extended &- distance)
      let length = Int(ring.entries[place].length)
      (redundancyBuffer + offset).copyMemory(from: ring.payload(at: place), byteCount: length)
      offset &+= length
    }
    (redundancyBuffer + offset).copyMemory(from: payload, byteCount: Int(packet.length))
    offset &+= Int(packet.length)
    packet.format = .redundantAudio
    packet.length = Int32(truncatingIfNeeded: offset)
    packet.paddedLength = packet.length
    counters.redundantSent &+= 1
    return UnsafeRawPointer(redundancyBuffer)
  }

  /// How many packets right before `packet` can be repeated in it: those that are there, belong to the slot's picture of
  /// the stream, and fit into the fields and into a datagram.
  private func repeatable(_ wanted: Int64, before packet: CachedPacket, _ mapping: Mapping, _ ring: PacketRing) -> Int64
  {
    guard packet.length > 0 else { return 0 }
    var length = Int(packet.length) &+ RedundantAudio.primaryHeaderLength
    var count: Int64 = 0
    while count < wanted {
      let number = packet.extended &- count &- 1
      guard number &+ mapping.sequenceOffset >= mapping.first, let place = ring.find(number) else { break }
      let earlier = ring.entries[place]
      let age = packet.timestamp &- earlier.timestamp
      guard earlier.format == packet.format, earlier.length > 0,
        Int(earlier.length) <= RedundantAudio.maximumBlockLength, age > 0, age <= RedundantAudio.maximumAge
      else { break }
      length &+= Int(earlier.length) &+ RedundantAudio.blockHeaderLength
      guard length <= Self.maximumRedundantPayload else { break }
      count &+= 1
    }
    return count
  }

  /// Bytes of a payload with repetitions at most, so that it stays below any path's datagram.
  private static var maximumRedundantPayload: Int { 1_100 }
}

// Not on the packet path.

extension Relay {
  /// Takes from a viewer's feedback how much of what was sent to it is lost.
  func noteLoss(_ feedback: TransportFeedback, of peer: PeerHandle, now: MonotonicTime) {
    var (received, missing) = (0, 0)
    feedback.forEachPacket { _, arrival in
      if arrival == nil { missing += 1 } else { received += 1 }
    }
    peers.find(Int(peer.index))?.pointee.loss.noteFeedback(received: received, missing: missing, now: now)
  }

  /// Has sound repeated where the link is weak, and no longer where it is not.
  func updateRedundancy(_ now: MonotonicTime) {
    for index in 0..<peers.end {
      guard let peer = peers.find(index) else { continue }
      peer.pointee.loss.update(now: now)
      guard peer.pointee.loss.repetitions > 0 || peer.pointee.repeatsSound else { continue }
      setRedundancy(of: peer, now)
    }
  }

  private func setRedundancy(of peer: UnsafeMutablePointer<RelayPeer>, _ now: MonotonicTime) {
    var sound = 0
    for handle in peer.pointee.slots {
      let slot = slots[unchecked: handle.index]
      guard slot.pointee.kind == .audio else { continue }
      sound += slot.pointee.rate.bitsPerSecond / (1 + Int(slot.pointee.redundancy))
    }
    let repetitions = peer.pointee.loss.repetitions(sound: sound, link: peer.pointee.link?.pointee.bitsPerSecond(now))
    peer.pointee.repeatsSound = repetitions > 0
    for handle in peer.pointee.slots {
      let slot = slots[unchecked: handle.index]
      guard slot.pointee.formats.payloadType(of: .redundantAudio) != nil else { continue }
      slot.pointee.redundancy = repetitions
    }
  }
}
