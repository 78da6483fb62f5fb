/// Something that a role may or may not do; every route, message kind and media subscription names the one it needs.
package enum Action: String, Hashable, Sendable, CaseIterable {
  // The incident
  /// Learn that incidents exist, with their headline.
  case list
  /// Follow an incident: its state, its events as far as the role's audience sees them.
  case follow
  case open
  /// Priority, type and place.
  case classify
  /// Queue, take, monitor, end, reopen, cancel.
  case progress
  case merge
  /// Give work to operators, desks and units, and stand units down.
  case assign
  /// Put oneself on an incident as a responder.
  case subscribe
  // What people say and report
  case chat
  case note
  case triage
  /// Report where the caller is.
  case locate
  /// Report one's own unit's status and place.
  case reportUnit
  /// Report the stages of one's own video session, the device's state and answers to commands.
  case reportCaller
  /// Steer the caller's page.
  case command
  case upload
  case download
  // Media
  case watch
  /// Send pictures and sound of one's own into the incident.
  case publish
  /// Take the blur off a picture.
  case reveal
  case snapshot
  // Links
  /// Send a caller a link.
  case inviteCaller
  /// Let a guest or device in by link.
  case share
  case revokeLink
  // Training
  /// Have simulated callers call in an exercise.
  case train
  // Interchange
  /// Read EIDO, PIDF-LO, CAP and CoT.
  case export
  /// Post locations on behalf of the network (AML).
  case reportNetworkLocation
  // After the call
  case replay
  case requestExport
  case approveExport
  /// Keep an incident's recordings from being deleted when their time is over, and let them go again.
  case hold
  case audit
  // The service
  case manageAccounts
  case manageSettings
  case seeHealth
}
