import Primitives

// Replays and retransmissions: rare beside the fan-out.

extension Relay {
  /// Asks for a slot's first picture out of the caches, at the next flush; false when the slot does not wait for one.
  ///
  /// A fresh keyframe is asked for only if what is kept does not reach the present: a crowd of new viewers costs the caller
  /// nothing.
  @discardableResult
  func scheduleReplay(_ slot: SlotHandle) -> Bool {
    guard let entry = slots.find(Int(slot.index)), entry.pointee.outbound != nil,
      case .awaitingKeyframe(let stream) = entry.pointee.phase, streams[unchecked: stream.index].pointee.kind == .video,
      !replays.contains(where: { $0.slot == slot })
    else { return false }
    replays.append(Replay(slot: slot, stream: stream, remaining: nil))
    return true
  }

  func flushReplays(into egress: inout EgressBuffer, now: MonotonicTime) -> Bool {
    var place = replays.count - 1
    while place >= 0 {
      var replay = replays[place]
      guard let slot = slots.find(Int(replay.slot.index)), let stream = streams.find(Int(replay.stream.index)),
        replay.remaining != nil || start(&replay, slot, stream, now: now)
      else {
        replays.remove(at: place)
        place -= 1
        continue
      }
      let progress = write(&replay, slot, stream, into: &egress, now: now)
      switch progress {
      case .done: replays.remove(at: place)
      case .paced, .full: replays[place] = replay
      }
      if progress == .full { return false }
      place -= 1
    }
    return true
  }

  /// Decides what is replayed: everything since the last keyframe when it is still there and short, else the keyframe.
  private func start(
    _ replay: inout Replay, _ slot: UnsafeMutablePointer<Slot>, _ stream: UnsafeMutablePointer<Stream>,
    now: MonotonicTime
  ) -> Bool {
    guard let keyframes = stream.pointee.keyframes, let start = keyframes.newestStart,
      let highest = stream.pointee.sequence.highest,
      replay.isStill || slot.pointee.phase == .awaitingKeyframe(of: replay.stream)
    else {
      if slot.pointee.phase == .awaitingKeyframe(of: replay.stream) { requestKeyframe(of: replay.stream, now: now) }
      return false
    }
    if !replay.isStill, !stream.pointee.isBroken, let place = stream.pointee.ring.find(start),
      let length = replayLength(from: start, to: highest, of: stream, for: slot, now: now)
    {
      // Of a keyframe that is still arriving, the rest follows live.
      slot.pointee.begin(replay.stream, at: stream.pointee.ring.entries[place], now: now)
      counters.keyframesReplayed &+= 1
      if length == .long {
        slot.pointee.longReplayAt = now
        requestFreshPicture(of: replay.stream, now: now)
      } else {
        slot.pointee.lastReplayAt = now
      }
      if pacer(of: slot, now: now) != nil {
        let kind: Backlog.Kind = length == .long ? .longReplay : .replay
        hold(replay.slot, slot, Backlog(stream: replay.stream, kind: kind, first: start, next: start, heldAt: now))
        return false
      }
      replay.remaining = start..<(highest + 1)
    } else if let keyframe = keyframes.range, let cached = cachedPacket(keyframe.lowerBound, of: stream) {
      slot.pointee.mapNext(cached.packet, of: replay.stream, now: now)
      slot.pointee.lastReplayAt = now
      replay.remaining = keyframe
      replay.isKeyframeOnly = true
      requestFreshPicture(of: replay.stream, now: now)
      if replay.isStill { counters.stillsSent &+= 1 } else { counters.keyframesReplayed &+= 1 }
    } else {
      requestKeyframe(of: replay.stream, now: now)
      return false
    }
    return true
  }

  private enum ReplayLength {
    /// As good as a fresh keyframe.
    case short
    /// Better than a picture that stands until one comes.
    case long
  }

  /// Whether what came since a keyframe brings a viewer up to the present; nil when only the keyframe is worth sending.
  ///
  /// Where the caller is far, more is: a fresh keyframe is asked for beside it, and whichever is sooner counts. On a node with
  /// a limit it would be at the cost of others.
  private func replayLength(
    from start: Int64, to highest: Int64, of stream: UnsafeMutablePointer<Stream>,
    for slot: UnsafeMutablePointer<Slot>, now: MonotonicTime
  ) -> ReplayLength? {
    let link = slot.pointee.link
    let isUnknown = slot.pointee.transportExtension != 0 && link.pointee.bitsPerSecond(now) == nil
    if highest - start < (isUnknown ? Self.quickReplayToUnknown : Self.quickReplay) { return .short }
    guard link.pointee.pacer.isActive, !nodePacer.isActive, highest - start < Self.longReplay,
      let answer = stream.pointee.answerTime, answer >= Self.slowAnswer
    else { return nil }
    let ring = stream.pointee.ring
    guard let first = ring.find(start), let last = ring.find(highest) else { return nil }
    let ticks = Int32(bitPattern: ring.entries[last].timestamp &- ring.entries[first].timestamp)
    return Int64(ticks) <= Self.longReplayTicks ? .long : nil
  }

  private static var quickReplay: Int64 { 128 }
  /// To a viewer whose link is not known yet, but will be in a moment.
  private static var quickReplayToUnknown: Int64 { 32 }
  /// Leaves the ring room for what comes while it is sent.
  private static var longReplay: Int64 { Int64(PacketRing.videoCapacity / 8 * 5) }
  /// Ticks of 90 kHz: three seconds.
  private static var longReplayTicks: Int64 { 270_000 }
  /// How long a caller takes for a keyframe for which viewers should not wait.
  private static var slowAnswer: TimeInterval64 { .milliseconds(300) }

  private enum ReplayProgress {
    case done
    /// The rest waits until the viewer's link or the node takes it.
    case paced
    /// The rest waits until the buffer is sent.
    case full
  }

  private func write(
    _ replay: inout Replay, _ slot: UnsafeMutablePointer<Slot>, _ stream: UnsafeMutablePointer<Stream>,
    into egress: inout EgressBuffer, now: MonotonicTime
  ) -> ReplayProgress {
    guard let remaining = replay.remaining, isWanted(replay, slot) else { return .done }
    let pacer = replay.isKeyframeOnly ? pacer(of: slot, now: now) : nil
    var message = MessageBuilder(to: slot)
    for extended in remaining {
      if let pacer, isFull(pacer) {
        replay.remaining = extended..<remaining.upperBound
        message.finish(in: &egress)
        return .paced
      }
      guard let (packet, payload) = cachedPacket(extended, of: stream) else { continue }
      let length = Int(packet.length)
      guard message.makeRoom(for: length, in: &egress) else {
        replay.remaining = extended..<remaining.upperBound
        return .full
      }
      let number =
        replay.isKeyframeOnly
        ? slot.pointee.plainNumber(of: packet) : slot.pointee.take(packet, of: replay.stream, now: now)
      guard !number.isNone else { continue }
      let written = slot.pointee.write(
        packet, as: number, payload: payload, length: length, to: message.position(in: egress), now: now)
      message.append(payload: length, written: written)
      slot.pointee.link.pointee.pacer.spend(written)
      nodePacer.spend(written)
      counters.packetsForwarded &+= written > 0 ? 1 : 0
    }
    message.finish(in: &egress)
    return .done
  }

  /// Whether a keyframe that is on its way to a viewer still is what the slot should show.
  private func isWanted(_ replay: Replay, _ slot: UnsafeMutablePointer<Slot>) -> Bool {
    guard replay.isKeyframeOnly else { return true }
    return replay.isStill ? !slot.pointee.view.isLive : slot.pointee.phase == .awaitingKeyframe(of: replay.stream)
  }

  func flushRetransmissions(into egress: inout EgressBuffer, now: MonotonicTime) -> Bool {
    while let wanted = retransmissions.last {
      guard egress.hasRoom else { return false }
      retransmissions.removeLast()
      guard let slot = slots.find(Int(wanted.slot.index)), let stream = streams.find(Int(wanted.stream.index)),
        let (packet, payload) = cachedPacket(wanted.extended, of: stream)
      else {
        counters.retransmissionsMissed &+= 1
        continue
      }
      guard slot.pointee.isCatchingUp(now) || !isTooLate(packet, of: stream) else {
        counters.retransmissionsLate &+= 1
        continue
      }
      let written = slot.pointee.writeRetransmission(
        packet, of: SlotNumber(value: wanted.original, shift: wanted.shift), payload: payload,
        timestampOffset: wanted.timestampOffset, probe: 0, to: egress.next, now: now)
      guard written > 0 else { continue }
      egress.commit(
        to: slot.pointee.destination, length: written, segmentSize: written, segments: 1,
        codePoint: slot.pointee.codePoint)
      slot.pointee.link.pointee.pacer.spend(written)
      nodePacer.spend(written)
      counters.retransmitted &+= 1
    }
    return true
  }

  /// Whether the viewer would have gone on without a packet by the time that it came.
  private func isTooLate(_ packet: CachedPacket, of stream: UnsafeMutablePointer<Stream>) -> Bool {
    guard let highest = stream.pointee.sequence.highest, let place = stream.pointee.ring.find(highest) else {
      return false
    }
    let ticks = Int32(bitPattern: stream.pointee.ring.entries[place].timestamp &- packet.timestamp)
    return Int64(ticks) > (stream.pointee.kind == .video ? Self.latestRepairOfVideo : Self.latestRepairOfSound)
  }

  /// Ticks of 90 kHz: a second and a half, longer than browsers wait before they ask for a keyframe.
  private static var latestRepairOfVideo: Int64 { 135_000 }
  /// Ticks of 48 kHz: half a second, more than any browser's buffer of sound.
  private static var latestRepairOfSound: Int64 { 24_000 }

  func cachedPacket(
    _ extended: Int64, of stream: UnsafeMutablePointer<Stream>
  ) -> (packet: CachedPacket, payload: UnsafeRawPointer)? {
    if let place = stream.pointee.ring.find(extended) {
      return (stream.pointee.ring.entries[place], UnsafeRawPointer(stream.pointee.ring.payload(at: place)))
    }
    guard let keyframes = stream.pointee.keyframes, let place = keyframes.find(extended) else { return nil }
    return (keyframes.packet(at: place), UnsafeRawPointer(keyframes.payload(at: place)))
  }
}
