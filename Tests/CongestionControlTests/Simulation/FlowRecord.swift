import Primitives

/// What became of a flow, to measure afterwards.
struct FlowRecord {
  static let bin = TimeInterval64.milliseconds(100)

  /// Every 100 ms.
  private(set) var targets: [Int] = []
  /// Bytes that arrived in each 100 ms.
  private(set) var arrivals: [Int] = []
  /// Bytes sent, all of the flow.
  private(set) var bytesSent = 0
  private var queueDelays: [(at: Double, milliseconds: Double)] = []
  private var losses: [Double] = []

  mutating func sent(_ bytes: Int) { bytesSent += bytes }

  mutating func arrived(_ packet: SimulatedPacket, at time: MonotonicTime) {
    let index = Int((time - .zero).nanoseconds / Self.bin.nanoseconds)
    while arrivals.count <= index { arrivals.append(0) }
    arrivals[index] += packet.bytes
    queueDelays.append(((time - .zero).seconds, packet.queued.seconds * 1_000))
  }

  mutating func lost(_ packet: SimulatedPacket) { losses.append((packet.sentAt - .zero).seconds) }

  mutating func sample(target: Int, now: MonotonicTime) {
    guard (now - .zero).nanoseconds / Self.bin.nanoseconds >= targets.count else { return }
    targets.append(target)
  }

  /// Bits per second that arrived between two times, in seconds.
  func rate(_ span: Range<Double>) -> Double {
    let bytes = arrivals.enumerated().reduce(0) { sum, bin in
      span.contains(Double(bin.offset) / 10 + 0.05) ? sum + bin.element : sum
    }
    return Double(bytes * 8) / (span.upperBound - span.lowerBound)
  }

  /// Milliseconds in queues, of the packets that arrived between two times: a share's value, 0.5 for the median.
  func queueDelay(_ share: Double, _ span: Range<Double>) -> Double {
    let sorted = queueDelays.lazy.filter { span.contains($0.at) }.map(\.milliseconds).sorted()
    return sorted.isEmpty ? 0 : sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
  }

  /// Share of packets lost.
  func loss(_ span: Range<Double>) -> Double {
    let lost = losses.lazy.filter { span.contains($0) }.count
    let arrived = queueDelays.lazy.filter { span.contains($0.at) }.count
    return lost + arrived == 0 ? 0 : Double(lost) / Double(lost + arrived)
  }

  /// Lowest and highest target between two times.
  func targets(_ span: Range<Double>) -> ClosedRange<Int> {
    let within = targets.enumerated().filter { span.contains(Double($0.offset) / 10) }.map(\.element)
    return (within.min() ?? 0)...(within.max() ?? 0)
  }

  /// Seconds after `start` until the target has been within `range` for a second; nil if it never is.
  func settled(in range: ClosedRange<Double>, after start: Double, until end: Double) -> Double? {
    var since: Double?
    for (index, target) in targets.enumerated() {
      let time = Double(index) / 10
      guard time >= start, time < end else { continue }
      guard range.contains(Double(target)) else {
        since = nil
        continue
      }
      since = since ?? time
      if let since, time - since >= 1 { return since - start }
    }
    return nil
  }
}
