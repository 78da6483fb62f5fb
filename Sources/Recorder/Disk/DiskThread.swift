import Archive
import CSystemCalls
import Cryptography
import Foundation
import Incidents
import Primitives

/// Writes archives: takes what waits, gathers it by incident, makes it durable, seals what is due.
///
/// A thread of its own, so that a disk that stands still holds up nothing but this. Unchecked: all that changes is used by
/// the thread alone once it runs.
final class DiskThread: @unchecked Sendable {
  let queue = JobQueue()
  private let opener: ArchiveOpener
  private let keys: any SealingKeys
  private let clock: RecorderClock
  private let tell: @Sendable (RecorderEvent) -> Void
  private let ended = DispatchSemaphore(value: 0)
  // Used by the thread alone, once it runs.
  private var archives: [IncidentID: OpenArchive] = [:]
  /// Incidents whose archives cannot be opened, and since when each of their streams is lost.
  private var refused: [IncidentID: [TrackID: UTCTime]] = [:]

  /// Least time between two rounds of making things durable, so that they share their waits for the disk.
  private static let cycle = 0.1
  /// Time after which seals are looked for though nothing was written.
  private static let idleCycle = 1.0
  /// Incidents whose archives could not be opened that are remembered.
  private static let maximumRefused = 10_000

  init(
    opener: ArchiveOpener, keys: any SealingKeys, clock: RecorderClock,
    tell: @escaping @Sendable (RecorderEvent) -> Void
  ) {
    self.opener = opener
    self.keys = keys
    self.clock = clock
    self.tell = tell
  }

  func start() {
    let thread = Thread { [self] in
      RecorderThreads.yieldToCalls()
      sl_name_thread("recorder-disk")
      recover()
      while turn() { Thread.sleep(forTimeInterval: Self.cycle) }
      for archive in archives.values { finish(archive) }
      ended.signal()
    }
    thread.start()
  }

  /// Makes whole and seals what a server left open that died here.
  private func recover() {
    for incident in UnsealedArchives(folder: opener.configuration.folder).find() {
      let now = clock.wall()
      do throws(DiskError) {
        let archive = try opener.open(incident, at: now)
        archive.manifest.add(.note("Recovered: the server ended without sealing; the next start did."), at: now)
        finish(archive, isRecovered: true)
      } catch {
        tell(.alarm(incident, track: nil, error.text))
      }
    }
  }

  /// Writes what waits, seals everything and ends; returns when it has.
  func stop() {
    queue.stop()
    ended.wait()
  }

  /// One round; false when there will be no more.
  private func turn() -> Bool {
    guard let jobs = queue.take(until: Date(timeIntervalSinceNow: Self.idleCycle)) else { return false }
    let now = clock.wall()
    var touched: Set<IncidentID> = []
    for job in jobs {
      guard let archive = archive(for: job, at: now) else { continue }
      archive.take(job.work, at: now)
      touched.insert(job.incident)
    }
    for incident in touched { archives[incident]?.commit(at: now) }
    sealDue(at: now)
    for archive in archives.values { tellAlarms(of: archive) }
    return true
  }

  private func archive(for job: ArchiveJob, at now: UTCTime) -> OpenArchive? {
    if let open = archives[job.incident] { return open }
    switch job.work {
    // These begin an archive, or go on with it.
    case .track, .fragment, .file: break
    case .gap, .clock, .trackEnded, .journal: return nil
    }
    do throws(DiskError) {
      let archive = try opener.open(job.incident, at: now)
      archives[job.incident] = archive
      archive.refusedBefore = refused.removeValue(forKey: job.incident) ?? [:]
      tell(.started(job.incident))
      archive.take(.journal(isClosed: false), at: now)
      return archive
    } catch {
      refuse(job, error)
      return nil
    }
  }

  /// An archive cannot be opened: told once, and the time that is lost becomes a gap as soon as it can.
  private func refuse(_ job: ArchiveJob, _ error: DiskError) {
    let isNews = refused[job.incident] == nil
    if isNews, refused.count < Self.maximumRefused { refused[job.incident] = [:] }
    switch job.work {
    case .file(let file): file.done(.failure(error))
    case .fragment(let fragment):
      let lost = refused[job.incident]?[fragment.track.id]
      if lost == nil { refused[job.incident]?[fragment.track.id] = fragment.start }
    case .track, .gap, .clock, .trackEnded, .journal: break
    }
    if isNews { tell(.alarm(job.incident, track: nil, error.text)) }
  }

  private func sealDue(at now: UTCTime) {
    for archive in archives.values {
      if let idle = archive.idleSince, archive.isClosed || now - idle >= opener.configuration.lingering {
        finish(archive)
      } else if archive.isDirty, now - archive.lastSealAt >= opener.configuration.sealInterval {
        seal(archive, isFinal: false, at: now)
      }
    }
  }

  /// Seals for good and lets go; what cannot be sealed now is sealed by the next start.
  private func finish(_ archive: OpenArchive, isRecovered: Bool = false) {
    let isSealed = seal(archive, isFinal: true, at: clock.wall())
    archive.abandon()
    tellAlarms(of: archive)
    archives[archive.incident] = nil
    guard isSealed else { return }
    tell(isRecovered ? .recovered(archive.incident) : .sealed(archive.incident))
  }

  @discardableResult
  private func seal(_ archive: OpenArchive, isFinal: Bool, at now: UTCTime) -> Bool {
    do {
      return archive.seal(isFinal: isFinal, key: try keys.current(), at: now)
    } catch {
      tell(.alarm(archive.incident, track: nil, "The archive cannot be signed: \(error)"))
      return false
    }
  }

  private func tellAlarms(of archive: OpenArchive) {
    for alarm in archive.takeAlarms() {
      tell(.alarm(archive.incident, track: alarm.track?.value, alarm.text))
    }
  }
}
