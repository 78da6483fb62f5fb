import Primitives
import RTP
import SimulationSupport

/// A browser that watches: puts frames together, asks for what is missing, and decodes complete frames in order.
final class SimulatedViewer {
  struct Frame {
    var capturedAt: MonotonicTime
    var decodedAt: MonotonicTime
    var number: UInt32
    var isKeyframe: Bool
  }

  private struct Assembly {
    var tag: FrameTag
    var received: Set<UInt16> = []
    var startedAt: MonotonicTime
    var isComplete: Bool { received.count == Int(tag.count) }
  }

  /// How long an incomplete frame holds up the next before a keyframe is asked for.
  private static let patience = TimeInterval64.milliseconds(700)
  /// Shortest interval between two keyframe requests.
  private static let requestInterval = TimeInterval64.milliseconds(500)
  /// Frames that may wait to become complete.
  private static let maximumAssemblies = 256

  let ssrc: SSRC
  let retransmissionSSRC: SSRC
  private(set) var decoded: [Frame] = []
  /// Frames of which all packets came, in whichever order: when they were captured, and how long it took.
  private(set) var completed: [(capturedAt: MonotonicTime, delay: TimeInterval64)] = []
  private(set) var packets = 0
  private(set) var repaired = 0
  private(set) var duplicates = 0
  private(set) var keyframesRequested = 0
  /// Every number that arrived, extended; the stream must be one and the same throughout.
  private(set) var sequences: Set<Int64> = []
  private(set) var timestamps: [Int64: UInt32] = [:]
  private(set) var foreignPackets = 0
  private(set) var senderReports = 0
  private let endpoint: Endpoint
  private let simulator: Simulator
  private var unwrapper = SequenceUnwrapper()
  private var missing = NACKGenerator()
  private var assemblies: [UInt32: Assembly] = [:]
  /// Packets of each frame that came.
  private var counts: [UInt32: UInt16] = [:]
  private var nextFrame: UInt32?
  private var lastRequest = MonotonicTime.zero
  /// Sees every packet: when it came, and its header.
  var onPacket: (MonotonicTime, RTPHeader) -> Void = { _, _ in }

  init(_ endpoint: Endpoint, ssrc: SSRC, retransmissionSSRC: SSRC, on simulator: Simulator) {
    self.endpoint = endpoint
    self.simulator = simulator
    self.ssrc = ssrc
    self.retransmissionSSRC = retransmissionSSRC
    endpoint.onRTP = { [weak self] packet, now in self?.receive(packet, now) }
    endpoint.onRTCP = { [weak self] datagram, _ in
      for case .senderReport in (try? RTCPCompound.parse(datagram)) ?? [] { self?.senderReports += 1 }
    }
    simulator.every(.milliseconds(10)) { [weak self] in self?.tick() }
  }

  private func receive(_ packet: UnsafeRawBufferPointer, _ now: MonotonicTime) {
    guard let header = try? RTPHeader(parsing: packet) else { return }
    onPacket(now, header)
    packets += 1
    let payload = header.payload(in: packet)
    if header.ssrc == ssrc {
      take(header.sequenceNumber, header.timestamp, payload, now)
    } else if header.ssrc == retransmissionSSRC, payload.count > 2 {
      repaired += 1
      let original = UInt16(payload[0]) << 8 | UInt16(payload[1])
      take(SequenceNumber(original), header.timestamp, UnsafeRawBufferPointer(rebasing: payload.dropFirst(2)), now)
    } else if header.ssrc != retransmissionSSRC || !payload.isEmpty {
      foreignPackets += 1
    }
  }

  private func take(
    _ number: SequenceNumber, _ timestamp: UInt32, _ payload: UnsafeRawBufferPointer, _ now: MonotonicTime
  ) {
    let extended = unwrapper.unwrap(number)
    _ = missing.insert(extended, now: now)
    guard sequences.insert(extended).inserted else { return duplicates += 1 }
    timestamps[extended] = timestamp
    guard let tag = FrameTag(parsing: payload) else { return }
    noteCompletion(of: tag, now)
    if tag.number >= nextFrame ?? 0 {
      assemblies[tag.number, default: Assembly(tag: tag, startedAt: now)].received.insert(tag.index)
    }
    decode(now)
  }

  private func noteCompletion(of tag: FrameTag, _ now: MonotonicTime) {
    counts[tag.number, default: 0] += 1
    if counts[tag.number] == tag.count { completed.append((tag.capturedAt, now - tag.capturedAt)) }
  }

  /// Decodes what is complete and in order; a complete keyframe may be jumped to.
  private func decode(_ now: MonotonicTime) {
    if let next = nextFrame, assemblies[next]?.isComplete != true {
      // Frames wait for their predecessor for a while, then for a keyframe.
      let oldest = assemblies.values.filter { $0.tag.number >= next }.map(\.startedAt).min()
      if let oldest, now - oldest < Self.patience { return }
    }
    if nextFrame.map({ assemblies[$0]?.isComplete != true }) ?? true {
      let keyframe = assemblies.values.filter { $0.isComplete && $0.tag.isKeyframe && $0.tag.number >= nextFrame ?? 0 }
        .map(\.tag.number).min()
      guard let keyframe else { return }
      nextFrame = keyframe
    }
    while let next = nextFrame, let assembly = assemblies[next], assembly.isComplete {
      decoded.append(
        Frame(
          capturedAt: assembly.tag.capturedAt, decodedAt: now, number: next, isKeyframe: assembly.tag.isKeyframe))
      nextFrame = next + 1
      for number in assemblies.keys where number <= next { assemblies[number] = nil }
    }
  }

  private func tick() {
    let now = simulator.now
    var requests: [RTCPPacket] = []
    if let deadline = missing.deadline, deadline <= now {
      let round = missing.takeRound(now: now, roundTripTime: nil)
      if !round.lost.isEmpty {
        requests.append(.genericNACK(GenericNACK(senderSSRC: SSRC(1), mediaSSRC: ssrc, lost: round.lost)))
      }
    }
    decode(now)
    let oldest = assemblies.values.map(\.startedAt).min()
    if let oldest, now - oldest > Self.patience, now - lastRequest > Self.requestInterval {
      lastRequest = now
      keyframesRequested += 1
      requests.append(.pictureLossIndication(PictureLossIndication(senderSSRC: SSRC(1), mediaSSRC: ssrc)))
    }
    while assemblies.count > Self.maximumAssemblies, let first = assemblies.keys.min() { assemblies[first] = nil }
    if !requests.isEmpty { endpoint.session.sendRTCP(RTCPCompound.serialize(requests)) }
  }

  /// Share of the frames captured in a span of time that were complete within `limit`.
  func completeShare(from start: MonotonicTime, to end: MonotonicTime, within limit: TimeInterval64) -> Double {
    let good = completed.count { $0.capturedAt >= start && $0.capturedAt < end && $0.delay <= limit }
    return Double(good) / Self.frames(from: start, to: end)
  }

  private static func frames(from start: MonotonicTime, to end: MonotonicTime) -> Double {
    Double((end - start).nanoseconds) / Double(SimulatedCaller.frameInterval.nanoseconds)
  }

  /// Share of the frames captured in a span of time that were decoded, in order, within `limit`.
  func share(from start: MonotonicTime, to end: MonotonicTime, within limit: TimeInterval64) -> Double {
    let good = Set(
      decoded.filter { $0.capturedAt >= start && $0.capturedAt < end && $0.decodedAt - $0.capturedAt <= limit }
        .map(\.number))
    return Double(good.count) / Self.frames(from: start, to: end)
  }
}
