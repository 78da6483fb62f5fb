import CongestionControl
import Primitives
import RTP

// What viewers' feedback tells of their links.

extension Relay {
  func receive(_ feedback: TransportFeedback, from peer: PeerHandle, now: MonotonicTime) {
    guard let link = peers.find(Int(peer.index))?.pointee.link else { return }
    let isOutdated = link.pointee.isOutdated(now)
    let absurd = link.pointee.estimator.absurdFeedback
    link.pointee.estimator.receive(feedback, now: now)
    let news = link.pointee.estimator.absurdFeedback &- absurd
    counters.absurdFeedback &+= news
    guard news == 0 else { return }
    if isOutdated { link.pointee.restart(now) }
    link.pointee.noteFeedback(now)
    // What a full queue drops is no reason to send more of anything.
    guard !link.pointee.estimator.isCongested else {
      peers.find(Int(peer.index))?.pointee.loss.noteFeedback(received: 0, missing: 0, now: now)
      return
    }
    noteLoss(feedback, of: peer, now: now)
  }

  func receive(_ estimate: ReceiverEstimatedMaximumBitrate, from peer: PeerHandle, now: MonotonicTime) {
    guard let link = peers.find(Int(peer.index))?.pointee.link else { return }
    let absurd = link.pointee.estimator.absurdFeedback
    link.pointee.estimator.receive(maximum: estimate.bitrate, now: now)
    counters.absurdFeedback &+= link.pointee.estimator.absurdFeedback &- absurd
  }

  func receive(_ reports: [ReportBlock], from peer: PeerHandle, now: MonotonicTime, wall: NTPTimestamp) {
    guard let entry = peers.find(Int(peer.index)), let link = entry.pointee.link else { return }
    for report in reports {
      let isOwn = entry.pointee.slots.contains { slots[unchecked: $0.index].pointee.ssrc == report.ssrc }
      guard isOwn else { continue }
      entry.pointee.loss.noteReport(report.fractionLost, now: now)
      link.pointee.estimator.receive(
        loss: report.fractionLost, roundTripTime: report.roundTripTime(now: wall), now: now)
    }
  }

  /// A viewer's packets take another path now: what was measured on the old one says nothing about it.
  ///
  /// Pictures that went into a path that is lost are shown anew, from the caches, at once.
  package func pathChanged(of peer: PeerHandle, now: MonotonicTime) {
    guard let entry = peers.find(Int(peer.index)), let link = entry.pointee.link else { return }
    let isLost = link.pointee.isLost(now)
    link.pointee.restart(now)
    guard isLost else { return }
    replays.removeAll { entry.pointee.slots.contains($0.slot) }
    for handle in entry.pointee.slots { slots[unchecked: handle.index].pointee.startAnew(now) }
    showFirstPictures(to: entry, now: now)
  }

  /// Brings a viewer's estimate up to date, paces by it, and starts a probe when it is time.
  func updateLink(of handle: PeerHandle, _ peer: UnsafeMutablePointer<RelayPeer>, now: MonotonicTime) {
    // While no feedback has come there is nothing to bring up to date.
    guard let link = peer.pointee.link else { return }
    guard link.pointee.informedSince != nil else {
      if link.pointee.pacer.isActive, link.pointee.isTacit(now) { link.pointee.pacer.deactivate() }
      return
    }
    link.pointee.estimator.tick(now: now)
    guard link.pointee.bitsPerSecond(now) != nil else {
      link.pointee.pacer.deactivate()
      return
    }
    link.pointee.pacer.setRate(pacingRate(of: peer, link), now: now)
    startProbe(of: handle, peer, now: now)
  }

  /// How fast a viewer's video may leave.
  ///
  /// Where the link is what limits the picture, no faster than the link takes it: a keyframe then waits here instead of in
  /// the bottleneck's queue, where it would hold up sound and look like congestion. Never slower than the layers that
  /// were given, or what waits would only grow.
  private func pacingRate(of peer: UnsafeMutablePointer<RelayPeer>, _ link: SendingLinkPointer) -> Int {
    let given = link.pointee.pictureBitsPerSecond * 21 / 20
    guard link.pointee.estimator.hasMetLimit else {
      return max(link.pointee.estimator.pacingRate, link.pointee.estimator.isUntried ? given : given * 2)
    }
    let isLimited = peer.pointee.slots.contains { slots[unchecked: $0.index].pointee.view.reason == .link }
    guard isLimited else { return max(link.pointee.estimator.pacingRate, given) }
    let rate = link.pointee.estimator.target - link.pointee.audioBitsPerSecond
    return max(rate * Self.share(queue: link.pointee.estimator.queueDelay) / 100, given)
  }
}

extension Relay {
  /// What a picture may use of what the link has for it, in hundredths: a little more while nothing waits in the link's
  /// queue, so that none of it is wasted, and less while much does, so that the queue goes away.
  private static func share(queue: TimeInterval64) -> Int {
    if queue < shortQueue { return 105 }
    return queue > longQueue ? 85 : 100
  }

  private static var shortQueue: TimeInterval64 { .milliseconds(40) }
  private static var longQueue: TimeInterval64 { .milliseconds(100) }
}
