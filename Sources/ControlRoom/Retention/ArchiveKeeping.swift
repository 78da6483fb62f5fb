import Archive
import Cryptography
import Foundation
import Primitives

/// What looks after recordings once they are made: the catalogue, retention, the room that they take, and the
/// figures.
package final class ArchiveKeeping: Sendable {
  package let catalog: CatalogDesk
  package let retention: RetentionDesk
  package let space: ArchiveSpace
  package let figures: FigureDesk

  /// How often room is measured, and how many measurements lie between two sweeps: a day.
  private static let interval = Duration.seconds(60)
  private static let sweepEvery = 24 * 60

  /// - Parameters:
  ///   - archive: `DATA/archive`.
  ///   - signingKey: Reads the key that the node seals archives with.
  package init(
    room: ControlRoom, archive: URL, quota: ArchiveSpace.Quota? = nil,
    signingKey: @escaping @Sendable () throws -> Ed25519PrivateKey
  ) {
    let folders = ArchiveFolders(root: archive)
    catalog = CatalogDesk(room: room)
    retention = RetentionDesk(room: room, catalog: catalog, folders: folders, signingKey: signingKey)
    figures = FigureDesk(room: room, catalog: catalog)
    space = ArchiveSpace(room: room, catalog: catalog, folders: folders, quota: quota)
  }

  /// Keeps everything until cancelled; ``stop()`` afterwards.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.catalog.run() }
      group.addTask { await self.keep() }
      group.addTask { await self.figures.run() }
    }
  }

  /// Writes what is left to write; call it before the control room stops.
  package func stop() async {
    await catalog.stop()
  }

  private func keep() async {
    var round = 0
    while !Task.isCancelled {
      if round % Self.sweepEvery == 0 { await sweep() }
      await space.measure(all: round % Self.sweepEvery == 0)
      round += 1
      try? await Task.sleep(for: Self.interval)
    }
  }

  /// The daily sweep waits for the catalogue: what is not in it is not looked at.
  private func sweep() async {
    while !Task.isCancelled, !catalog.isCaughtUp { try? await Task.sleep(for: .seconds(1)) }
    guard let report = try? await retention.sweep() else { return }
    for item in report.items { space.forget(item.incident) }
  }
}
