import CSystemCalls
import Primitives
import Synchronization

/// A moment of a run: what all loops have measured and what the processes have used so far.
struct LoadMoment: Sendable {
  let time: MonotonicTime
  let loops: [LoadSnapshot]
  let server: ProcessUsage?
  let own: ProcessUsage?

  /// Takes the moment, which ends the interval that ``LoadSnapshot/interval`` is about.
  static func now(_ workers: [LoadWorker], server: Int32?) async -> LoadMoment {
    var loops: [LoadSnapshot] = []
    for worker in workers { loops.append(await worker.snapshot()) }
    return LoadMoment(
      time: MonotonicTime(nanoseconds: sl_monotonic_nanoseconds()), loops: loops,
      server: server.flatMap { ProcessUsage.read(process: $0) }, own: .own())
  }

  var counters: LoadCounters { loops.reduce(LoadCounters()) { $0 + $1.counters } }
  var receiving: Int { loops.reduce(0) { $0 + $1.receiving } }
  var intervalDelays: DelayHistogram { Self.merge(loops.map(\.interval)) }
  var windowDelays: DelayHistogram { Self.merge(loops.map(\.window)) }

  private static func merge(_ histograms: [DelayHistogram]) -> DelayHistogram {
    var merged = DelayHistogram.delays()
    for histogram in histograms { merged.add(histogram) }
    return merged
  }
}

/// Watches a run: a sample a second, for the progress line and the plots.
final class LoadTimeline: Sendable {
  private struct State {
    var samples: [LoadSample] = []
    var phase = LoadSample.Phase.joining
  }

  private let workers: [LoadWorker]
  private let tally: LoadTally
  private let serverProcess: Int32?
  private let observer: @Sendable (LoadSample) -> Void
  private let state = Mutex(State())

  private static let interval = Duration.seconds(1)
  /// Samples kept; a run of more seconds keeps the first four hours.
  private static let maximumSamples = 14_400

  init(
    _ workers: [LoadWorker], tally: LoadTally, serverProcess: Int32?, observer: @escaping @Sendable (LoadSample) -> Void
  ) {
    self.workers = workers
    self.tally = tally
    self.serverProcess = serverProcess
    self.observer = observer
  }

  var samples: [LoadSample] { state.withLock { $0.samples } }

  /// Marks the samples from now on.
  func enter(_ phase: LoadSample.Phase) {
    state.withLock { $0.phase = phase }
  }

  /// Takes samples until its task is cancelled.
  func run() async {
    let began = await LoadMoment.now(workers, server: serverProcess)
    var last = began
    var next = ContinuousClock.now + Self.interval
    while (try? await Task.sleep(until: next, clock: .continuous)) != nil {
      let moment = await LoadMoment.now(workers, server: serverProcess)
      note(moment, after: last, began: began.time)
      last = moment
      next += Self.interval
    }
  }

  private func note(_ moment: LoadMoment, after last: LoadMoment, began: MonotonicTime) {
    let sample = LoadSample(
      moment, after: last, began: began, connected: tally.connected, phase: state.withLock { $0.phase })
    state.withLock { if $0.samples.count < Self.maximumSamples { $0.samples.append(sample) } }
    observer(sample)
  }
}

extension LoadSample {
  init(
    _ moment: LoadMoment, after last: LoadMoment, began: MonotonicTime, connected: (callers: Int, viewers: Int),
    phase: Phase
  ) {
    let seconds = max((moment.time - last.time).seconds, 1e-3)
    let counters = moment.counters - last.counters
    let delays = moment.intervalDelays
    self.init(
      seconds: (moment.time - began).seconds, phase: phase, callers: connected.callers,
      viewers: connected.viewers, packetsPerSecond: Double(counters.packets) / seconds,
      bitsPerSecond: Double(counters.bytes) * 8 / seconds,
      missing: counters.expected > counters.distinct ? counters.expected - counters.distinct : 0,
      p50: delays.milliseconds(at: 50), p99: delays.milliseconds(at: 99), maximum: delays.milliseconds(at: 100),
      serverPercent: ProcessUsage.percent(from: last.server, to: moment.server, seconds: seconds),
      serverResidentBytes: moment.server?.residentBytes,
      generatorPercent: ProcessUsage.percent(from: last.own, to: moment.own, seconds: seconds) ?? 0)
  }
}

extension ProcessUsage {
  /// Processor time between two readings, per cent of one core.
  static func percent(from earlier: ProcessUsage?, to later: ProcessUsage?, seconds: Double) -> Double? {
    guard let earlier, let later, seconds > 0 else { return nil }
    return (later.cpuSeconds - earlier.cpuSeconds) / seconds * 100
  }
}

extension DelayHistogram {
  /// The delay that so many per cent of the packets stay within; 0 without packets.
  func milliseconds(at percentile: Double) -> Double {
    totalCount == 0 ? 0 : Double(valueAtPercentile(percentile)) / 1_000
  }
}
