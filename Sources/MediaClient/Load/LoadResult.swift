/// What a load run found, and what `--json` prints.
package struct LoadResult: Codable, Sendable {
  package var target: String
  package var callers: Int
  package var viewersPerCaller: Int
  /// Measured time, once everyone was there.
  package var seconds: Double
  package var clip: ClipFigures
  package var sessions: SessionFigures
  package var setup: SetUpFigures
  package var traffic: TrafficFigures
  package var delay: DelayFigures
  /// Nil without the server's process.
  package var server: ServerFigures?
  package var generator: GeneratorFigures
  /// The window's packets as they were counted.
  package var counters: LoadCounters
  package var warnings: [String]
  /// One a second, set-up included.
  package var series: [LoadSample]

  package struct ClipFigures: Codable, Sendable {
    package var codec: String
    /// Bits per second of the video.
    package var bitrate: Int
  }

  package struct SessionFigures: Codable, Sendable {
    package var callers: Int
    package var viewers: Int
    /// Viewers that received a packet.
    package var receiving: Int
    package var failed: Int
    /// Ended by themselves while measured.
    package var lost: Int
    /// The first few, in words.
    package var failures: [String]
  }

  /// Milliseconds from just before the offer, for viewers.
  package struct SetUpFigures: Codable, Sendable {
    package var answered: Percentiles?
    package var connected: Percentiles?
    package var firstPacket: Percentiles?
    package var firstKeyframe: Percentiles?
    /// The first video packet that was sent after the viewer had come.
    package var firstLive: Percentiles?
  }

  package struct TrafficFigures: Codable, Sendable {
    /// Sent by all callers.
    package var sentPacketsPerSecond: Double
    /// Received by all viewers.
    package var packetsPerSecond: Double
    package var bitsPerSecond: Double
    /// Packets that never came, not even repaired, in all streams.
    package var lostPackets: UInt64
    /// Share of the expected packets.
    package var lostShare: Double
    package var repairedPackets: UInt64
  }

  /// From the caller's send to the viewer's receive call, milliseconds.
  package struct DelayFigures: Codable, Sendable {
    package var packets: UInt64
    package var mean: Double
    package var p50: Double
    package var p90: Double
    package var p99: Double
    package var p999: Double
    package var maximum: Double
    /// The whole distribution, by rising percentile.
    package var distribution: [Point]

    package struct Point: Codable, Hashable, Sendable {
      package var percentile: Double
      package var milliseconds: Double
    }
  }

  package struct ServerFigures: Codable, Sendable {
    /// Of one core.
    package var cpuPercent: Double
    /// Processor time per packet that viewers received, retransmissions included.
    package var microsecondsPerPacket: Double
    /// Processor time per packet that the server numbered for a viewer: the fairer figure when this generator could not
    /// take all of them, and the kinder one for a server that numbers what it does not send.
    package var microsecondsPerNumber: Double
    package var residentBytes: UInt64
    package var peakResidentBytes: UInt64
    /// Busiest first.
    package var threads: [ThreadFigures]
  }

  package struct ThreadFigures: Codable, Hashable, Sendable {
    package var name: String
    package var cpuPercent: Double
  }

  package struct GeneratorFigures: Codable, Sendable {
    /// Of one core, all threads.
    package var cpuPercent: Double
    /// Of one core, the busiest of the threads that receive.
    package var busiestThreadPercent: Double
    package var residentBytes: UInt64
  }
}

/// Nearest-rank percentiles of a few values, in the values' unit.
package struct Percentiles: Codable, Hashable, Sendable {
  package var count: Int
  package var p50: Double
  package var p99: Double
  package var maximum: Double

  /// Nil without values.
  package init?(_ values: [Double]) {
    let sorted = values.sorted()
    guard let last = sorted.last else { return nil }
    count = sorted.count
    p50 = Self.rank(0.5, sorted)
    p99 = Self.rank(0.99, sorted)
    maximum = last
  }

  private static func rank(_ share: Double, _ sorted: [Double]) -> Double {
    sorted[max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
  }
}

/// One second of a run.
package struct LoadSample: Codable, Hashable, Sendable {
  /// Where a run stands.
  package enum Phase: String, Codable, Sendable {
    case joining
    case measuring
    /// Callers have stopped.
    case settling
  }

  /// Since the run began.
  package var seconds: Double
  package var phase: Phase
  package var callers: Int
  package var viewers: Int
  package var packetsPerSecond: Double
  package var bitsPerSecond: Double
  /// Packets of this second that were missing at its end, repairs under way included.
  package var missing: UInt64
  /// Milliseconds; 0 without packets.
  package var p50: Double
  package var p99: Double
  package var maximum: Double
  /// Of one core; nil without the server's process.
  package var serverPercent: Double?
  package var serverResidentBytes: UInt64?
  package var generatorPercent: Double
}
