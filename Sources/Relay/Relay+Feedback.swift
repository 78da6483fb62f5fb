import Primitives
import RTP

// RTCP from peers: sender reports of sources, and what viewers ask for.

extension Relay {
  /// Takes one decrypted RTCP datagram from a peer.
  ///
  /// `wall` is the server's wall clock at `now`.
  package func receiveRTCP(
    _ datagram: UnsafeRawBufferPointer, from peer: PeerHandle, now: MonotonicTime, wall: NTPTimestamp
  ) {
    let packets: [RTCPPacket]
    do {
      packets = try RTCPCompound.parse(datagram)
    } catch {
      counters.malformedRTCP &+= 1
      return
    }
    for packet in packets {
      switch packet {
      case .senderReport(let report): receive(report, from: peer, now: now, wall: wall)
      case .genericNACK(let request): receive(request, from: peer, now: now)
      case .pictureLossIndication(let request): receiveKeyframeRequest(for: request.mediaSSRC, from: peer, now: now)
      case .fullIntraRequest(let request):
        for entry in request.entries { receiveKeyframeRequest(for: entry.ssrc, from: peer, now: now) }
      case .goodbye(let goodbye): receive(goodbye, from: peer, now: now)
      case .transportFeedback(let feedback): receive(feedback, from: peer, now: now)
      case .receiverEstimatedMaximumBitrate(let estimate): receive(estimate, from: peer, now: now)
      case .receiverReport(let report): receive(report.reports, from: peer, now: now, wall: wall)
      case .sourceDescription: continue
      }
    }
  }

  private func receive(_ report: SenderReport, from peer: PeerHandle, now: MonotonicTime, wall: NTPTimestamp) {
    receive(report.reports, from: peer, now: now, wall: wall)
    guard let entry = peers.find(Int(peer.index)), let binding = entry.pointee.bindings.find(report.ssrc),
      binding.role == .media, let stream = streams.find(Int(binding.stream.index))
    else { return }
    stream.pointee.statistics.noteSenderReport(ntpTime: report.ntpTime, arrival: now)
    recordReport(report, of: stream, now: now)
    let offset = entry.pointee.clockOffset ?? (wall.bits &- report.ntpTime.bits)
    entry.pointee.clockOffset = offset
    stream.pointee.senderClock = SenderClock(
      wall: NTPTimestamp(bits: report.ntpTime.bits &+ offset), rtpTimestamp: report.rtpTimestamp)
    mirrorClock(of: stream)
  }

  private func receive(_ request: GenericNACK, from peer: PeerHandle, now: MonotonicTime) {
    counters.nacksReceived &+= UInt64(request.lost.count)
    // Lost retransmissions are asked for by their original's number; those of their own stream mean nothing here.
    guard let handle = slot(sending: request.mediaSSRC, to: peer) else { return }
    let slot = slots[unchecked: handle.index]
    guard slot.pointee.ssrc == request.mediaSSRC else { return }
    let link = slot.pointee.link
    let bitsPerSecond = link.pointee.bitsPerSecond(now)
    // Where loss is by chance a second repair is worth its while; where the queue is full it only adds to it.
    let isFull = bitsPerSecond != nil && link.pointee.estimator.isCongested
    let pause = isFull ? link.pointee.estimator.roundTripTime ?? .zero : .zero
    for number in request.lost {
      let isBorne = bitsPerSecond.map { link.pointee.repairs.bears($0, isFull: isFull, now: now) } ?? true
      guard isBorne, slot.pointee.retransmissionBudget > 0, retransmissions.count < Self.maximumRetransmissions else {
        counters.retransmissionsOverBudget &+= 1
        continue
      }
      guard let wanted = locate(number, of: handle, slot) else {
        counters.retransmissionsMissed &+= 1
        continue
      }
      let isDue = slot.pointee.kind == .audio || slot.pointee.repairs.note(wanted.original, after: pause, now: now)
      guard isDue else { continue }
      slot.pointee.retransmissionBudget -= 1
      link.pointee.repairs.spend(repairLength(wanted))
      retransmissions.append(wanted)
    }
  }

  private func repairLength(_ wanted: Retransmission) -> Int {
    streams.find(Int(wanted.stream.index)).flatMap { cachedPacket(wanted.extended, of: $0) }
      .map { Int($0.packet.length) + Slot.maximumOverhead } ?? 0
  }

  /// Which packet of which stream was sent as `number` of the slot.
  private func locate(
    _ number: SequenceNumber, of handle: SlotHandle, _ slot: UnsafeMutablePointer<Slot>
  ) -> Retransmission? {
    let newest = slot.pointee.nextExtended - 1
    let distance = number.distance(from: SequenceNumber(UInt16(truncatingIfNeeded: newest)))
    guard distance <= 0 else { return nil }
    let original = newest + Int64(distance)
    guard let origin = slot.pointee.origin(of: original) else { return nil }
    return Retransmission(
      slot: handle, stream: origin.mapping.stream, original: original, extended: origin.extended,
      timestampOffset: origin.mapping.timestampOffset, shift: origin.shift)
  }

  private func receiveKeyframeRequest(for ssrc: SSRC, from peer: PeerHandle, now: MonotonicTime) {
    guard let handle = slot(sending: ssrc, to: peer) else { return }
    counters.keyframeRequestsReceived &+= 1
    let slot = slots[unchecked: handle.index]
    guard let stream = slot.pointee.phase.target else { return }
    guard slot.pointee.askedAt.map({ now - $0 >= Self.minimumRequestInterval }) ?? true else {
      counters.keyframeRequestsIgnored &+= 1
      return
    }
    slot.pointee.askedAt = now
    // What it sees until then is what it misses something of.
    if case .switching(let shown, _) = slot.pointee.phase { requestKeyframe(of: shown, now: now) }
    // A viewer that missed its very first packets gets the cached picture again.
    if case .forwarding = slot.pointee.phase, slot.pointee.lastReplayAt != .zero,
      now - slot.pointee.lastReplayAt < Self.firstPicture
    {
      slot.pointee.phase = .awaitingKeyframe(of: stream)
    }
    if !scheduleReplay(handle) { requestKeyframe(of: stream, now: now) }
  }

  /// Least time between two requests of one viewer that count: the relay repeats what it asks a caller for by itself.
  private static var minimumRequestInterval: TimeInterval64 { .milliseconds(1_000) }
  /// For how long after a cached picture was sent a request means that it did not arrive.
  private static var firstPicture: TimeInterval64 { .milliseconds(1_500) }

  private func receive(_ goodbye: Goodbye, from peer: PeerHandle, now: MonotonicTime) {
    guard let entry = peers.find(Int(peer.index)) else { return }
    for ssrc in goodbye.sources {
      guard let binding = entry.pointee.bindings.find(ssrc), binding.role == .media,
        let stream = streams.find(Int(binding.stream.index))
      else { continue }
      // Old enough to count as stalled at the next tick; the stream lives on should packets come again.
      stream.pointee.lastPacketAt = MonotonicTime(nanoseconds: 0)
    }
  }

  private func slot(sending ssrc: SSRC, to peer: PeerHandle) -> SlotHandle? {
    peers.find(Int(peer.index))?.pointee.slots.first {
      let slot = slots[unchecked: $0.index]
      return slot.pointee.ssrc == ssrc || slot.pointee.retransmissionSSRC == ssrc
    }
  }
}

// Keyframes from senders.

extension Relay {
  /// Asks for a keyframe of every stream of a source.
  func requestKeyframes(of handle: SourceHandle, now: MonotonicTime) {
    guard let source = sources.find(Int(handle.index)) else { return }
    for stream in source.pointee.streams { requestKeyframe(of: stream.handle, now: now) }
  }

  /// Wants a keyframe of a stream; requests are coalesced, and ``tick(now:wall:)`` sends and repeats them.
  func requestKeyframe(of handle: StreamHandle, now: MonotonicTime) {
    guard let stream = streams.find(Int(handle.index)), stream.pointee.kind == .video else { return }
    if stream.pointee.keyframeRequest == .none {
      stream.pointee.keyframeRequest = .wanted(since: now, askedAt: nil)
      isRepairing = true
    }
  }

  /// Wants a keyframe for somebody who sees an older picture meanwhile: one a second is enough for any crowd.
  func requestFreshPicture(of handle: StreamHandle, now: MonotonicTime) {
    if let last = streams.find(Int(handle.index))?.pointee.lastKeyframeAt, now - last < Self.freshPictureInterval {
      return
    }
    requestKeyframe(of: handle, now: now)
  }

  private static var freshPictureInterval: TimeInterval64 { .milliseconds(1_000) }

  /// The request to send now, if it is time: at once, then again while no keyframe comes.
  func dueKeyframeRequest(
    of stream: UnsafeMutablePointer<Stream>, in source: UnsafeMutablePointer<Source>, now: MonotonicTime
  ) -> Bool {
    guard case .wanted(let since, let askedAt) = stream.pointee.keyframeRequest else { return false }
    guard !isPaused(stream, in: source, now: now) else {
      // It goes on with a keyframe, if it does. Most senders answer with one of every size: the others would pay for it.
      stream.pointee.keyframeRequest = .none
      return false
    }
    if let askedAt {
      guard now - askedAt >= retryInterval(of: stream) else { return false }
    } else if let last = stream.pointee.lastKeyframeAt, now - last < Self.minimumKeyframeInterval {
      return false
    } else if let last = source.pointee.keyframeAskedAt, now - last < Self.answerOfAllSizes {
      return false
    }
    stream.pointee.keyframeRequest = .wanted(since: askedAt == nil ? now : since, askedAt: now)
    source.pointee.keyframeAskedAt = now
    return true
  }

  /// Whether a sender of several sizes does not send this one now, as over a line that does not bear it.
  private func isPaused(
    _ stream: UnsafeMutablePointer<Stream>, in source: UnsafeMutablePointer<Source>, now: MonotonicTime
  ) -> Bool {
    guard source.pointee.streams.count > 1, now - stream.pointee.lastPacketAt >= Self.layerLifetime else {
      return false
    }
    return source.pointee.streams.contains {
      now - streams[unchecked: $0.handle.index].pointee.lastPacketAt < Self.layerLifetime
    }
  }

  /// How long a request for a keyframe of one size may be answered by one of another, too.
  private static var answerOfAllSizes: TimeInterval64 { .milliseconds(250) }
  /// Least time between a keyframe and the request for another: viewers that join together share one.
  private static var minimumKeyframeInterval: TimeInterval64 { .milliseconds(300) }
  /// How long an unanswered request waits before it is repeated: longer where answers are known to take long, for each
  /// repetition is answered too, by a keyframe that nobody needs.
  private func retryInterval(of stream: UnsafeMutablePointer<Stream>) -> TimeInterval64 {
    guard let answer = stream.pointee.answerTime else { return Self.keyframeRetryInterval }
    let patience = TimeInterval64(nanoseconds: answer.nanoseconds / 4 &* 5)
    return min(max(Self.keyframeRetryInterval, patience), Self.longestRetryInterval)
  }

  private static var keyframeRetryInterval: TimeInterval64 { .milliseconds(400) }
  private static var longestRetryInterval: TimeInterval64 { .milliseconds(1_500) }
}
