import Archive
import Cryptography
import Incidents
import Primitives

/// How a node records.
package struct RecorderConfiguration: Sendable {
  /// The folder of archives, one folder in it an incident.
  package var folder: String
  package var agency: String
  /// Time between two signatures.
  package var sealInterval: TimeInterval64
  /// How long an archive stays open after its last stream has ended, should the caller come back.
  package var lingering: TimeInterval64

  /// Seals the keys that new archives are encrypted with; nil leaves them in the clear.
  package var encryptionKey: EnvelopeKey?

  package init(
    folder: String, agency: String, sealInterval: TimeInterval64 = .seconds(60),
    lingering: TimeInterval64 = .seconds(30), encryptionKey: EnvelopeKey? = nil
  ) {
    self.folder = folder
    self.agency = agency
    self.sealInterval = sealInterval
    self.lingering = lingering
    self.encryptionKey = encryptionKey
  }
}

/// Where archives get the copy of their incident's journal from.
package protocol JournalSource: Sendable {
  /// Events after `number`, in order, at most `limit`; blocks.
  func events(of incident: IncidentID, after number: Int, limit: Int) throws -> [JournalEvent]
}

/// Who signs: asked anew for each seal, so that a rotated key counts from the next one on.
package protocol SealingKeys: Sendable {
  func current() throws -> Ed25519PrivateKey
}

/// What the recorder has to say of an incident; told on its threads, and must be handed over.
package enum RecorderEvent: Hashable, Sendable {
  case started(IncidentID)
  /// Something of the recording is lost or at risk.
  case alarm(IncidentID, track: String?, String)
  /// A crash left the archive open; it was made whole and sealed.
  case recovered(IncidentID)
  case sealed(IncidentID)
}
