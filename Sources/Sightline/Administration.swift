import ControlRoom
import Foundation
import Gateway
import MediaServer
import Recorder

/// What an admin of a node works with: settings, health, keys.
enum Administration {
  /// Names of what has to be in a backup, and what is lost without it.
  private static let backups: [(name: String, use: String)] = [
    ("sightline.sqlite", "Accounts, settings, the journal of every incident."),
    ("archive", "All recordings."),
    ("files", "What people uploaded, and snapshots."),
    ("archive-keys", "Seals archives. Without it new seals are by another key; what was sealed stays provable."),
    ("archive-encryption-key", "Opens encrypted archives. Without it nobody can ever see them again."),
    ("secret-box-key", "Seals second factors. Without it everybody sets theirs up again."),
    ("token-signing-key", "Signs links. Without it links that were sent open nothing."),
  ]

  static func desks(
    _ options: NodeOptions, data: URL, room: ControlRoom, settings: SettingsDesk, sources: HealthSources,
    authority: TokenAuthority
  ) -> AdministrationDesks {
    let encrypts = options.encryptArchives
    return AdministrationDesks(settings: settings, health: HealthDesk(room: room, sources: sources)) {
      let archiveKeys = (try? ArchiveKeyring(reading: data))?.entries ?? []
      return KeyReport(
        linkKey: authority.keyID,
        archiveKeys: archiveKeys.map { KeyReport.ArchiveKey(key: $0.key, since: $0.since, until: $0.until) },
        encryptsArchives: encrypts,
        backups: backups.map { name, use in
          let path = data.appendingPathComponent(name).path
          return KeyReport.Backup(name: name, use: use, exists: FileManager.default.fileExists(atPath: path))
        })
    }
  }
}
