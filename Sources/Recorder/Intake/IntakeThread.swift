import Archive
import CSystemCalls
import Foundation
import Incidents
import Primitives
import Relay
import Synchronization

/// Empties the media threads' rings and makes fragments of what they hold.
final class IntakeThread: @unchecked Sendable {
  private struct Arrivals {
    var rings: [(shard: Int, ring: RecordingRing)] = []
    var sources: [(shard: Int, SourceAnnouncement)] = []
    var isStopping = false
  }

  private struct Key: Hashable {
    let shard: Int
    let number: UInt32
  }

  /// What media threads and callers hand over.
  private let arrivals = Mutex(Arrivals())
  private let counted = Mutex(RecorderStatistics())
  private let queue: JobQueue
  private let clock: RecorderClock
  private let tell: @Sendable (RecorderEvent) -> Void
  private let ended = DispatchSemaphore(value: 0)
  // Used by the thread alone, once it runs.
  private var rings: [(shard: Int, ring: RecordingRing)] = []
  private var sources: [Key: SourceRecorder] = [:]
  private var droppedBefore = 0

  /// Time between two looks into the rings, seconds.
  private static let interval = 0.02
  /// Entries taken from one ring before the next gets its turn.
  private static let maximumEntries = 4_096

  init(queue: JobQueue, clock: RecorderClock, tell: @escaping @Sendable (RecorderEvent) -> Void) {
    self.queue = queue
    self.clock = clock
    self.tell = tell
  }

  func attach(_ ring: RecordingRing, shard: Int) {
    arrivals.withLock { $0.rings.append((shard, ring)) }
  }

  func announce(_ source: SourceAnnouncement, shard: Int) {
    arrivals.withLock { $0.sources.append((shard, source)) }
  }

  var statistics: RecorderStatistics { counted.withLock { $0 } }

  func start() {
    let thread = Thread { [self] in
      sl_name_thread("recorder")
      while turn() { Thread.sleep(forTimeInterval: Self.interval) }
      let now = clock.wall()
      for source in sources.values { source.end(at: now) }
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
    let (newRings, newSources, isStopping) = arrivals.withLock { arrivals in
      defer {
        arrivals.rings = []
        arrivals.sources = []
      }
      return (arrivals.rings, arrivals.sources, arrivals.isStopping)
    }
    rings += newRings
    for (shard, announcement) in newSources { begin(announcement, shard: shard) }
    var isEmpty = true
    for (shard, ring) in rings where take(from: ring, shard: shard) == Self.maximumEntries { isEmpty = false }
    let now = clock.wall()
    noteDropped(at: now)
    for source in sources.values { source.advance(to: now) }
    endQuiet(at: now)
    count()
    return !isStopping || !isEmpty
  }

  private func begin(_ announcement: SourceAnnouncement, shard: Int) {
    guard let source = SourceRecorder(announcement, queue: queue, anchor: clock.anchor(), tell: tell) else { return }
    sources[Key(shard: shard, number: announcement.number)] = source
  }

  private func take(from ring: RecordingRing, shard: Int) -> Int {
    ring.drain(limit: Self.maximumEntries) { entry, payload in
      let key = Key(shard: shard, number: entry.source)
      guard let source = sources[key] else { return }
      switch entry.kind {
      case .packet: source.receive(entry, payload)
      case .report: source.receive(report: entry)
      case .ended:
        source.end(at: clock.wall())
        sources[key] = nil
      case .padding: break
      }
    }
  }

  /// A ring that was full has lost packets of whoever sent then.
  private func noteDropped(at now: UTCTime) {
    let dropped = rings.reduce(0) { $0 + $1.ring.dropped }
    guard dropped > droppedBefore else { return }
    droppedBefore = dropped
    for source in sources.values { source.noteOverload(at: now) }
  }

  /// Sources whose end did not come through, because the ring was full then.
  private func endQuiet(at now: UTCTime) {
    for (key, source) in sources where source.isQuiet(at: now) {
      source.end(at: now)
      sources[key] = nil
    }
  }

  private func count() {
    var total = RecorderStatistics()
    total.sources = sources.count
    total.packetsDropped = droppedBefore
    counted.withLock { counted in
      total.packets = counted.packets
      total.fragments = counted.fragments
      total.bytes = counted.bytes
      total.fragmentsDropped = counted.fragmentsDropped
      for source in sources.values { source.moveCounts(into: &total) }
      counted = total
    }
  }
}
