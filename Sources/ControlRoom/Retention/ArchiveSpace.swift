import Archive
import Dispatch
import Foundation
import Incidents
import JSON
import Primitives
import Synchronization

/// How much room recordings take, and alarms before there is none left.
///
/// Nothing is refused here: recording goes on until the disk says no, and the quota says when somebody has to act.
package final class ArchiveSpace: Sendable {
  /// How much recordings may take.
  package enum Quota: Hashable, Sendable {
    case bytes(Int)
    /// Of the disk.
    case percent(Int)

    /// Parses bytes, with `K`, `M`, `G` or `T` for powers of 1,024, or a percentage such as `80%`.
    package init?(_ text: String) {
      if text.hasSuffix("%") {
        guard let percent = Int(text.dropLast()), (1...100).contains(percent) else { return nil }
        self = .percent(percent)
        return
      }
      let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
      let shift = text.last.flatMap { shifts[$0] }
      guard let number = Int(shift == nil ? text[...] : text.dropLast()), number > 0,
        number <= Int.max >> (shift ?? 0)
      else { return nil }
      self = .bytes(number << (shift ?? 0))
    }
  }

  /// What was measured last, in bytes.
  package struct Reading: Hashable, Sendable {
    package var archive = 0
    /// What recordings may take; that of the whole disk when nothing was said.
    package var quota = 0
    package var diskFree = 0
    package var diskCapacity = 0

    /// Per cent of the quota or of the disk, whichever is fuller.
    package var fullness: Int {
      let used = quota > 0 ? Double(archive) / Double(quota) : 0
      let disk = diskCapacity > 0 ? 1 - Double(diskFree) / Double(diskCapacity) : 0
      return Int((max(used, disk) * 100).rounded(.down))
    }

    package var json: JSONValue {
      [
        "archive": .integer(archive), "quota": .integer(quota), "diskFree": .integer(diskFree),
        "diskCapacity": .integer(diskCapacity),
      ]
    }
  }

  fileprivate struct State {
    var sizes: [ArchiveFolders.Folder: Int] = [:]
    var reading = Reading()
    /// The highest of ``levels`` that was reached since room was made last; 0 for none.
    var level = 0
  }

  private let state = Mutex(State())
  private let room: ControlRoom
  private let catalog: CatalogDesk
  private let folders: ArchiveFolders
  private let quota: Quota?
  private let queue = DispatchQueue(label: "sightline.archive-space")
  /// Bytes free and in all on the disk of a folder; tests put their own in.
  private let disk: @Sendable (_ path: String) -> (free: Int, capacity: Int)

  /// Per cent at which an alarm is raised.
  package static let levels = [80, 90, 95]
  /// Below it an alarm is over, so that it does not come and go.
  package static let recoveryLevel = 75
  /// After this a folder does not grow any more; late uploads come within it.
  private static let settlingTime = TimeInterval64.seconds(86_400)

  package init(
    room: ControlRoom, catalog: CatalogDesk, folders: ArchiveFolders, quota: Quota?,
    disk: @escaping @Sendable (_ path: String) -> (free: Int, capacity: Int) = ArchiveSpace.systemDisk
  ) {
    self.room = room
    self.catalog = catalog
    self.folders = folders
    self.quota = quota
    self.disk = disk
  }

  package var reading: Reading { state.withLock { $0.reading } }

  /// Measures what may have changed since the last time, or everything, and raises an alarm if it is due.
  package func measure(all: Bool = false) async {
    let now = room.clock.wall()
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        walk(all: all, now)
        continuation.resume()
      }
    }
    guard let alarm = state.withLock({ $0.takeAlarm() }) else { return }
    // The store may be what is full: the gauges tell it as well.
    _ = try? await room.audit.record(.recording, alarm, by: .system)
  }

  /// Has an incident measured anew next time.
  package func forget(_ incident: IncidentID) {
    state.withLock { state in
      for folder in state.sizes.keys where folder.incident == incident { state.sizes[folder] = nil }
    }
  }

  private func walk(all: Bool, _ now: UTCTime) {
    let known = state.withLock { all ? [:] : $0.sizes }
    var sizes: [ArchiveFolders.Folder: Int] = [:]
    for folder in folders.all() {
      if let size = known[folder], !mayGrow(folder.incident, now) {
        sizes[folder] = size
      } else {
        sizes[folder] = folders.size(of: folder)
      }
    }
    let (free, capacity) = disk(folders.path)
    let quota =
      switch quota {
      case .bytes(let bytes): bytes
      case .percent(let percent): capacity / 100 * percent
      case nil: capacity
      }
    state.withLock { state in
      state.sizes = sizes
      state.reading = Reading(
        archive: sizes.values.reduce(0, +), quota: quota, diskFree: free, diskCapacity: capacity)
    }
  }

  private func mayGrow(_ incident: IncidentID, _ now: UTCTime) -> Bool {
    guard let entry = catalog.entry(incident), entry.state.isClosed, let end = entry.endedAt else { return true }
    return entry.recording == .running || now - end < Self.settlingTime
  }

  /// The disk that holds a folder, or the nearest one above it that is there.
  package static let systemDisk: @Sendable (_ path: String) -> (free: Int, capacity: Int) = { path in
    var values = statvfs()
    var url = URL(fileURLWithPath: path)
    while statvfs(url.path, &values) != 0, url.path != "/" { url.deleteLastPathComponent() }
    let block = Int(values.f_frsize)
    return (Int(values.f_bavail) * block, Int(values.f_blocks) * block)
  }
}

extension ArchiveSpace.State {
  /// The alarm that is due, as the payload of a `media.recording` event.
  fileprivate mutating func takeAlarm() -> JSONValue? {
    let fullness = reading.fullness
    let reached = ArchiveSpace.levels.last { fullness >= $0 } ?? 0
    if reached > level {
      level = reached
      return [
        "state": "alarm",
        "detail": .string(
          "Recordings have filled \(fullness) % of their room: \(reading.archive >> 20) of \(reading.quota >> 20) MiB, "
            + "\(reading.diskFree >> 20) MiB free on the disk. Delete or move some, or make more room."),
      ]
    }
    guard level > 0, fullness < ArchiveSpace.recoveryLevel else { return nil }
    level = 0
    return ["state": "recovered", "detail": .string("Recordings fill \(fullness) % of their room.")]
  }
}
