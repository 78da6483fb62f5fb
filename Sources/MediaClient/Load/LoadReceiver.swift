import Primitives
import RTP
import SDP

/// A viewer of the load generator: counts, measures and answers as a browser would, and decodes nothing.
package final class LoadReceiver: ClientReceiver {
  /// How a viewer behaves.
  package struct Behaviour: Sendable {
    /// Only every so many packets are decrypted, the others are counted by their headers, which are in the clear.
    package var decryptsEvery: Int
    /// Whether missing packets are asked for.
    package var sendsNACK: Bool
    /// Whether viewers tell when each packet came, as browsers do.
    package var sendsTransportFeedback: Bool

    package init(decryptsEvery: Int = 1, sendsNACK: Bool = true, sendsTransportFeedback: Bool = false) {
      self.decryptsEvery = max(1, decryptsEvery)
      self.sendsNACK = sendsNACK
      self.sendsTransportFeedback = sendsTransportFeedback
    }
  }

  private let behaviour: Behaviour
  /// Holds its receivers, and outlives them.
  private unowned let recorder: LoadRecorder
  private let formats: [PayloadType: IncomingFormat]
  /// The media stream of each retransmission stream that the server announced.
  private let announcedRepairs: [SSRC: SSRC]
  private let reporter: SSRC
  private(set) var streams: [IncomingStream] = []
  private var lastFound = 0
  private var packetsUntilDecryption = 0
  private var nextReportAt: MonotonicTime?
  private var nextKeyframeRequestAt: MonotonicTime?
  private var arrivals: ArrivalReporter?
  private let times: LoadReceiverTimes
  package private(set) var firstPacketAt: MonotonicTime?
  private var firstKeyframeAt: MonotonicTime?
  private var isLive = false

  /// Streams of one viewer; packets of further ones are ignored and counted.
  private static let maximumStreams = 16
  private static let reportInterval = TimeInterval64.milliseconds(1_000)
  /// How long a keyframe is waited for before it is asked for, again and again.
  private static let keyframePatience = TimeInterval64.milliseconds(250)
  private static let keyframeRequestInterval = TimeInterval64.milliseconds(1_000)

  package init(
    _ session: NegotiatedSession, behaviour: Behaviour, recorder: LoadRecorder, times: LoadReceiverTimes,
    random: inout RandomSource
  ) {
    self.behaviour = behaviour
    self.times = times
    self.recorder = recorder
    formats = [PayloadType: IncomingFormat](session)
    let encodings = session.sources.flatMap(\.announced.encodings)
    announcedRepairs = encodings.reduce(into: [:]) { map, encoding in
      if let repair = encoding.retransmission { map[repair] = encoding.ssrc }
    }
    reporter = SSRC(UInt32(truncatingIfNeeded: random.next()))
    arrivals = behaviour.sendsTransportFeedback ? ArrivalReporter(session, reporter: reporter) : nil
  }

  // MARK: Packets

  package func isSatisfied(byProtected packet: UnsafeRawBufferPointer, now: MonotonicTime) -> Bool {
    guard behaviour.decryptsEvery > 1 else { return false }
    guard packetsUntilDecryption > 0 else {
      packetsUntilDecryption = behaviour.decryptsEvery - 1
      return false
    }
    guard let header = try? RTPHeader(parsingProtected: packet), let place = place(of: header.ssrc) else {
      return false
    }
    packetsUntilDecryption -= 1
    arrivals?.note(header, in: packet, now: now)
    count(header, at: place, wireLength: packet.count, now: now)
    return true
  }

  package func receiveRTP(_ packet: UnsafeRawBufferPointer, wireLength: Int, now: MonotonicTime) {
    guard let header = try? RTPHeader(parsing: packet), let format = formats[header.payloadType] else {
      recorder.counters.unknown += 1
      return
    }
    arrivals?.note(header, in: packet, now: now)
    if let original = format.retransmits {
      receiveRetransmission(header, of: original, header.payload(in: packet), now: now)
      return
    }
    guard let place = place(of: header.ssrc) ?? learn(header, format) else {
      recorder.counters.unknown += 1
      return
    }
    let began = firstPacketAt ?? begin(now: now)
    count(header, at: place, wireLength: wireLength, now: now)
    let payload = header.payload(in: packet)
    if let sent = DelayStamp.read(payload) {
      recorder.noteDelay(from: sent, to: now, since: began)
      if !isLive, format.video != nil, sent >= began {
        isLive = true
        times.noteLive(now)
      }
    } else {
      recorder.counters.unstamped += 1
    }
    if firstKeyframeAt == nil, let codec = format.video, codec.isKeyframeStart(payload) {
      firstKeyframeAt = now
      nextKeyframeRequestAt = nil
      times.noteKeyframe(now)
    }
  }

  @inline(__always)
  private func count(_ header: RTPHeader, at place: Int, wireLength: Int, now: MonotonicTime) {
    recorder.counters.packets += 1
    recorder.counters.bytes += UInt64(wireLength)
    recorder.count(streams[place].note(header.sequenceNumber, timestamp: header.timestamp, now: now))
  }

  private func receiveRetransmission(
    _ header: RTPHeader, of payloadType: PayloadType, _ payload: UnsafeRawBufferPointer, now: MonotonicTime
  ) {
    recorder.counters.retransmissions += 1
    let announced = announcedRepairs[header.ssrc].flatMap(place(of:))
    // Without a number in it the packet is a probe for bandwidth.
    guard payload.count >= RTX.overhead,
      let place = announced ?? streams.firstIndex(where: { $0.payloadType == payloadType })
    else { return }
    let number = SequenceNumber(UInt16(payload[0]) << 8 | UInt16(payload[1]))
    switch streams[place].noteRepair(number, now: now) {
    case .first, .newest, .late: recorder.counters.repaired += 1
    case .duplicate, .outside, .restart: recorder.counters.duplicates += 1
    }
  }

  @inline(__always)
  private func place(of ssrc: SSRC) -> Int? {
    if lastFound < streams.count, streams[lastFound].ssrc == ssrc { return lastFound }
    guard let found = streams.firstIndex(where: { $0.ssrc == ssrc }) else { return nil }
    lastFound = found
    return found
  }

  private func learn(_ header: RTPHeader, _ format: IncomingFormat) -> Int? {
    guard streams.count < Self.maximumStreams else { return nil }
    streams.append(
      IncomingStream(
        ssrc: header.ssrc, payloadType: header.payloadType, format: format, asksAgain: behaviour.sendsNACK))
    return streams.count - 1
  }

  private func begin(now: MonotonicTime) -> MonotonicTime {
    firstPacketAt = now
    times.notePacket(now)
    nextReportAt = now + Self.reportInterval
    nextKeyframeRequestAt = now + Self.keyframePatience
    return now
  }

  package func receiveRTCP(_ packets: [RTCPPacket], now: MonotonicTime) {
    for case .senderReport(let report) in packets {
      if let place = place(of: report.ssrc) { streams[place].note(report, now: now) }
    }
  }

  package func countRejected() {
    recorder.counters.rejected += 1
  }

  // MARK: Feedback

  package var deadline: MonotonicTime {
    var earliest = nextReportAt ?? MonotonicTime(nanoseconds: .max)
    if let due = nextKeyframeRequestAt { earliest = min(earliest, due) }
    if let due = arrivals?.deadline { earliest = min(earliest, due) }
    for stream in streams {
      if let due = stream.deadline { earliest = min(earliest, due) }
    }
    return earliest
  }

  package func dueReport(now: MonotonicTime) -> [UInt8]? {
    guard deadline <= now else { return nil }
    var packets: [RTCPPacket] = []
    if let due = nextReportAt, due <= now {
      nextReportAt = now + Self.reportInterval
      let blocks = streams.indices.compactMap { streams[$0].makeReportBlock(now: now) }
      packets.append(.receiverReport(ReceiverReport(ssrc: reporter, reports: blocks)))
    }
    for place in streams.indices {
      let round = streams[place].takeRound(now: now)
      if !round.lost.isEmpty {
        recorder.counters.requests += UInt64(round.lost.count)
        packets.append(
          .genericNACK(GenericNACK(senderSSRC: reporter, mediaSSRC: streams[place].ssrc, lost: round.lost)))
      }
      if round.needsKeyframe { nextKeyframeRequestAt = min(nextKeyframeRequestAt ?? now, now) }
    }
    packets += keyframeRequests(now: now)
    packets += arrivals?.dueFeedback(now: now).map(RTCPPacket.transportFeedback) ?? []
    return packets.isEmpty ? nil : RTCPCompound.serialize(packets)
  }

  private func keyframeRequests(now: MonotonicTime) -> [RTCPPacket] {
    guard let due = nextKeyframeRequestAt, due <= now else { return [] }
    nextKeyframeRequestAt = firstKeyframeAt == nil ? now + Self.keyframeRequestInterval : nil
    recorder.counters.keyframeRequests += 1
    return streams.filter { $0.format.video != nil }.map {
      .pictureLossIndication(PictureLossIndication(senderSSRC: reporter, mediaSSRC: $0.ssrc))
    }
  }
}
