import Incidents

/// What is counted of one hour, of one agency, of real incidents or of exercises.
package struct FigureHour: Hashable, Sendable {
  /// How far a caller's session can come, in order (DOMAIN, "A caller's video session").
  package static let stages: [CallerStage] = [
    .requested, .linkSent, .opened, .locationOK, .cameraOK, .connecting, .live,
  ]

  /// Where a session ended without a picture, and why.
  package struct DropOut: Hashable, Sendable {
    /// The furthest stage that it had come to.
    package let after: CallerStage
    /// A ``CallerFailure``, or `declined`, `expired`, `failed`, `ended`, `incidentOver`.
    package let reason: String

    package init(after: CallerStage, reason: String) {
      (self.after, self.reason) = (after, reason)
    }
  }

  /// Incidents that began in this hour.
  package var opened = 0
  /// From the beginning of an incident until somebody took it; of incidents that began in this hour.
  package var answers = SecondsHistogram()
  /// How many sessions that began in this hour came at least as far as each of ``stages``.
  package var reached = [Int](repeating: 0, count: stages.count)
  package var dropOuts: [DropOut: Int] = [:]
  /// From the opened link until the first picture.
  package var openedToLive = SecondsHistogram()
  /// From the link that was sent until the first picture.
  package var sentToLive = SecondsHistogram()
  /// Recordings of incidents that began in this hour: begun, sealed, and alarms.
  package var recorded = 0
  package var sealed = 0
  package var alarms = 0
  /// Incidents that were open, callers that were live and people who watched, at any time of this hour.
  package var openIncidents = 0
  package var liveCallers = 0
  package var viewers = 0

  package init() {}

  package mutating func add(_ other: FigureHour) {
    opened += other.opened
    answers.add(other.answers)
    for index in reached.indices { reached[index] += other.reached[index] }
    dropOuts.merge(other.dropOuts) { $0 + $1 }
    openedToLive.add(other.openedToLive)
    sentToLive.add(other.sentToLive)
    recorded += other.recorded
    sealed += other.sealed
    alarms += other.alarms
    openIncidents += other.openIncidents
    liveCallers += other.liveCallers
    viewers += other.viewers
  }
}
