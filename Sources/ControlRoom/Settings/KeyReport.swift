import Cryptography
import JSON
import Primitives

/// The node's keys as an admin may see them: public halves and fingerprints, and where the secret ones lie.
package struct KeyReport: Sendable {
  /// A key that seals archives, or did.
  package struct ArchiveKey: Hashable, Sendable {
    package let key: Ed25519PublicKey
    package let since: UTCTime
    /// Nil for the one in use.
    package let until: UTCTime?

    package init(key: Ed25519PublicKey, since: UTCTime, until: UTCTime?) {
      self.key = key
      self.since = since
      self.until = until
    }
  }

  /// A file or folder that has to be in a backup, by its name in the data folder.
  package struct Backup: Hashable, Sendable {
    package let name: String
    /// What is lost without it.
    package let use: String
    package let exists: Bool

    package init(name: String, use: String, exists: Bool) {
      self.name = name
      self.use = use
      self.exists = exists
    }
  }

  /// The key that signs links, by its thumbprint (RFC 7638).
  package let linkKey: String
  /// The one in use last; none where nothing was ever recorded.
  package let archiveKeys: [ArchiveKey]
  /// Whether new archives are encrypted.
  package let encryptsArchives: Bool
  package let backups: [Backup]

  package init(linkKey: String, archiveKeys: [ArchiveKey], encryptsArchives: Bool, backups: [Backup]) {
    self.linkKey = linkKey
    self.archiveKeys = archiveKeys
    self.encryptsArchives = encryptsArchives
    self.backups = backups
  }

  package var json: JSONValue {
    [
      "linkKey": .string(linkKey), "encryptsArchives": .bool(encryptsArchives),
      "archiveKeys": .array(
        archiveKeys.map { entry in
          .members([
            "key": .string(Hex.encode(entry.key.bytes)), "since": .string(entry.since.description),
            "until": entry.until.map { .string($0.description) },
          ])
        }),
      "backups": .array(
        backups.map { ["name": .string($0.name), "use": .string($0.use), "exists": .bool($0.exists)] }),
    ]
  }
}

/// What an admin works with, beside accounts.
package struct AdministrationDesks: Sendable {
  package let settings: SettingsDesk
  package let health: HealthDesk
  /// Reads the keys as they are when somebody asks.
  package let keys: @Sendable () -> KeyReport

  package init(settings: SettingsDesk, health: HealthDesk, keys: @escaping @Sendable () -> KeyReport) {
    self.settings = settings
    self.health = health
    self.keys = keys
  }
}
