import CongestionControl
import Primitives

// Probes: repetitions of what was sent last, as retransmissions, which receivers take for duplicates; where nothing moves,
// padding.

extension Relay {
  /// Starts a viewer's next probe, if its estimator wants one.
  func startProbe(of handle: PeerHandle, _ peer: UnsafeMutablePointer<RelayPeer>, now: MonotonicTime) {
    guard let link = peer.pointee.link, link.pointee.probe == nil, mayProbe(link),
      let probe = link.pointee.estimator.takeProbe(now: now)
    else { return }
    link.pointee.probe = ProbeProgress(
      id: probe.id, bitsPerSecond: probe.bitsPerSecond, isSmall: probe.isSmall, remainingBytes: probe.bytes,
      startedAt: now)
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

  /// Whether the node has room for a probe: unless the viewer is urgent it waits for everybody's pictures, and for other
  /// probes, since one that is cut short tells nothing.
  private func mayProbe(_ link: SendingLinkPointer) -> Bool {
    guard nodePacer.isActive, link.pointee.nodeReserve != nil else { return true }
    return probing.isEmpty && nodePacer.bears(Self.reserveOfProbes)
  }

  private static var reserveOfProbes: Int32 { 500 }
  private static var maximumProbeTime: TimeInterval64 { .milliseconds(300) }

  /// A slot of the peer that probes can go out on: best one whose picture moves.
  private func probedSlot(of peer: UnsafeMutablePointer<RelayPeer>) -> UnsafeMutablePointer<Slot>? {
    var still: UnsafeMutablePointer<Slot>?
    for handle in peer.pointee.slots {
      let slot = slots[unchecked: handle.index]
      guard slot.pointee.kind == .video, slot.pointee.outbound != nil, slot.pointee.transportExtension != 0 else {
        continue
      }
      if case .forwarding = slot.pointee.phase, slot.pointee.sent.packets > 0 { return slot }
      still = still ?? slot
    }
    return still
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
      let isExhausted = probe.isSmall || number < oldest
      guard
        let written = isExhausted
          ? pad(slot, probe: probe.id, into: &egress, now: now)
          : repeatPacket(number, of: slot, probe: probe.id, into: &egress, now: now)
      else {
        if isExhausted { return true }
        number -= 1
        continue
      }
      // Once round they go out again, unless there was nothing to repeat.
      if !isExhausted { number = number - 1 < oldest ? slot.pointee.nextExtended - 1 : number - 1 }
      due -= written
      probe.remainingBytes -= written
      probe.sentBytes += written
      nodePacer.spend(written)
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
      packet, of: SlotNumber(value: number, shift: origin.shift), payload: payload,
      timestampOffset: origin.mapping.timestampOffset, probe: probe, to: egress.next, now: now)
    guard written > 0 else { return nil }
    egress.commit(
      to: slot.pointee.destination, length: written, segmentSize: written, segments: 1,
      codePoint: slot.pointee.codePoint)
    return written
  }

  /// Sends a packet of nothing but padding; nil when the viewer has no stream for it.
  private func pad(
    _ slot: UnsafeMutablePointer<Slot>, probe: UInt8, into egress: inout EgressBuffer, now: MonotonicTime
  ) -> Int? {
    let written = slot.pointee.writePadding(probe: probe, to: egress.next, now: now)
    guard written > 0 else { return nil }
    egress.commit(
      to: slot.pointee.destination, length: written, segmentSize: written, segments: 1,
      codePoint: slot.pointee.codePoint)
    return written
  }

  /// Shorter packets are not worth repeating.
  private static var minimumProbePayload: Int32 { 200 }
}
