import Primitives
import RTP

// A caller who sends one encoding only can be asked for one that its viewers' links bear (REMB,
// draft-alvestrand-rmcat-remb-03): better a smaller picture for all than none for any.

extension Relay {
  /// What a caller should send at most, so that the best of its viewers gets it; nil for as much as it can.
  ///
  /// Only for senders of one encoding without layers, and only when every viewer's link is known: one viewer with a good
  /// link is reason enough for a good picture. A crowd that takes several media threads is taken to have one.
  func callerLimit(of source: UnsafeMutablePointer<Source>, now: MonotonicTime) -> UInt64? {
    guard source.pointee.kind == .video, !source.pointee.slots.isEmpty, source.pointee.mirrors.isEmpty,
      let sent = source.pointee.preferred.map({ streams[unchecked: $0.index].pointee.rate.bitsPerSecond }), sent > 0,
      ladder(of: source, now: now).count == 1
    else { return nil }
    var best = 0
    for handle in source.pointee.slots {
      let link = slots[unchecked: handle.index].pointee.link
      guard let since = link.pointee.informedSince, now - since > Self.callerPatience,
        link.pointee.estimator.hasMetLimit, let known = link.pointee.bitsPerSecond(now)
      else { return nil }
      best = max(best, known - link.pointee.audioBitsPerSecond)
    }
    // A link that bears half as much again does not need the caller to be held back.
    guard best < sent * 3 / 2 else { return nil }
    return UInt64(max(best * Self.callerShare / 100, Self.leastCallerRate))
  }

  /// How long a viewer's link is measured before a caller is asked for less.
  private static var callerPatience: TimeInterval64 { .milliseconds(2_000) }
  /// Hundredths of a link that a caller's picture may take: headers, repairs and wavering take the rest.
  private static var callerShare: Int { 80 }
  /// Bits per second: below it no picture is worth looking at.
  private static var leastCallerRate: Int { 80_000 }
  /// What lifts a limit, bits per second.
  private static var unlimited: UInt64 { 100_000_000 }

  /// Tells a peer what to send at most, as long as one of its pictures should be limited, and once that it is over.
  func appendCallerLimit(
    to peer: UnsafeMutablePointer<RelayPeer>, _ now: MonotonicTime, _ packets: inout [RTCPPacket]
  ) {
    var limit: UInt64?
    for handle in peer.pointee.sources {
      guard let source = sources.find(Int(handle.index)), let own = callerLimit(of: source, now: now) else { continue }
      limit = min(limit ?? own, own)
    }
    guard limit != nil || peer.pointee.isLimited else { return }
    peer.pointee.isLimited = limit != nil
    packets.append(
      .receiverEstimatedMaximumBitrate(
        ReceiverEstimatedMaximumBitrate(
          senderSSRC: peer.pointee.reportSSRC, bitrate: limit ?? Self.unlimited,
          sources: peer.pointee.bindings.first.map { [$0] } ?? [])))
  }
}
