import Foundation

/// Jobs on their way to the disk thread: bounded in bytes, so that a disk that stands still costs recordings and nothing
/// else.
///
/// Unchecked: the condition's lock guards all that changes.
package final class JobQueue: @unchecked Sendable {
  // All of this is guarded by `condition`.
  private let condition = NSCondition()
  private var jobs: [ArchiveJob] = []
  private var weight = 0
  private var isStopping = false

  /// Bytes that wait at most; small jobs (gaps, ends, journal) are taken up to ``reserve`` beyond it.
  package static let maximumWeight = 128 << 20
  static let reserve = 8 << 20

  package init() {}

  /// Adds a job; false when there is no room, or the recorder is stopping.
  package func submit(_ job: ArchiveJob) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    let limit: Int
    switch job.work {
    case .fragment, .file: limit = Self.maximumWeight
    case .track, .gap, .clock, .trackEnded, .journal: limit = Self.maximumWeight + Self.reserve
    }
    guard !isStopping, weight + job.weight <= limit else { return false }
    jobs.append(job)
    weight += job.weight
    condition.signal()
    return true
  }

  /// Bytes that wait.
  package var waiting: Int {
    condition.lock()
    defer { condition.unlock() }
    return weight
  }

  /// No job is taken after this; ``take(until:)`` hands out what is there, then nil.
  package func stop() {
    condition.lock()
    isStopping = true
    condition.broadcast()
    condition.unlock()
  }

  /// What waits, as soon as anything does; empty at `deadline`, nil when all is done and stopped.
  func take(until deadline: Date) -> [ArchiveJob]? {
    condition.lock()
    defer { condition.unlock() }
    while jobs.isEmpty, !isStopping {
      guard condition.wait(until: deadline) else { break }
    }
    if jobs.isEmpty, isStopping { return nil }
    let taken = jobs
    jobs = []
    weight = 0
    return taken
  }
}
