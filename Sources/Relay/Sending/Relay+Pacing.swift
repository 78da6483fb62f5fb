import CongestionControl
import Primitives

// Video of viewers whose link is known leaves no faster than the link takes it. Packets that wait lie in the stream's
// ring; a slot only remembers from where on. Sound never waits.

extension Relay {
  /// What a slot's packets are paced by; nil when they leave at once.
  @inline(__always)
  func pacer(of slot: UnsafeMutablePointer<Slot>, now: MonotonicTime) -> SendingLinkPointer? {
    let link = slot.pointee.link
    guard slot.pointee.kind == .video, link.pointee.pacer.isActive else { return nil }
    link.pointee.pacer.refill(now)
    return link
  }

  /// Whether a packet has to wait, behind others or for its turn.
  @inline(__always)
  func mustWait(
    _ packet: CachedPacket, of stream: StreamHandle, for slot: UnsafeMutablePointer<Slot>, as handle: SlotHandle
  ) -> Bool {
    if let backlog = slot.pointee.backlog, backlog.stream == stream { return packet.extended >= backlog.next }
    guard slot.pointee.link.pointee.pacer.budget <= 0, slot.pointee.outbound != nil else { return false }
    switch slot.pointee.phase {
    case .forwarding(let own):
      guard own == stream, packet.extended > slot.pointee.considered else { return false }
    case .awaitingKeyframe(let awaited):
      guard awaited == stream, packet.startsKeyframe else { return false }
    case .switching(let old, let new):
      // What waits of the old picture is not worth its time when the new one has come.
      guard (new == stream && packet.startsKeyframe) || (old == stream && slot.pointee.backlog == nil) else {
        return false
      }
    case .idle: return false
    }
    hold(handle, slot, Backlog(stream: stream, next: packet.extended))
    return true
  }

  func hold(_ handle: SlotHandle, _ slot: UnsafeMutablePointer<Slot>, _ backlog: Backlog) {
    if slot.pointee.backlog == nil { backlogged.append(handle) }
    slot.pointee.backlog = backlog
    counters.packetsPaced &+= 1
  }

  /// Sends what waits as far as budgets allow; false when `egress` is full.
  func flushBacklogs(into egress: inout EgressBuffer, now: MonotonicTime) -> Bool {
    var place = 0
    while place < backlogged.count {
      let handle = backlogged[place]
      guard let slot = slots.find(Int(handle.index)), let backlog = slot.pointee.backlog,
        let stream = streams.find(Int(backlog.stream.index))
      else {
        backlogged.remove(at: place)
        continue
      }
      guard sendBacklog(of: slot, stream, into: &egress, now: now) else { return false }
      if slot.pointee.backlog == nil {
        backlogged.remove(at: place)
      } else {
        abandonIfStale(slot, stream, now: now)
        place += 1
      }
    }
    return true
  }

  private func sendBacklog(
    of slot: UnsafeMutablePointer<Slot>, _ stream: UnsafeMutablePointer<Stream>, into egress: inout EgressBuffer,
    now: MonotonicTime
  ) -> Bool {
    guard var backlog = slot.pointee.backlog, let highest = stream.pointee.sequence.highest else { return true }
    let link = slot.pointee.link
    link.pointee.pacer.refill(now)
    var message = MessageBuilder(destination: slot.pointee.destination)
    let ring = stream.pointee.ring
    while backlog.next <= highest, link.pointee.pacer.budget > 0 || !link.pointee.pacer.isActive {
      guard let place = ring.find(backlog.next) else {
        // Lost on its way here: when it is repaired it goes out as a late packet.
        backlog.next &+= 1
        continue
      }
      let packet = ring.entries[place]
      let length = Int(packet.length)
      guard message.makeRoom(for: length, in: &egress) else {
        slot.pointee.backlog = backlog
        return false
      }
      let number = slot.pointee.take(packet, of: backlog.stream, now: now)
      backlog.next &+= 1
      guard !number.isNone else { continue }
      let written = slot.pointee.write(
        packet, as: number, payload: ring.payload(at: place), length: length, to: message.position(in: egress),
        now: now)
      message.append(payload: length, written: written)
      link.pointee.pacer.spend(written)
      counters.packetsForwarded &+= written > 0 ? 1 : 0
    }
    message.finish(in: &egress)
    slot.pointee.backlog = backlog.next > highest ? nil : backlog
    return true
  }

  /// A picture that comes too late is worth less than a fresh one.
  private func abandonIfStale(
    _ slot: UnsafeMutablePointer<Slot>, _ stream: UnsafeMutablePointer<Stream>, now: MonotonicTime
  ) {
    guard let backlog = slot.pointee.backlog, let highest = stream.pointee.sequence.highest else { return }
    let ring = stream.pointee.ring
    let isTooLong = highest - backlog.next > Int64(ring.capacity / 2)
    var isTooOld = false
    if let first = ring.find(backlog.next), let last = ring.find(highest) {
      let ticks = Int32(bitPattern: ring.entries[last].timestamp &- ring.entries[first].timestamp)
      isTooOld = Int64(ticks) > Self.maximumBacklogTicks
    }
    guard isTooLong || isTooOld else { return }
    slot.pointee.backlog = nil
    if slot.pointee.phase.involves(backlog.stream), slot.pointee.phase.target == backlog.stream {
      slot.pointee.phase = .awaitingKeyframe(of: backlog.stream)
      requestKeyframe(of: backlog.stream, now: now)
    }
    counters.backlogsAbandoned &+= 1
  }

  /// The longest that a picture may wait, in ticks of 90 kHz: 800 ms.
  private static var maximumBacklogTicks: Int64 { 72_000 }
}

// Probes: repetitions of what was sent last, as retransmissions, which receivers take for duplicates.

extension Relay {
  /// Starts a viewer's next probe, if its estimator wants one.
  func startProbe(of handle: PeerHandle, _ peer: UnsafeMutablePointer<RelayPeer>, now: MonotonicTime) {
    guard let link = peer.pointee.link, link.pointee.probe == nil,
      let probe = link.pointee.estimator.takeProbe(now: now)
    else { return }
    link.pointee.probe = ProbeProgress(
      id: probe.id, bitsPerSecond: probe.bitsPerSecond, remainingBytes: probe.bytes, startedAt: now)
    probing.append(handle)
    counters.probesSent &+= 1
  }

  func flushProbes(into egress: inout EgressBuffer, now: MonotonicTime) -> Bool {
    var place = 0
    while place < probing.count {
      let handle = probing[place]
      guard let peer = peers.find(Int(handle.index)), let link = peer.pointee.link, var probe = link.pointee.probe,
        let slot = probedSlot(of: peer), now - probe.startedAt < Self.maximumProbeTime
      else {
        peers.find(Int(handle.index))?.pointee.link?.pointee.probe = nil
        probing.remove(at: place)
        continue
      }
      let isFinished = send(&probe, over: slot, into: &egress, now: now)
      link.pointee.probe = probe.remainingBytes > 0 ? probe : nil
      guard isFinished else { return false }
      place += 1
    }
    return true
  }

  private static var maximumProbeTime: TimeInterval64 { .milliseconds(300) }

  /// A slot of the peer that sends video with retransmissions now.
  private func probedSlot(of peer: UnsafeMutablePointer<RelayPeer>) -> UnsafeMutablePointer<Slot>? {
    for handle in peer.pointee.slots {
      let slot = slots[unchecked: handle.index]
      guard slot.pointee.kind == .video, slot.pointee.outbound != nil, slot.pointee.transportExtension != 0,
        case .forwarding = slot.pointee.phase, slot.pointee.sent.packets > 0
      else { continue }
      return slot
    }
    return nil
  }

  /// Sends as much of a probe as is due; false when `egress` is full.
  private func send(
    _ probe: inout ProbeProgress, over slot: UnsafeMutablePointer<Slot>, into egress: inout EgressBuffer,
    now: MonotonicTime
  ) -> Bool {
    var due = probe.due(now)
    var number = slot.pointee.nextExtended - 1
    let oldest = number - Self.probedPackets
    while due > 0, probe.remainingBytes > 0 {
      guard egress.hasRoom else { return false }
      guard let written = repeatPacket(number, of: slot, probe: probe.id, into: &egress, now: now) else {
        number -= 1
        if number < oldest { return true }
        continue
      }
      number = number - 1 < oldest ? slot.pointee.nextExtended - 1 : number - 1
      due -= written
      probe.remainingBytes -= written
      probe.sentBytes += written
      counters.paddingSent &+= UInt64(written)
    }
    return true
  }

  /// Packets back from the newest that a probe repeats.
  private static var probedPackets: Int64 { 32 }

  private func repeatPacket(
    _ number: Int64, of slot: UnsafeMutablePointer<Slot>, probe: UInt8, into egress: inout EgressBuffer,
    now: MonotonicTime
  ) -> Int? {
    guard let origin = slot.pointee.origin(of: number), let stream = streams.find(Int(origin.mapping.stream.index)),
      let (packet, payload) = cachedPacket(origin.extended, of: stream), packet.length > Self.minimumProbePayload
    else { return nil }
    let written = slot.pointee.writeRetransmission(
      packet, of: SlotNumber(value: number, skippedPictures: origin.skippedPictures), payload: payload,
      timestampOffset: origin.mapping.timestampOffset, probe: probe, to: egress.next, now: now)
    guard written > 0 else { return nil }
    egress.commit(to: slot.pointee.destination, length: written, segmentSize: written, segments: 1)
    return written
  }

  /// Shorter packets are not worth repeating.
  private static var minimumProbePayload: Int32 { 200 }
}
