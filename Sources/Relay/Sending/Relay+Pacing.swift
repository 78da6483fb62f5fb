import CongestionControl
import Primitives

// Video of viewers whose link is known leaves no faster than the link takes it, and on a node with a limit no faster than
// the node may send. Packets that wait lie in the stream's ring; a slot only remembers from where on. Sound never waits.

extension Relay {
  /// The link whose pacer a slot's packets ask; nil when they leave at once.
  @inline(__always)
  func pacer(of slot: UnsafeMutablePointer<Slot>, now: MonotonicTime) -> SendingLinkPointer? {
    let link = slot.pointee.link
    guard slot.pointee.kind == .video, link.pointee.pacer.isActive || nodePacer.isActive else { return nil }
    link.pointee.pacer.refill(now)
    return link
  }

  /// Whether nothing more leaves now for a viewer's pictures.
  @inline(__always)
  func isFull(_ link: SendingLinkPointer) -> Bool {
    let isLinkFull = link.pointee.pacer.isActive && link.pointee.pacer.budget <= 0
    return isLinkFull || !nodePacer.bears(link.pointee.nodeReserve)
  }

  /// Whether a packet does not leave now: it waits, behind others or for its turn, or its picture is over.
  @inline(__always)
  func isHeldBack(
    _ packet: CachedPacket, of stream: StreamHandle, for slot: UnsafeMutablePointer<Slot>, as handle: SlotHandle,
    now: MonotonicTime
  ) -> Bool {
    if let backlog = slot.pointee.backlog, backlog.stream == stream { return packet.extended >= backlog.next }
    guard isFull(slot.pointee.link), slot.pointee.outbound != nil else { return false }
    switch slot.pointee.phase {
    case .forwarding(let own):
      guard own == stream, packet.extended > slot.pointee.considered else { return false }
    case .awaitingKeyframe(let awaited):
      guard awaited == stream, packet.startsKeyframe else { return false }
    case .switching(let old, let new):
      // When the new picture has come and waits, the old one is over: it would take the line from it.
      if old == stream, slot.pointee.backlog?.stream == new { return true }
      guard (new == stream && packet.startsKeyframe) || old == stream else { return false }
    case .idle: return false
    }
    hold(handle, slot, Backlog(stream: stream, next: packet.extended, heldAt: now))
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
    var message = MessageBuilder(to: slot)
    let ring = stream.pointee.ring
    while backlog.next <= highest, !isFull(link) {
      if backlog.kind != .live { skipToFresh(&backlog, of: slot, stream, now: now) }
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
      nodePacer.spend(written)
      counters.packetsForwarded &+= written > 0 ? 1 : 0
    }
    message.finish(in: &egress)
    slot.pointee.backlog = backlog.next > highest ? nil : backlog
    return true
  }

  /// Ends a replay where a newer keyframe has come: what lies between is needless then.
  ///
  /// A picture that has been begun is ended first. It may be the first that the viewer sees.
  private func skipToFresh(
    _ backlog: inout Backlog, of slot: UnsafeMutablePointer<Slot>, _ stream: UnsafeMutablePointer<Stream>,
    now: MonotonicTime
  ) {
    guard slot.pointee.phase == .forwarding(backlog.stream), let fresh = stream.pointee.keyframes?.newestStart else {
      return
    }
    let ring = stream.pointee.ring
    if backlog.next >= fresh, fresh > backlog.first { backlog.kind = .live }
    guard fresh > backlog.next, let place = ring.find(fresh) else { return }
    if let next = ring.find(backlog.next), let last = ring.find(backlog.next - 1),
      ring.entries[next].timestamp == ring.entries[last].timestamp
    {
      return
    }
    slot.pointee.begin(backlog.stream, at: ring.entries[place], now: now)
    backlog.next = fresh
    backlog.kind = .live
    counters.replaysShortened &+= 1
  }

  /// A picture that comes too late is worth less than a fresh one.
  private func abandonIfStale(
    _ slot: UnsafeMutablePointer<Slot>, _ stream: UnsafeMutablePointer<Stream>, now: MonotonicTime
  ) {
    guard let backlog = slot.pointee.backlog, let highest = stream.pointee.sequence.highest else { return }
    let ring = stream.pointee.ring
    // What has come and was not fanned out yet may be overwriting the oldest already.
    let longest = backlog.kind == .longReplay ? ring.capacity - stream.pointee.pending.capacity : ring.capacity / 2
    let isTooLong = highest - backlog.next > Int64(longest)
    var isTooOld = false
    if let first = ring.find(backlog.next), let last = ring.find(highest) {
      let ticks = Int32(bitPattern: ring.entries[last].timestamp &- ring.entries[first].timestamp)
      isTooOld = Int64(ticks) > Self.maximumBacklogTicks
    }
    // A replay is old from the beginning, and nothing is gained by another; beside a long one a fresh keyframe is on its way.
    let patience = backlog.kind == .longReplay ? Self.patienceWithLongReplay : Self.patienceWithReplay
    let isPatient = now - backlog.heldAt < patience
    let hasFresh = backlog.kind != .live && (stream.pointee.keyframes?.newestStart ?? 0) > backlog.next
    guard isTooLong || (isTooOld && !isPatient && !hasFresh) else { return }
    slot.pointee.backlog = nil
    if slot.pointee.phase.involves(backlog.stream), slot.pointee.phase.target == backlog.stream {
      slot.pointee.phase = .awaitingKeyframe(of: backlog.stream)
      requestKeyframe(of: backlog.stream, now: now)
    }
    counters.backlogsAbandoned &+= 1
  }

  /// The longest that a picture may wait, in ticks of 90 kHz: 800 ms.
  private static var maximumBacklogTicks: Int64 { 72_000 }
  private static var patienceWithReplay: TimeInterval64 { .milliseconds(500) }
  private static var patienceWithLongReplay: TimeInterval64 { .milliseconds(2_000) }
}
