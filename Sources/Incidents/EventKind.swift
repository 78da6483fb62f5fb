/// Everything that can happen to an incident, by its name in the journal and on the wire.
///
/// ``EventKind/traits`` is the one table that tells durable from ephemeral, who may send a kind, who sees it, and what
/// its payload looks like.
package enum EventKind: String, Hashable, Sendable, CaseIterable {
  // Life cycle
  case opened = "incident.opened"
  case stateChanged = "incident.state"
  case classified = "incident.classified"
  case mergeSuggested = "incident.mergeSuggested"
  case merged = "incident.merged"
  case absorbed = "incident.absorbed"
  // People and units
  case assigned = "assignment.added"
  case unassigned = "assignment.removed"
  case unitAssigned = "unit.assigned"
  case unitStatus = "unit.status"
  case unitLocation = "unit.location"
  case unitStoodDown = "unit.stoodDown"
  case presence
  case speaking
  case typing
  // The caller's session
  case callerAdded = "caller.added"
  case callerStage = "caller.stage"
  case deviceState = "caller.device"
  case location
  case command
  case commandResult = "command.result"
  // Links
  case linkCreated = "link.created"
  case linkSent = "link.sent"
  case linkDelivery = "link.delivery"
  case linkRevoked = "link.revoked"
  // Talk
  case chat
  case chatDelivered = "chat.delivered"
  case chatRead = "chat.read"
  case realTimeText = "text.live"
  case note
  case triage
  // Files and media
  case fileAdded = "file.added"
  case fileRejected = "file.rejected"
  case snapshotTaken = "snapshot.taken"
  case source = "media.source"
  case watching = "media.watching"
  case revealed = "media.revealed"
  case view = "media.view"
  // The archive
  case recording = "media.recording"
  case replayOpened = "replay.opened"
  case exportRequested = "export.requested"
  case exportDecided = "export.decided"
  case exportFinished = "export.finished"
  case retentionHold = "retention.hold"
  case retentionDeleted = "retention.deleted"
  // The service (journal `_audit`)
  case account = "audit.account"
  case signIn = "audit.signIn"
  case settings = "audit.settings"
  case access = "audit.access"
}
