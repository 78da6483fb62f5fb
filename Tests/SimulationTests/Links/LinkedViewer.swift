import Primitives
import RTP
import Relay
import SimulationSupport

/// A browser that watches and listens, and tells all that browsers tell of their link: transport-wide feedback, receiver
/// reports, NACKs and keyframe requests.
final class LinkedViewer {
  /// What the relay said of the viewer's picture at some time.
  struct Sample {
    let time: MonotonicTime
    let status: SlotStatus?
  }

  /// Where everything goes that the relay must know of it.
  struct Place {
    let peer: PeerHandle
    let slot: SlotHandle
    let address: TransportAddress
    let ssrc: SSRC
    let retransmissionSSRC: SSRC
    let soundSSRC: SSRC
  }

  static let transportExtension: UInt8 = 5
  private static let feedbackInterval = TimeInterval64.milliseconds(50)
  /// How long a picture waits for what it needs before a keyframe is asked for.
  private static let patience = TimeInterval64.milliseconds(700)
  private static let requestInterval = TimeInterval64.milliseconds(500)

  let place: Place
  let caller: SimulcastCaller
  var samples: [Sample] = []
  private(set) var decoder = PictureDecoder()
  /// When each packet of sound came, by number.
  private(set) var heard: [UInt32: MonotonicTime] = [:]
  private(set) var packets = 0
  private(set) var bytes = 0
  private(set) var repaired = 0
  private(set) var duplicates = 0
  private(set) var keyframesRequested = 0
  private(set) var foreignPackets = 0
  /// Packets of padding alone, which probe the line.
  private(set) var padding = 0
  /// Sees every packet: when it came, and its header.
  var onPacket: (MonotonicTime, RTPHeader) -> Void = { _, _ in }
  private let endpoint: Endpoint
  private let simulator: Simulator
  private var numbers = SequenceUnwrapper()
  private var missing = NACKGenerator()
  private var recorder = TransportFeedbackRecorder()
  private var pictureStatistics = ReceptionStatistics(clockRate: 90_000)
  private var soundStatistics = ReceptionStatistics(clockRate: 48_000)
  private var lastRequest = MonotonicTime.zero

  init(_ endpoint: Endpoint, at place: Place, watching caller: SimulcastCaller, on simulator: Simulator) {
    self.endpoint = endpoint
    self.place = place
    self.caller = caller
    self.simulator = simulator
    endpoint.onRTP = { [weak self] packet, now in self?.receive(packet, now) }
    endpoint.onRTCP = { [weak self] datagram, now in self?.receiveReports(datagram, now) }
    simulator.every(.milliseconds(10)) { [weak self] in self?.request() }
    simulator.every(Self.feedbackInterval) { [weak self] in self?.sendFeedback() }
    simulator.every(.milliseconds(1_000)) { [weak self] in self?.sendReport() }
  }

  // MARK: - What comes

  private func receive(_ packet: UnsafeRawBufferPointer, _ now: MonotonicTime) {
    guard let header = try? RTPHeader(parsing: packet), let base = packet.baseAddress else { return }
    onPacket(now, header)
    packets += 1
    bytes += packet.count
    if let value = header.extensionValue(id: Self.transportExtension, in: base) {
      if let number = TransportSequence.parse(value) { recorder.record(number, arrival: now) }
    }
    let payload = header.payload(in: packet)
    switch header.ssrc {
    case place.ssrc:
      pictureStatistics.update(sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, arrival: now)
      take(header.sequenceNumber, header, payload, now)
    case place.retransmissionSSRC where payload.count > 2:
      repaired += 1
      let original = UInt16(payload[0]) << 8 | UInt16(payload[1])
      take(SequenceNumber(original), header, UnsafeRawBufferPointer(rebasing: payload.dropFirst(2)), now)
    case place.retransmissionSSRC where payload.isEmpty: padding += 1
    case place.soundSSRC:
      soundStatistics.update(sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, arrival: now)
      hear(payload, now)
    default: foreignPackets += 1
    }
  }

  private func take(
    _ number: SequenceNumber, _ header: RTPHeader, _ payload: UnsafeRawBufferPointer, _ now: MonotonicTime
  ) {
    guard let tag = PictureTag(parsing: payload) else { return foreignPackets += 1 }
    let extended = numbers.unwrap(number)
    _ = missing.insert(extended, now: now)
    let isNew = decoder.insert(extended, timestamp: header.timestamp, marker: header.marker, tag: tag, now: now)
    duplicates += isNew ? 0 : 1
  }

  private func hear(_ payload: UnsafeRawBufferPointer, _ now: MonotonicTime) {
    guard payload.count >= 5 else { return }
    let number = payload[1..<5].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    if heard[number] == nil { heard[number] = now }
  }

  private func receiveReports(_ datagram: UnsafeRawBufferPointer, _ now: MonotonicTime) {
    for case .senderReport(let report) in (try? RTCPCompound.parse(datagram)) ?? [] {
      if report.ssrc == place.ssrc { pictureStatistics.noteSenderReport(ntpTime: report.ntpTime, arrival: now) }
      if report.ssrc == place.soundSSRC { soundStatistics.noteSenderReport(ntpTime: report.ntpTime, arrival: now) }
    }
  }

  // MARK: - What is told

  private func request() {
    let now = simulator.now
    var requests: [RTCPPacket] = []
    var needsKeyframe = decoder.waitingSince.map { now - $0 > Self.patience } ?? false
    if let deadline = missing.deadline, deadline <= now {
      let round = missing.takeRound(now: now, roundTripTime: nil)
      needsKeyframe = needsKeyframe || round.needsKeyframe
      if !round.lost.isEmpty {
        requests.append(.genericNACK(GenericNACK(senderSSRC: SSRC(1), mediaSSRC: place.ssrc, lost: round.lost)))
      }
    }
    if needsKeyframe, now - lastRequest > Self.requestInterval {
      lastRequest = now
      keyframesRequested += 1
      requests.append(.pictureLossIndication(PictureLossIndication(senderSSRC: SSRC(1), mediaSSRC: place.ssrc)))
    }
    if !requests.isEmpty { endpoint.session.sendRTCP(RTCPCompound.serialize(requests)) }
  }

  private func sendFeedback() {
    for feedback in recorder.takeFeedback(senderSSRC: SSRC(1), mediaSSRC: place.ssrc) {
      endpoint.session.sendRTCP(RTCPCompound.serialize([.transportFeedback(feedback)]))
    }
  }

  private func sendReport() {
    let now = simulator.now
    let blocks = [
      pictureStatistics.makeReportBlock(ssrc: place.ssrc, now: now),
      soundStatistics.makeReportBlock(ssrc: place.soundSSRC, now: now),
    ].compactMap { $0 }
    guard !blocks.isEmpty else { return }
    endpoint.session.sendRTCP(
      RTCPCompound.serialize([.receiverReport(ReceiverReport(ssrc: SSRC(1), reports: blocks))]))
  }
}

// What is judged.

extension LinkedViewer {
  /// Share of what was spoken between two moments that came within `limit`.
  func soundShare(from start: MonotonicTime, to end: MonotonicTime, within limit: TimeInterval64) -> Double {
    let numbers = caller.spoken.indices.filter { caller.spoken[$0] >= start && caller.spoken[$0] < end }
    let good = numbers.count { number in
      heard[UInt32(number)].map { $0 - caller.spoken[number] <= limit } ?? false
    }
    return Double(good) / Double(max(1, numbers.count))
  }

  /// Share of the pictures taken between two moments that were shown, in whichever size, within `limit`.
  func pictureShare(from start: MonotonicTime, to end: MonotonicTime, within limit: TimeInterval64) -> Double {
    let taken = caller.taken.count { $0 >= start && $0 < end }
    let good = Set(
      decoder.pictures(capturedFrom: start, to: end).filter { $0.shownAt - $0.capturedAt <= limit }.map(\.capturedAt))
    return Double(good.count) / Double(max(1, taken))
  }

  /// Which of the caller's sizes was shown last; nil before the first picture.
  var size: Int? { decoder.shown.last?.encoding }

  /// What the relay said over time, for the message of a failed expectation.
  func course(from start: MonotonicTime) -> String {
    samples.map { sample in
      let link = sample.status?.linkBitsPerSecond.map { "\($0 / 1_000)k" } ?? "-"
      let shown =
        switch sample.status?.rung {
        case nil: "?"
        case .audioOnly: "sound"
        case .stills: "stills"
        case .layer: "layer \(sample.status?.layer ?? -1)"
        }
      let reason = sample.status?.reason.map { " for \($0.rawValue)" } ?? ""
      return "\((sample.time - start).milliseconds) ms: link \(link), \(shown)\(reason)"
    }.joined(separator: "; ")
  }
}
