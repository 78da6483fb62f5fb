import ControlRoom
import Recorder

/// The desks that have to do with recordings.
package struct ArchiveDesks: Sendable {
  package let replays: ReplayDesk
  package let exports: ExportDesk
  package let stills: StillDesk
  package let keeping: ArchiveKeeping
  let wall: WallDesk
  /// Nil where nothing is recorded.
  package let late: LateMediaDesk?
  /// What the recorder counts; nil where nothing is recorded.
  let recorder: (@Sendable () -> RecorderStatistics)?

  package init(
    replays: ReplayDesk, exports: ExportDesk, stills: StillDesk, keeping: ArchiveKeeping, late: LateMediaDesk? = nil,
    recorder: (@Sendable () -> RecorderStatistics)? = nil
  ) {
    self.replays = replays
    wall = WallDesk(replays: replays)
    self.exports = exports
    self.stills = stills
    self.keeping = keeping
    self.late = late
    self.recorder = recorder
  }
}
