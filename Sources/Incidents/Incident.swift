import JSON
import Primitives

/// One incident as its journal tells it: the fold of its events, and nothing else.
///
/// ``decide(_:payload:by:clientID:at:)`` turns a wish into events or refuses it; ``apply(_:)`` takes an event in. Media
/// is derived from this elsewhere; here nothing knows of it.
package struct Incident: Hashable, Sendable {
  package let id: IncidentID
  package internal(set) var agency: String
  package internal(set) var state: IncidentState
  package internal(set) var priority: Priority
  package internal(set) var type: String?
  package internal(set) var place: Place?
  package internal(set) var isExercise: Bool
  package internal(set) var origin: String
  package internal(set) var openedAt: UTCTime
  package internal(set) var openedBy: Actor
  package internal(set) var changedAt: UTCTime
  /// When an operator took it first.
  package internal(set) var answeredAt: UTCTime?
  package internal(set) var endedAt: UTCTime?
  package internal(set) var outcome: Outcome?
  /// Where it goes on, when it is merged.
  package internal(set) var mergedInto: IncidentID?
  /// How far each caller was when it was merged, by id: what the other incident goes on from.
  var stagesAtMerge: [String: CallerStage] = [:]
  /// What became part of it.
  package internal(set) var absorbed: [IncidentID] = []
  package internal(set) var suggestions: [MergeSuggestion] = []
  /// In order of arrival.
  package internal(set) var callers: [Caller] = []
  package internal(set) var assignments: [Assignment] = []
  package internal(set) var units: [UnitOnIncident] = []
  package internal(set) var links: [LinkSummary] = []
  package internal(set) var triage: [String: String] = [:]
  package internal(set) var files: [FileSummary] = []
  /// Whether somebody has said that nothing of it may be deleted.
  package internal(set) var isHeld = false
  /// Number of the last event.
  package internal(set) var number: Int
  /// Hash of the last event, 32 bytes.
  package internal(set) var hash: [UInt8]

  /// Bounds; what exceeds them is refused with ``IncidentError/Code/full``.
  package static let maximumCallers = 64
  package static let maximumAssignments = 256
  package static let maximumUnits = 256
  package static let maximumLinks = 512
  package static let maximumFiles = 2_048
  package static let maximumTriageFields = 256
  package static let maximumSuggestions = 64
  /// Callers after merges, which are not refused for want of room; callers beyond it are in the journal only.
  package static let maximumCallersAfterMerges = 1_024
  /// Incidents that one was merged with.
  package static let maximumAbsorbed = 256
  /// Fixes of one caller kept at hand; all are in the journal.
  ///
  /// Each accepted event shares its state with whoever is shown it, so that the next fix copies the track: four minutes at
  /// a fix a second are enough for judging and for maps, and cost a quarter of what 1,024 would.
  package static let maximumTrack = 256
  /// Stages of one caller kept at hand.
  static let maximumStages = 128
}

/// Where an incident is, as staff see it.
package struct Place: Hashable, Sendable {
  package var latitude: Double?
  package var longitude: Double?
  /// Metres.
  package var radius: Double?
  package var text: String?

  package init(latitude: Double? = nil, longitude: Double? = nil, radius: Double? = nil, text: String? = nil) {
    self.latitude = latitude
    self.longitude = longitude
    self.radius = radius
    self.text = text
  }
}

/// A caller of an incident.
package struct Caller: Hashable, Sendable {
  package let id: String
  package var name: String?
  /// E.164.
  package var phone: String?
  package var stage: CallerStage
  package var failure: CallerFailure?
  /// Every stage reached, with its time, in order.
  package var stages: [StageStamp]
  /// The incident that they called, when it was merged into this one.
  package var cameWith: IncidentID?
  /// Sorted by arrival; at most ``Incident/maximumTrack``.
  package var track: [LocationFix] = []

  package struct StageStamp: Hashable, Sendable {
    package let stage: CallerStage
    package let at: UTCTime
  }
}

/// Somebody of the staff who works on an incident.
package struct Assignment: Hashable, Sendable {
  package let account: String
  package let role: Role
  package let name: String
  package let since: UTCTime
  package var until: UTCTime?
}

/// A unit that was sent.
package struct UnitOnIncident: Hashable, Sendable {
  package let unit: String
  package var name: String?
  package var service: String?
  package var status: UnitStatus
  package let since: UTCTime
  package var statusSince: UTCTime
  package var stoodDownAt: UTCTime?
  package var latitude: Double?
  package var longitude: Double?
  package var locatedAt: UTCTime?
  package var eta: UTCTime?
}

/// A link as the incident knows it; its secret is nowhere in the journal.
package struct LinkSummary: Hashable, Sendable {
  package let id: String
  package let role: Role
  package var name: String?
  package let expires: UTCTime
  package var delivery: String?
  package var revokedAt: UTCTime?
}

/// A file as the incident knows it.
package struct FileSummary: Hashable, Sendable {
  package let id: String
  package let name: String
  package let type: String
  package let size: Int
  package let sha256: String
  package let purpose: String
  package let visibility: ChatChannel
}

/// Two incidents that may be one event.
package struct MergeSuggestion: Hashable, Sendable {
  package let other: IncidentID
  package let metres: Double
  package let seconds: Double
}
