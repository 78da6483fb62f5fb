import ArgumentParser
import ControlRoom

/// How much room recordings may take.
struct ArchiveSpaceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Room that recordings may take: bytes (K, M, G or T behind them) or a part of the disk, such as 80%.",
      discussion: "Alarms are raised at 80, 90 and 95 % of it; nothing is refused. The whole disk if none is given.",
      valueName: "bytes|percent"))
  var archiveQuota: String?

  func quota() throws -> ArchiveSpace.Quota? {
    guard let archiveQuota else { return nil }
    guard let quota = ArchiveSpace.Quota(archiveQuota) else {
      throw ValidationError("--archive-quota is a number of bytes such as 500G, or a percentage such as 80%.")
    }
    return quota
  }
}
