import CongestionControl
import Primitives
import RTP

/// What a flow would like to send.
enum MediaSource {
  /// An encoder that follows the target up to a rate.
  case adaptive(maximum: Int)
  /// A relay that picks the best of these rates that fits.
  case layers([Int])

  func rate(within target: Int) -> Int {
    switch self {
    case .adaptive(let maximum): min(target, maximum)
    case .layers(let rates): rates.last { $0 <= target } ?? rates[0]
    }
  }

  var best: Int {
    switch self {
    case .adaptive(let maximum): maximum
    case .layers(let rates): rates.last ?? 0
    }
  }
}

/// One viewer: the sender with its estimator and pacer, and the receiver that sends feedback.
final class MediaFlow {
  var estimator: BandwidthEstimator
  var source: MediaSource
  /// Bottlenecks in order.
  let path: [Int]
  /// One way, beside the queues.
  let delay: TimeInterval64
  /// The bottleneck that feedback has to pass; nil when its way is free.
  var feedbackPath: Int?
  /// Seconds.
  var activity: [ClosedRange<Double>]
  /// Changes of what is wanted: seconds, bits per second.
  var wantedChanges: [(at: Double, bitsPerSecond: Int)] = []
  var feedbackInterval = TimeInterval64.milliseconds(100)
  /// Share of feedback packets that get lost, and a time in which all do.
  var feedbackLoss = 0.0
  var feedbackOutage: ClosedRange<Double>?
  private(set) var record = FlowRecord()

  private var recorder = TransportFeedbackRecorder()
  private var sequence: UInt16
  private var pacer: [Int] = []
  private var pacerBudget = 0.0
  private var nextFrame: MonotonicTime
  private var nextFeedback: MonotonicTime
  private var nextTick: MonotonicTime
  private var probe: (startedAt: MonotonicTime, sent: Int, probe: BandwidthEstimator.Probe)?
  private var returning: [(at: MonotonicTime, feedback: TransportFeedback)] = []
  private var random: RandomSource

  init(
    initial: Int, source: MediaSource, path: [Int] = [0], delay: TimeInterval64 = .milliseconds(50),
    active: ClosedRange<Double> = 0...10_000, seed: UInt64 = 1
  ) {
    let start = MonotonicTime.zero + .seconds(active.lowerBound)
    estimator = BandwidthEstimator(initial: initial, now: start)
    estimator.setWanted(source.best)
    self.source = source
    self.path = path
    self.delay = delay
    activity = [active]
    random = .seeded(seed)
    sequence = UInt16(truncatingIfNeeded: random.next())
    nextFrame = start
    nextFeedback = start
    nextTick = start
  }

  deinit { estimator.deallocate() }

  func isActive(_ now: MonotonicTime) -> Bool {
    let seconds = (now - .zero).seconds
    return activity.contains { $0.contains(seconds) }
  }

  /// The packets that leave in this millisecond.
  func send(flow: Int, now: MonotonicTime) -> [SimulatedPacket] {
    deliverFeedback(now)
    while let change = wantedChanges.first, change.at <= (now - .zero).seconds {
      wantedChanges.removeFirst()
      estimator.setWanted(change.bitsPerSecond)
      source = .adaptive(maximum: change.bitsPerSecond)
    }
    guard isActive(now) else {
      nextFrame = now
      return []
    }
    if now >= nextTick {
      estimator.tick(now: now)
      if probe == nil, let next = estimator.takeProbe(now: now) { probe = (now, 0, next) }
      nextTick = now + .milliseconds(10)
    }
    if now >= nextFrame { encode(now) }
    return (paced() + probing(now)).map { bytes, probe in
      sequence &+= 1
      estimator.noteSent(sequence, bytes: bytes, probe: probe, now: now)
      record.sent(bytes)
      return SimulatedPacket(flow: flow, sequence: sequence, bytes: bytes, sentAt: now)
    }
  }

  /// A frame at 30 a second, up to a fifth larger or smaller than the mean.
  private func encode(_ now: MonotonicTime) {
    nextFrame = nextFrame + .microseconds(33_333)
    let mean = Double(source.rate(within: estimator.target)) / 8 / 30
    var left = Int(mean * Double.random(in: 0.8...1.2, using: &random))
    while left > 0 {
      pacer.append(max(min(left, 1_200), 60))
      left -= 1_200
    }
  }

  private func paced() -> [(Int, UInt8)] {
    pacerBudget = min(pacerBudget + Double(estimator.pacingRate) / 8_000, 2_400)
    var leaving: [(Int, UInt8)] = []
    while let next = pacer.first, pacerBudget > 0 {
      pacer.removeFirst()
      pacerBudget -= Double(next)
      leaving.append((next, 0))
    }
    return leaving
  }

  /// As the relay does it: whole packets repeated, the first at once, or small ones of padding.
  private func probing(_ now: MonotonicTime) -> [(Int, UInt8)] {
    guard var current = probe else { return [] }
    var leaving: [(Int, UInt8)] = []
    let size = current.probe.isSmall ? 280 : 1_100
    let due = Double(size) + (now - current.startedAt).seconds * Double(current.probe.bitsPerSecond) / 8
    while Double(current.sent) < due, current.sent < current.probe.bytes {
      leaving.append((size, current.probe.id))
      current.sent += size
    }
    probe = current.sent < current.probe.bytes ? current : nil
    return leaving
  }

  // MARK: - The receiver

  func arrive(_ packet: SimulatedPacket, at time: MonotonicTime) {
    recorder.record(SequenceNumber(packet.sequence), arrival: time)
    record.arrived(packet, at: time)
  }

  func lose(_ packet: SimulatedPacket) { record.lost(packet) }

  /// Sends feedback when it is time: what has to pass a bottleneck is given back.
  func receive(flow: Int, now: MonotonicTime) -> [SimulatedPacket] {
    record.sample(target: estimator.target, now: now)
    guard now >= nextFeedback else { return [] }
    nextFeedback = now + feedbackInterval
    var packets: [SimulatedPacket] = []
    for feedback in recorder.takeFeedback(senderSSRC: SSRC(1), mediaSSRC: SSRC(2)) {
      let isOut = feedbackOutage?.contains((now - .zero).seconds) ?? false
      guard !isOut, Double.random(in: 0..<1, using: &random) >= feedbackLoss else { continue }
      if feedbackPath == nil {
        hear(feedback, at: now + delay)
      } else {
        packets.append(SimulatedPacket(flow: flow, sequence: 0, bytes: 120, sentAt: now, feedback: feedback))
      }
    }
    return packets
  }

  func hear(_ feedback: TransportFeedback, at time: MonotonicTime) { returning.append((time, feedback)) }

  private func deliverFeedback(_ now: MonotonicTime) {
    while let first = returning.first, first.at <= now {
      returning.removeFirst()
      estimator.receive(first.feedback, now: now)
    }
  }
}
