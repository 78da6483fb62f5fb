import Primitives

/// A TCP sender, as much of it as competes for a queue: slow start, then a packet more each round trip, half after loss.
final class TCPFlow {
  let path: [Int]
  let delay: TimeInterval64
  /// Seconds; bursts of a short flow, or one span of a long one.
  var activity: [ClosedRange<Double>]
  private(set) var arrivedBytes = 0
  private var window = 10.0
  private var threshold = 64.0
  private var inFlight = 0
  private var sequence: UInt16 = 0
  private var lastHalving = MonotonicTime.zero
  /// What the sender hears of its packets, and when.
  private var returning: [(at: MonotonicTime, arrived: Bool)] = []

  init(path: [Int] = [0], delay: TimeInterval64 = .milliseconds(50), activity: [ClosedRange<Double>]) {
    self.path = path
    self.delay = delay
    self.activity = activity
  }

  func send(flow: Int, now: MonotonicTime) -> [SimulatedPacket] {
    hear(now)
    let seconds = (now - .zero).seconds
    guard activity.contains(where: { $0.contains(seconds) }) else { return [] }
    var leaving: [SimulatedPacket] = []
    while Double(inFlight) < window {
      inFlight += 1
      sequence &+= 1
      leaving.append(SimulatedPacket(flow: flow, sequence: sequence, bytes: 1_200, sentAt: now))
    }
    return leaving
  }

  func arrive(_ packet: SimulatedPacket, at time: MonotonicTime) {
    arrivedBytes += packet.bytes
    returning.append((time + delay, true))
  }

  /// Loss is heard of about a round trip later.
  func lose(_ packet: SimulatedPacket, at time: MonotonicTime) {
    returning.append((time + delay * 2 + .milliseconds(100), false))
  }

  private func hear(_ now: MonotonicTime) {
    var kept: [(at: MonotonicTime, arrived: Bool)] = []
    for news in returning {
      guard news.at <= now else {
        kept.append(news)
        continue
      }
      inFlight -= 1
      if news.arrived {
        window += window < threshold ? 1 : 1 / window
      } else if now - lastHalving > delay * 2 + .milliseconds(200) {
        lastHalving = now
        window = max(window / 2, 2)
        threshold = window
      }
    }
    returning = kept
  }
}
