import Primitives
import RTP
import SDP
import SRTP

/// Plays a clip in a loop into one session: due packets, retransmissions and sender reports.
///
/// Sans-IO: protected datagrams come out through a closure, time comes in.
package struct ClipPlayer {
  private let clip: Clip
  private var video: OutgoingStream?
  private var audio: OutgoingStream?
  /// Gives the time that is written into each payload; nil leaves payloads as they are.
  private let stampClock: (() -> MonotonicTime)?
  private var startedAt: MonotonicTime?
  private var isStopped = false
  /// The next payload, counted over all rounds.
  private var next = 0
  private var nextReportAt = MonotonicTime.zero
  private let scratch: UnsafeMutableRawPointer
  package private(set) var counters = ClipPlayerCounters()
  private let canonicalName: String

  private static let reportInterval = TimeInterval64.milliseconds(1_000)
  private static let scratchSize = 2_048
  /// Packets sent in one go: a player that was held up skips ahead rather than flood the network.
  private static let maximumBurst = 512

  /// Nil when the peer takes nothing of the clip.
  package init?(
    _ clip: Clip, session: NegotiatedSession, stampClock: (() -> MonotonicTime)? = nil, random: inout RandomSource
  ) {
    self.clip = clip
    self.stampClock = stampClock
    for slot in session.slots {
      switch slot.kind {
      case .video:
        guard video == nil, let codec = slot.codecs.first(where: { $0.codec == clip.codec }) else { continue }
        video = OutgoingStream(slot, codec: codec, random: &random)
      case .audio:
        guard audio == nil, let codec = slot.codecs.first(where: { $0.codec == .opus }) else { continue }
        audio = OutgoingStream(slot, codec: codec, random: &random)
      }
    }
    guard video != nil || audio != nil else { return nil }
    canonicalName = session.slots.first?.cname ?? "clip"
    scratch = .allocate(byteCount: Self.scratchSize, alignment: 64)
  }

  /// Gives back the scratch memory; the player must not be used afterwards.
  package func deallocate() {
    scratch.deallocate()
  }

  /// When the next packet or report is due.
  package var deadline: MonotonicTime {
    guard let startedAt else { return .zero }
    return isStopped ? nextReportAt : min(startedAt + position(of: next), nextReportAt)
  }

  /// Sends nothing new from now on.
  package mutating func stop() {
    isStopped = true
  }

  /// Sends every packet that is due, in the clear without `outbound`.
  package mutating func play(
    now: MonotonicTime, outbound: SRTPOutbound?, send: (UnsafeRawBufferPointer) -> Void
  ) {
    guard !isStopped else { return }
    let started = startedAt ?? now
    startedAt = started
    var burst = 0
    while started + position(of: next) <= now {
      burst += 1
      if burst <= Self.maximumBurst {
        transmit(place: next % clip.payloads.count, outbound, send)
      } else {
        counters.skipped += 1
      }
      next += 1
    }
  }

  /// Answers what the peer asks for; returns RTCP to send when a report is due.
  package mutating func handle(
    _ packets: [RTCPPacket], outbound: SRTPOutbound, send: (UnsafeRawBufferPointer) -> Void
  ) {
    for packet in packets {
      switch packet {
      case .genericNACK(let request):
        for number in request.lost { retransmit(number, of: request.mediaSSRC, outbound, send) }
      case .pictureLossIndication, .fullIntraRequest:
        // A recorded clip cannot make a keyframe; the next one comes with the recording.
        counters.keyframeRequests += 1
      case .senderReport, .receiverReport, .sourceDescription, .goodbye, .receiverEstimatedMaximumBitrate,
        .transportFeedback:
        continue
      }
    }
  }

  /// A compound of sender reports, once a second.
  package mutating func dueReport(now: MonotonicTime, wall: NTPTimestamp) -> [UInt8]? {
    guard let startedAt, now >= nextReportAt else { return nil }
    nextReportAt = now + Self.reportInterval
    var packets: [RTCPPacket] = []
    for stream in [video, audio].compactMap({ $0 }) where stream.packets > 0 {
      packets.append(
        .senderReport(
          SenderReport(
            ssrc: stream.ssrc, ntpTime: wall, rtpTimestamp: stream.timestamp(at: now - startedAt),
            packetCount: stream.packets, octetCount: stream.octets, reports: [])))
      packets.append(
        .sourceDescription(SourceDescription(chunks: [.init(ssrc: stream.ssrc, canonicalName: canonicalName)])))
    }
    return packets.isEmpty ? nil : RTCPCompound.serialize(packets)
  }

  private func position(of count: Int) -> TimeInterval64 {
    let (round, place) = count.quotientAndRemainder(dividingBy: clip.payloads.count)
    return clip.duration * Int64(round) + clip.payloads[place].time
  }

  private mutating func transmit(
    place: Int, _ outbound: SRTPOutbound?, _ send: (UnsafeRawBufferPointer) -> Void
  ) {
    let payload = clip.payloads[place]
    let time = position(of: next)
    let sent: OutgoingStream.Sent?
    if payload.isVideo {
      sent = video?.send(payload: place, length: payload.bytes.count, marker: payload.marker, at: time)
    } else {
      sent = audio?.send(payload: place, length: payload.bytes.count, marker: payload.marker, at: time)
    }
    guard let sent, let stream = payload.isVideo ? video : audio else { return }
    counters.sent += 1
    write(
      payload.bytes, sent, as: stream.payloadType, on: stream.ssrc, number: sent.extended,
      stamp: stampClock?(), outbound, send)
  }

  private mutating func retransmit(
    _ number: SequenceNumber, of ssrc: SSRC, _ outbound: SRTPOutbound, _ send: (UnsafeRawBufferPointer) -> Void
  ) {
    guard var stream = [video, audio].compactMap({ $0 }).first(where: { $0.ssrc == ssrc }),
      let sent = stream.find(number),
      let payloadType = stream.retransmissionPayloadType, let target = stream.retransmissionSSRC
    else { return }
    let extended = stream.takeRetransmissionNumber()
    if stream.ssrc == video?.ssrc { video = stream } else { audio = stream }
    counters.retransmitted += 1
    write(
      clip.payloads[sent.payload].bytes, sent, as: payloadType, on: target, number: extended, original: number,
      outbound,
      send)
  }

  private func write(
    _ payload: [UInt8], _ sent: OutgoingStream.Sent, as payloadType: PayloadType, on ssrc: SSRC, number: Int64,
    original: SequenceNumber? = nil, stamp: MonotonicTime? = nil, _ outbound: SRTPOutbound?,
    _ send: (UnsafeRawBufferPointer) -> Void
  ) {
    RTPHeader.write(
      to: scratch, marker: sent.marker, payloadType: payloadType,
      sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: number)), timestamp: sent.timestamp, ssrc: ssrc)
    let body = scratch + RTPHeader.fixedLength
    var offset = 0
    if let original {
      body.storeBytes(of: original.rawValue.bigEndian, as: UInt16.self)
      offset = RTX.overhead
    }
    payload.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      (body + offset).copyMemory(from: base, byteCount: bytes.count)
    }
    if let stamp { DelayStamp.write(stamp, into: UnsafeMutableRawBufferPointer(start: body, count: payload.count)) }
    let length =
      outbound?.protectRTP(
        packet: scratch, headerLength: RTPHeader.fixedLength, payload: body, payloadLength: offset + payload.count,
        rolloverCounter: UInt32(truncatingIfNeeded: number >> 16)) ?? RTPHeader.fixedLength + offset + payload.count
    if length > 0 { send(UnsafeRawBufferPointer(start: scratch, count: length)) }
  }
}

/// What a player counts.
package struct ClipPlayerCounters: Sendable {
  package var sent: UInt64 = 0
  package var skipped: UInt64 = 0
  package var retransmitted: UInt64 = 0
  package var keyframeRequests: UInt64 = 0
}
