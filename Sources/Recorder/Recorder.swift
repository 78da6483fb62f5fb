import Archive
import Foundation
import Incidents
import Primitives
import Relay

/// Records every source of a node: rings in, archives out.
///
/// Two threads: one assembles frames and fragments out of packets, one writes. Neither is ever waited for by a call
/// (DESIGN decision 7); what they cannot take becomes a marked gap.
package final class Recorder: RecordingSink {
  private let disk: DiskThread
  private let intake: IntakeThread
  private let clock: RecorderClock

  /// - Parameters:
  ///   - tell: Hears of everything that people should know; on the recorder's threads, so it must hand over and return.
  package init(
    _ configuration: RecorderConfiguration, keys: any SealingKeys, journal: any JournalSource,
    disk: any ArchiveDisk = SystemDisk(), clock: RecorderClock = .system,
    tell: @escaping @Sendable (RecorderEvent) -> Void
  ) {
    self.clock = clock
    let opener = ArchiveOpener(disk: disk, journal: journal, configuration: configuration)
    self.disk = DiskThread(opener: opener, keys: keys, clock: clock, tell: tell)
    intake = IntakeThread(queue: self.disk.queue, clock: clock, tell: tell)
  }

  /// Starts the threads; call it once.
  package func start() {
    disk.start()
    intake.start()
  }

  /// Writes all that has come, seals every open archive and ends the threads; blocks until then.
  ///
  /// Media threads must have stopped.
  package func stop() {
    intake.stop()
    disk.stop()
  }

  package func attach(_ ring: HandoverRing, shard: Int, requestKeyframe: @escaping RecordedKeyframeRequest) {
    intake.attach(MediaThread(shard: shard, ring: ring, requestKeyframe: requestKeyframe))
  }

  package func announce(_ source: SourceAnnouncement, shard: Int) { intake.announce(source, shard: shard) }

  package func withdraw(_ source: UInt32, shard: Int) { intake.withdraw(SourceKey(shard: shard, number: source)) }

  /// The incident's journal has grown, or the incident is over; of no effect while nothing of it is recorded.
  package func note(_ incident: IncidentID, isClosed: Bool) {
    _ = disk.queue.submit(ArchiveJob(incident, .journal(isClosed: isClosed)))
  }

  /// Writes a whole file into an incident's archive; false when the recorder takes nothing.
  package func write(_ file: FileBytes, of incident: IncidentID) -> Bool {
    disk.queue.submit(ArchiveJob(incident, .file(file)))
  }

  package var statistics: RecorderStatistics {
    var statistics = intake.statistics
    statistics.bytesWaiting = disk.queue.waiting
    return statistics
  }
}

/// What the recorder counts.
package struct RecorderStatistics: Hashable, Sendable {
  /// Sources that are being recorded.
  package var sources = 0
  package var packets = 0
  package var fragments = 0
  package var bytes = 0
  /// Packets that found no room in a ring.
  package var packetsDropped = 0
  /// Fragments that found no room on their way to the disk.
  package var fragmentsDropped = 0
  /// Bytes on their way to the disk.
  package var bytesWaiting = 0
}
