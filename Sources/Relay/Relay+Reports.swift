import Primitives
import RTP

// RTCP to peers, on the relay's tick.

extension Relay {
  /// Does what time demands: NACKs, keyframe requests, reports, feedback, stalled sources.
  ///
  /// Call it every ``tickInterval``.
  package func tick(now: MonotonicTime, wall: NTPTimestamp) {
    if now >= nextBudget {
      nextBudget = now + Self.budgetInterval
      nodePacer.setLimit(egressBitsPerSecond, now: now)
      for index in 0..<slots.end {
        guard let slot = slots.find(index) else { continue }
        slot.pointee.retransmissionBudget = Slot.retransmissionsPerInterval
        slot.pointee.rate.update(now)
        // Whoever waits for a picture, for whatever reason, waits for one that was asked for.
        if case .awaitingKeyframe(let stream) = slot.pointee.phase, slot.pointee.outbound != nil {
          requestFreshPicture(of: stream, now: now)
        } else if let backlog = slot.pointee.backlog, backlog.kind == .longReplay {
          requestFreshPicture(of: backlog.stream, now: now)
        }
      }
      updateRedundancy(now)
      for index in 0..<streams.end { dropFormerSubscribers(of: StreamHandle(index)) }
    }
    isRepairing = false
    // Each time another peer comes first: where only one may probe, all have their turn.
    firstPeer = firstPeer + 1 < peers.end ? firstPeer + 1 : 0
    for step in 0..<peers.end {
      let index = firstPeer + step < peers.end ? firstPeer + step : firstPeer + step - peers.end
      prefetchLink(ofPeer: index + 3)
      guard let peer = peers.find(index) else { continue }
      updateLink(of: PeerHandle(index), peer, now: now)
      report(to: PeerHandle(index), now: now, wall: wall)
    }
    for index in 0..<sources.end {
      guard let source = sources.find(index) else { continue }
      if source.pointee.isMirror { passOnRequests(of: SourceHandle(index), source, now: now) }
      updateStatus(of: SourceHandle(index), now: now)
    }
    allocate(now: now)
  }

  /// Slots that have moved on need not be asked for every packet any more.
  private func dropFormerSubscribers(of handle: StreamHandle) {
    streams.find(Int(handle.index))?.pointee.subscribers.removeAll { slot in
      slots.find(Int(slot))?.pointee.phase.involves(handle) != true
    }
  }

  private func report(to peer: PeerHandle, now: MonotonicTime, wall: NTPTimestamp) {
    guard let entry = peers.find(Int(peer.index)) else { return }
    let isSender = !entry.pointee.sources.isEmpty
    guard isSender || now >= entry.pointee.nextReportAt else { return }
    var packets: [RTCPPacket] = []
    for handle in entry.pointee.sources { appendRequests(of: handle, from: entry.pointee.reportSSRC, now, &packets) }
    appendTransportFeedback(to: entry, now, &packets)
    if now >= entry.pointee.nextReportAt {
      appendReports(of: peer, now, wall, &packets)
      appendCallerLimit(to: entry, now, &packets)
      let interval = isSender || packets.isEmpty ? Self.reportInterval : Self.viewerReportInterval
      entry.pointee.nextReportAt = now + interval
    }
    send(packets, to: peer)
  }

  /// Time between regular reports to a peer that sends.
  private static var reportInterval: TimeInterval64 { .milliseconds(500) }
  /// Time between sender reports to a peer that only watches: the clocks that they compare drift slowly.
  private static var viewerReportInterval: TimeInterval64 { .milliseconds(1_000) }
  /// Bytes of one RTCP datagram, so that with protection it stays below any frame: no single packet is longer.
  private static var maximumDatagramLength: Int { 1_100 }

  private func appendTransportFeedback(
    to peer: UnsafeMutablePointer<RelayPeer>, _ now: MonotonicTime, _ packets: inout [RTCPPacket]
  ) {
    guard peer.pointee.feedback?.hasNews == true, now >= peer.pointee.nextFeedbackAt else { return }
    peer.pointee.nextFeedbackAt = now + Self.feedbackInterval
    let media = peer.pointee.bindings.first ?? SSRC(0)
    let feedback = peer.pointee.feedback?.takeFeedback(senderSSRC: peer.pointee.reportSSRC, mediaSSRC: media)
    packets += (feedback ?? []).map(RTCPPacket.transportFeedback)
  }

  /// Time between transport-wide feedback packets: what libwebrtc's estimator expects at least.
  private static var feedbackInterval: TimeInterval64 { .milliseconds(50) }

  private func send(_ packets: [RTCPPacket], to peer: PeerHandle) {
    var datagram: [UInt8] = []
    for packet in packets {
      let bytes = RTCPCompound.serialize([packet])
      if !datagram.isEmpty, datagram.count + bytes.count > Self.maximumDatagramLength {
        emit(.rtcp(datagram, to: peer))
        datagram.removeAll(keepingCapacity: true)
      }
      datagram += bytes
    }
    if !datagram.isEmpty { emit(.rtcp(datagram, to: peer)) }
  }

  /// What is asked of a source's sender now: lost packets and keyframes.
  private func appendRequests(
    of handle: SourceHandle, from ssrc: SSRC, _ now: MonotonicTime, _ packets: inout [RTCPPacket]
  ) {
    guard let source = sources.find(Int(handle.index)) else { return }
    for named in source.pointee.streams {
      let stream = streams[unchecked: named.handle.index]
      if source.pointee.acceptsNACK {
        let lost = takeMissing(of: named.handle, in: source, now)
        if !lost.isEmpty {
          counters.nacksSent &+= UInt64(lost.count)
          packets.append(.genericNACK(GenericNACK(senderSSRC: ssrc, mediaSSRC: stream.pointee.ssrc, lost: lost)))
        }
      }
      if stream.pointee.keyframeRequest != .none { isRepairing = true }
      if dueKeyframeRequest(of: stream, in: source, now: now) {
        counters.keyframesRequested &+= 1
        packets.append(
          .pictureLossIndication(PictureLossIndication(senderSSRC: ssrc, mediaSSRC: stream.pointee.ssrc)))
      }
    }
  }

  /// The packets of a stream to be asked for now; when one is given up, a keyframe is wanted.
  func takeMissing(
    of handle: StreamHandle, in source: UnsafeMutablePointer<Source>, _ now: MonotonicTime
  ) -> [SequenceNumber] {
    let stream = streams[unchecked: handle.index]
    guard let deadline = stream.pointee.missing.deadline else { return [] }
    isRepairing = true
    guard deadline <= now else { return [] }
    let round = stream.pointee.missing.takeRound(now: now, roundTripTime: nil)
    if round.needsKeyframe, stream.pointee.kind == .video {
      stream.pointee.isBroken = true
      if stream.pointee.keyframeRequest == .none, isUsed(handle, in: source) {
        stream.pointee.keyframeRequest = .wanted(since: now, askedAt: nil)
      }
    }
    return round.lost
  }

  /// Whether anybody sees a stream, or it is the one that is recorded: of a size that nobody sees no keyframe is missed.
  ///
  /// The recorder keeps the best of several sizes, as what is preferred is; where the two differ for a while, it asks for
  /// its keyframes itself.
  private func isUsed(_ handle: StreamHandle, in source: UnsafeMutablePointer<Source>) -> Bool {
    let stream = streams[unchecked: handle.index]
    if stream.pointee.subscribers.count > 0 || source.pointee.streams.count == 1 { return true }
    if !stream.pointee.mirrors.isEmpty { return true }
    return stream.pointee.recording != 0 && source.pointee.preferred == handle
  }

  /// Receiver reports about the peer's sources, sender reports about its slots.
  private func appendReports(
    of peer: PeerHandle, _ now: MonotonicTime, _ wall: NTPTimestamp, _ packets: inout [RTCPPacket]
  ) {
    guard let entry = peers.find(Int(peer.index)) else { return }
    var blocks: [ReportBlock] = []
    for handle in entry.pointee.sources {
      guard let source = sources.find(Int(handle.index)) else { continue }
      for named in source.pointee.streams {
        let stream = streams[unchecked: named.handle.index]
        if let block = stream.pointee.statistics.makeReportBlock(ssrc: stream.pointee.ssrc, now: now) {
          blocks.append(block)
        }
      }
    }
    if !blocks.isEmpty {
      packets.append(
        .receiverReport(
          ReceiverReport(
            ssrc: entry.pointee.reportSSRC, reports: Array(blocks.prefix(ReportBlock.maximumPerReport)))))
    }
    for handle in entry.pointee.slots {
      guard let report = senderReport(of: handle, wall: wall) else { continue }
      packets.append(.senderReport(report))
      packets.append(
        .sourceDescription(
          SourceDescription(chunks: [.init(ssrc: report.ssrc, canonicalName: entry.pointee.canonicalName)])))
    }
  }

  /// A sender report in the slot's own clock, so that a viewer plays audio and video together (RFC 3550 §6.4.1).
  private func senderReport(of handle: SlotHandle, wall: NTPTimestamp) -> SenderReport? {
    let slot = slots[unchecked: handle.index]
    guard slot.pointee.sent.packets > 0, let mapping = slot.pointee.mapping,
      let clock = streams.find(Int(mapping.stream.index))?.pointee.senderClock
    else { return nil }
    // The sender's own pair moved to now: both halves by the same time.
    let elapsed = Int64(bitPattern: wall.bits &- clock.wall.bits)
    let ticks = ((elapsed >> 16) &* Int64(slot.pointee.clockRate)) >> 16
    return SenderReport(
      ssrc: slot.pointee.ssrc, ntpTime: wall,
      rtpTimestamp: clock.rtpTimestamp &+ mapping.timestampOffset &+ UInt32(truncatingIfNeeded: ticks),
      packetCount: slot.pointee.sent.packets, octetCount: slot.pointee.sent.octets, reports: [])
  }
}

// The state of sources.

extension Relay {
  private func updateStatus(of handle: SourceHandle, now: MonotonicTime) {
    guard let source = sources.find(Int(handle.index)) else { return }
    var isLive = false
    var rate = 0
    for named in source.pointee.streams {
      let stream = streams[unchecked: named.handle.index]
      stream.pointee.rate.update(now)
      stream.pointee.layers.update(now)
      guard now - stream.pointee.lastPacketAt < Self.stallLimit else { continue }
      isLive = true
      rate += stream.pointee.rate.bitsPerSecond
    }
    let format = source.pointee.preferred.flatMap { formats[streams[unchecked: $0.index].pointee.format] }
    let activity: SourceStatus.Activity =
      source.pointee.streams.isEmpty ? .waiting : isLive ? .live : .stalled
    let isSpeaking = isLive && updateSpeaker(of: source, now: now)
    let status = SourceStatus(activity: activity, format: format, bitsPerSecond: rate, isSpeaking: isSpeaking)
    let old = source.pointee.status
    source.pointee.status = status
    let isChanged = old.activity != activity || old.format != format || old.isSpeaking != isSpeaking
    // Of a mirrored source the thread tells that receives it.
    if isChanged, !source.pointee.isMirror {
      emit(.sourceChanged(handle, status))
    }
    if source.pointee.streams.count > 1 { preferBest(of: handle, source, now: now) }
  }

  /// Prefers the live stream with the highest bitrate, with a margin so that it does not flap: the best of several
  /// encodings, or the one that is left when a sender has changed its SSRC.
  private func preferBest(of handle: SourceHandle, _ source: UnsafeMutablePointer<Source>, now: MonotonicTime) {
    let live = source.pointee.streams.map(\.handle).filter {
      now - streams[unchecked: $0.index].pointee.lastPacketAt < Self.stallLimit
    }
    func rate(_ stream: StreamHandle) -> Int { streams[unchecked: stream.index].pointee.rate.bitsPerSecond }
    guard let best = live.max(by: { rate($0) < rate($1) }), best != source.pointee.preferred else { return }
    if let current = source.pointee.preferred, live.contains(current), rate(best) < rate(current) * 3 / 2 { return }
    prefer(best, of: handle, now: now)
  }

  /// Where a source stands now.
  package func status(of source: SourceHandle) -> SourceStatus? {
    guard let entry = sources.find(Int(source.index)) else { return nil }
    var status = entry.pointee.status
    status.bitsPerSecond = entry.pointee.streams.reduce(0) {
      $0 + streams[unchecked: $1.handle.index].pointee.rate.bitsPerSecond
    }
    return status
  }
}
