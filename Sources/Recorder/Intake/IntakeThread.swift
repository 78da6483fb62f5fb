import Archive
import CSystemCalls
import Foundation
import Incidents
import Primitives
import Relay
import Synchronization

/// A media thread as the recorder knows it.
struct MediaThread: Sendable {
  let shard: Int
  let ring: HandoverRing
  let requestKeyframe: RecordedKeyframeRequest
}

/// Names a source on this node.
struct SourceKey: Hashable, Sendable {
  let shard: Int
  let number: UInt32
}

/// Empties the media threads' rings and makes fragments of what they hold.
///
/// Unchecked: all that changes is behind a mutex, or is used by the thread alone once it runs.
final class IntakeThread: @unchecked Sendable {
  /// What media threads hand over; the last packets of a source that is withdrawn are in its ring by then.
  private struct Arrivals {
    var threads: [MediaThread] = []
    var sources: [(SourceKey, SourceAnnouncement)] = []
    var withdrawn: [SourceKey] = []
    var isStopping = false
  }

  private let arrivals = Mutex(Arrivals())
  private let counted = Mutex(RecorderStatistics())
  private let queue: JobQueue
  private let clock: RecorderClock
  private let tell: @Sendable (RecorderEvent) -> Void
  private let ended = DispatchSemaphore(value: 0)
  // Used by the thread alone, once it runs.
  private var threads: [MediaThread] = []
  private var sources: [SourceKey: SourceRecorder] = [:]
  /// The clocks of peers that send, each with the number of its sources.
  private var clocks: [PeerID: (clock: SharedClock, users: Int)] = [:]
  private var droppedBefore = 0
  private var counts = RecorderStatistics()

  /// Time between two looks into the rings, seconds.
  private static let interval = 0.02

  init(queue: JobQueue, clock: RecorderClock, tell: @escaping @Sendable (RecorderEvent) -> Void) {
    self.queue = queue
    self.clock = clock
    self.tell = tell
  }

  func attach(_ thread: MediaThread) {
    arrivals.withLock { $0.threads.append(thread) }
  }

  func announce(_ source: SourceAnnouncement, shard: Int) {
    arrivals.withLock { $0.sources.append((SourceKey(shard: shard, number: source.number), source)) }
  }

  func withdraw(_ source: SourceKey) {
    arrivals.withLock { $0.withdrawn.append(source) }
  }

  var statistics: RecorderStatistics { counted.withLock { $0 } }

  func start() {
    let thread = Thread { [self] in
      sl_name_thread("recorder")
      RecorderThreads.yieldToCalls()
      while turn() { Thread.sleep(forTimeInterval: Self.interval) }
      ended.signal()
    }
    thread.start()
  }

  /// Takes what the rings hold, ends every source and then the thread; returns when it has.
  func stop() {
    arrivals.withLock { $0.isStopping = true }
    ended.wait()
  }

  /// One round; false when there will be no more.
  private func turn() -> Bool {
    let arrived = arrivals.withLock { arrivals in
      defer { arrivals = Arrivals(isStopping: arrivals.isStopping) }
      return arrivals
    }
    threads += arrived.threads
    for (key, announcement) in arrived.sources { begin(announcement, as: key) }
    for thread in threads { empty(thread) }
    let now = clock.wall()
    noteDropped(at: now)
    for key in arrived.withdrawn { end(key, at: now) }
    if arrived.isStopping {
      for key in Array(sources.keys) { end(key, at: now) }
    }
    for source in sources.values { source.advance(to: now) }
    count()
    return !arrived.isStopping
  }

  private func begin(_ announcement: SourceAnnouncement, as key: SourceKey) {
    let shared = clocks[announcement.peer]?.clock ?? SharedClock()
    let thread = threads.first { $0.shard == key.shard }
    let sink = SourceRecorder.Sink(
      queue: queue, tell: tell, requestKeyframe: { thread?.requestKeyframe(key.number, $0) })
    guard let source = SourceRecorder(announcement, clock: shared, anchor: clock.anchor(), sink: sink) else { return }
    clocks[announcement.peer] = (shared, (clocks[announcement.peer]?.users ?? 0) + 1)
    sources[key] = source
  }

  private func end(_ key: SourceKey, at now: UTCTime) {
    guard let source = sources.removeValue(forKey: key) else { return }
    source.end(at: now)
    source.addCounts(to: &counts)
    let users = (clocks[source.peer]?.users ?? 1) - 1
    if users > 0 { clocks[source.peer]?.users = users } else { clocks[source.peer] = nil }
  }

  /// Takes what was in the ring when this began; what comes meanwhile is the next round's.
  private func empty(_ thread: MediaThread) {
    thread.ring.drain { entry, payload in
      guard let source = sources[SourceKey(shard: thread.shard, number: entry.source)] else { return }
      switch entry.kind {
      case .packet: source.receive(entry, payload)
      case .report: source.receive(report: entry)
      case .padding, .history, .present: break  // Those are for mirrors.
      }
    }
  }

  /// A ring that was full has lost packets of whoever sent then.
  private func noteDropped(at now: UTCTime) {
    let dropped = threads.reduce(0) { $0 + $1.ring.dropped }
    guard dropped > droppedBefore else { return }
    droppedBefore = dropped
    for source in sources.values { source.noteOverload(at: now) }
  }

  private func count() {
    var total = counts
    for source in sources.values { source.addCounts(to: &total) }
    total.sources = sources.count
    total.packetsDropped = droppedBefore
    counted.withLock { $0 = total }
  }
}
