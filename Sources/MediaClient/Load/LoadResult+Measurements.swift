import Primitives

// From measurements to figures.

extension LoadResult {
  /// - Parameters:
  ///   - closed: When the window ended: rates and processor times are about `opened` to `closed`.
  ///   - settled: When nothing was under way any more: losses are counted up to here.
  init(
    plan: LoadPlan, target: String, clip: Clip, opened: LoadMoment, closed: LoadMoment, settled: LoadMoment,
    tally: LoadTally, series: [LoadSample]
  ) {
    let seconds = max((closed.time - opened.time).seconds, 1e-3)
    let counters = closed.counters - opened.counters
    self.init(
      target: target, callers: plan.callers, viewersPerCaller: plan.viewers, seconds: seconds,
      clip: ClipFigures(codec: clip.codec.rawValue, bitrate: clip.videoBitrate),
      sessions: SessionFigures(
        callers: tally.connected.callers, viewers: tally.connected.viewers, receiving: settled.receiving,
        failed: tally.failed, lost: tally.lost, failures: tally.failures),
      setup: SetUpFigures(tally.setUps),
      traffic: TrafficFigures(counters, total: settled.counters - opened.counters, seconds: seconds),
      delay: DelayFigures(closed.windowDelays),
      server: ServerFigures(from: opened.server, to: closed.server, packets: counters, seconds: seconds),
      generator: GeneratorFigures(from: opened, to: closed, seconds: seconds), counters: counters, warnings: [],
      series: series)
    warnings = Self.warnings(self, plan: plan)
  }

  /// Busy threads leave the scheduler no room: from here on the generator's own queueing shows in the delays.
  static let busyThreadPercent = 85.0

  /// Share of the packets sent that viewers must have received for the load to count as whole.
  static let fullShare = 0.97

  private static func warnings(_ result: LoadResult, plan: LoadPlan) -> [String] {
    var warnings: [String] = []
    if result.generator.busiestThreadPercent > busyThreadPercent {
      warnings.append(
        "A thread of the load generator used \(Int(result.generator.busiestThreadPercent)) % of a core: it was the limit, "
          + "not the server. Give it more --threads or --sample.")
    }
    if result.counters.skipped > 0 {
      warnings.append("Callers were held up and left out \(result.counters.skipped) packets.")
    }
    if result.sessions.receiving < result.sessions.viewers {
      warnings.append("\(result.sessions.viewers - result.sessions.receiving) connected viewers received nothing.")
    }
    let due = Double(result.counters.sent) * Double(plan.viewers)
    if result.sessions.failed + result.sessions.lost == 0, Double(result.counters.packets) < due * fullShare {
      warnings.append(
        "Viewers received \(Int(Double(result.counters.packets) / due * 100)) % of what was sent to them, though no number "
          + "is missing: the server left out packets or whole streams, or switched late.")
    }
    if result.counters.packets > 0, result.delay.packets == 0 {
      warnings.append("No packet carried a send time: viewers watch something else than these callers.")
    }
    if plan.serverProcess != nil, result.server == nil {
      warnings.append("The server's process could not be read.")
    }
    return warnings
  }
}

extension LoadResult.SetUpFigures {
  /// Of the viewers; of the callers when there are no viewers.
  init(_ all: [LoadTally.SetUp]) {
    let viewers = all.filter { $0.participant.role != .caller }
    let setUps = viewers.isEmpty ? all : viewers
    func figures(_ moment: (LoadTally.SetUp) -> MonotonicTime?) -> Percentiles? {
      Percentiles(setUps.compactMap { setUp in moment(setUp).map { ($0 - setUp.began).seconds * 1_000 } })
    }
    self.init(
      answered: figures(\.answered), connected: figures(\.connected),
      firstPacket: figures { $0.media?.firstPacket }, firstKeyframe: figures { $0.media?.firstKeyframe },
      firstLive: figures { $0.media?.firstLive })
  }
}

extension LoadResult.TrafficFigures {
  init(_ counters: LoadCounters, total: LoadCounters, seconds: Double) {
    let lost = total.expected > total.distinct ? total.expected - total.distinct : 0
    self.init(
      sentPacketsPerSecond: Double(counters.sent) / seconds, packetsPerSecond: Double(counters.packets) / seconds,
      bitsPerSecond: Double(counters.bytes) * 8 / seconds, lostPackets: lost,
      lostShare: total.expected > 0 ? Double(lost) / Double(total.expected) : 0, repairedPackets: total.repaired)
  }
}

extension LoadResult.DelayFigures {
  /// Percentiles of the distribution: denser towards the end, where it is interesting.
  private static let percentiles = [
    0, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 96, 97, 98, 99, 99.25, 99.5, 99.7, 99.8, 99.9, 99.95,
    99.99,
  ]

  init(_ delays: DelayHistogram) {
    self.init(
      packets: delays.totalCount, mean: delays.totalCount == 0 ? 0 : delays.mean / 1_000,
      p50: delays.milliseconds(at: 50), p90: delays.milliseconds(at: 90), p99: delays.milliseconds(at: 99),
      p999: delays.milliseconds(at: 99.9), maximum: delays.milliseconds(at: 100),
      distribution: Self.percentiles.map { Point(percentile: $0, milliseconds: delays.milliseconds(at: $0)) })
  }
}

extension LoadResult.ServerFigures {
  /// Threads that are listed.
  private static let maximumThreads = 8

  init?(from earlier: ProcessUsage?, to later: ProcessUsage?, packets: LoadCounters, seconds: Double) {
    guard let earlier, let later, let percent = ProcessUsage.percent(from: earlier, to: later, seconds: seconds) else {
      return nil
    }
    let before = Dictionary(earlier.threads.map { ($0.id, $0.cpuSeconds) }) { first, _ in first }
    let threads = later.threads.map { thread in
      LoadResult.ThreadFigures(
        name: thread.name, cpuPercent: (thread.cpuSeconds - (before[thread.id] ?? 0)) / seconds * 100)
    }
    let used = (later.cpuSeconds - earlier.cpuSeconds) * 1e6
    func perPacket(_ count: UInt64) -> Double { count == 0 ? 0 : used / Double(count) }
    self.init(
      cpuPercent: percent,
      microsecondsPerPacket: perPacket(packets.packets + packets.retransmissions),
      microsecondsPerNumber: perPacket(packets.expected + packets.retransmissions),
      residentBytes: later.residentBytes, peakResidentBytes: later.peakResidentBytes,
      threads: Array(threads.sorted { $0.cpuPercent > $1.cpuPercent }.prefix(Self.maximumThreads)))
  }
}

extension LoadResult.GeneratorFigures {
  init(from opened: LoadMoment, to closed: LoadMoment, seconds: Double) {
    let used = zip(opened.loops, closed.loops).map { Double($1.cpuNanoseconds) - Double($0.cpuNanoseconds) }
    let busiest = (used.max() ?? 0) / 1e9
    self.init(
      cpuPercent: ProcessUsage.percent(from: opened.own, to: closed.own, seconds: seconds) ?? 0,
      busiestThreadPercent: busiest / seconds * 100, residentBytes: closed.own?.residentBytes ?? 0)
  }
}
