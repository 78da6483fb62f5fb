/// Where an incident stands (DOMAIN, "Incident").
package enum IncidentState: String, Hashable, Sendable, CaseIterable {
  case new
  /// Waits for an operator.
  case queued
  /// An operator works on it.
  case active
  /// Handed on; somebody keeps an eye on it.
  case monitored
  case ended
  /// Ended once, and in work again.
  case reopened
  /// It was another incident all along, which goes on under the other's number.
  case merged
  case cancelled

  /// Whether nothing goes on in it any more: no media, no links, no new events but those that look back.
  package var isClosed: Bool {
    switch self {
    case .new, .queued, .active, .monitored, .reopened: false
    case .ended, .merged, .cancelled: true
    }
  }
}

/// How urgent an incident is; given by staff, never by what a caller's client sends.
package enum Priority: String, Hashable, Sendable, CaseIterable, Comparable {
  /// Life at risk now.
  case p1 = "P1"
  case p2 = "P2"
  case p3 = "P3"
  case p4 = "P4"

  package static func < (left: Priority, right: Priority) -> Bool { left.rawValue < right.rawValue }
}

/// How an incident ended.
package enum Outcome: String, Hashable, Sendable, CaseIterable {
  case handled
  /// Attached to another incident.
  case attached
  case callerAdvised
  case noEmergency
  case hoax
  case accidental
  case abandoned
}

/// Where a unit stands in its work on an incident.
package enum UnitStatus: String, Hashable, Sendable, CaseIterable {
  case assigned
  case acknowledged
  case enroute
  case onscene
  case transporting
  case atHospital
  case available
}

/// Where a caller's video session stands (DOMAIN, "A caller's video session, stage by stage").
package enum CallerStage: String, Hashable, Sendable, CaseIterable {
  case requested
  case linkSent
  case opened
  case locationOK
  case cameraOK
  case connecting
  case live
  case paused
  case ended
  case declined
  case expired
  case failed
}

/// Why a caller's session failed or was declined.
package enum CallerFailure: String, Hashable, Sendable, CaseIterable {
  case linkNotReceived
  case noSmartphone
  case noData
  case permissionDenied
  case browserUnsupported
  case connectionFailed
  case refusedCaller
  case refusedPatient
  case crewArrived
}

/// What the operator asks of a caller's page.
package enum CallerCommand: String, Hashable, Sendable, CaseIterable {
  case switchCamera
  /// Argument: true or false.
  case torch
  /// Argument: `low`, `medium` or `high`.
  case quality
  case stillPhoto
  /// Argument: true or false.
  case mute
  /// Argument: the text to show; an empty one takes it away.
  case guidance
  /// Argument: the identifier of an uploaded picture or clip to show.
  case showFile
  case shareScreen
  case requestLocation
  case stop
}
