import JSON
import Primitives

/// The last minutes of what the node does, in equal steps; sans-IO.
package struct LoadHistory: Sendable {
  /// What had been counted by a moment.
  package struct Sample: Hashable, Sendable {
    package let at: MonotonicTime
    package let events: UInt64
    package let commits: Int
    /// Seconds spent in commits.
    package let commitSeconds: Double
    /// Peers with a session.
    package let peers: UInt64
    /// Packets and fragments that the recorder lost.
    package let losses: Int

    package init(
      at: MonotonicTime, events: UInt64, commits: Int, commitSeconds: Double, peers: UInt64, losses: Int
    ) {
      self.at = at
      self.events = events
      self.commits = commits
      self.commitSeconds = commitSeconds
      self.peers = peers
      self.losses = losses
    }
  }

  private var samples: [Sample] = []

  /// Samples that are kept: five minutes of steps, and losses for as long as they count.
  package static let maximumSamples = 121
  /// Steps that are shown.
  package static let shownSteps = 60
  /// Steps over which a rate is taken: a minute.
  package static let rateSteps = 12

  package init() {}

  package mutating func take(_ sample: Sample) {
    samples.append(sample)
    if samples.count > Self.maximumSamples { samples.removeFirst(samples.count - Self.maximumSamples) }
  }

  /// Durable events a second, over the last minute.
  package var eventsPerSecond: Double {
    guard let last = samples.last, let first = samples.suffix(Self.rateSteps + 1).first else { return 0 }
    return Self.rate(first, last)
  }

  /// Milliseconds of a commit, fsync included, over the last minute; nil when there was none.
  package var commitMilliseconds: Double? {
    guard let last = samples.last, let first = samples.suffix(Self.rateSteps + 1).first else { return nil }
    return Self.latency(first, last)
  }

  /// What the recorder lost within `seconds`.
  package func losses(within seconds: Double) -> Int {
    guard let last = samples.last else { return 0 }
    let first = samples.first { last.at - $0.at <= .seconds(seconds) } ?? last
    return max(0, last.losses - first.losses)
  }

  /// A step each, oldest first.
  package var json: JSONValue {
    let shown = samples.suffix(Self.shownSteps + 1)
    return .array(
      zip(shown, shown.dropFirst()).map { before, now in
        .members([
          "eventsPerSecond": .number(Self.rate(before, now)), "peers": .integer(Int(clamping: now.peers)),
          "commitMilliseconds": Self.latency(before, now).map { .number($0) },
        ])
      })
  }

  private static func rate(_ first: Sample, _ last: Sample) -> Double {
    let seconds = (last.at - first.at).seconds
    return seconds > 0 ? Double(last.events &- first.events) / seconds : 0
  }

  private static func latency(_ first: Sample, _ last: Sample) -> Double? {
    let commits = last.commits - first.commits
    return commits > 0 ? (last.commitSeconds - first.commitSeconds) / Double(commits) * 1_000 : nil
  }
}
