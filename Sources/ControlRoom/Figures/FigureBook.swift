import Incidents
import JSON
import Primitives

/// Figures of the last month, hour by hour: a fold of journals that forgets the incidents themselves.
///
/// Events of one incident come in their order; those of several may come in any. An incident is followed until it is over
/// and its recording sealed; what happens to it later, a reopening for one, changes no figure.
package struct FigureBook: Sendable {
  struct Key: Hashable, Sendable {
    let agency: String
    let isExercise: Bool
    /// Since 1970.
    let hour: Int
  }

  private(set) var hours: [Key: FigureHour] = [:]
  private(set) var followed: [IncidentID: FigureProgress] = [:]
  /// The newest hour that was seen.
  private var newest = 0

  /// Hours that are kept: a month.
  package static let horizon = 31 * 24
  /// Hours of all agencies together; beyond it the oldest go.
  static let maximumHours = 16 * horizon
  /// Incidents that are followed at a time; further ones are not counted.
  static let maximumFollowed = 65_536

  package init() {}

  /// How many incidents are followed.
  package var followedCount: Int { followed.count }

  /// Takes in the next event of an incident.
  package mutating func take(_ event: JournalEvent) {
    if event.kind == EventKind.opened.rawValue { begin(event) }
    guard var progress = followed[event.incident], event.number > progress.number else { return }
    progress.number = event.number
    progress.take(event) { key, change in
      var hour = hours[key] ?? FigureHour()
      change(&hour)
      hours[key] = hour
    }
    followed[event.incident] = progress.isFinished ? nil : progress
  }

  private mutating func begin(_ event: JournalEvent) {
    guard followed[event.incident] == nil, event.number == 1, followed.count < Self.maximumFollowed,
      let agency = event.payload["agency"]?.string
    else { return }
    let hour = event.time.hour
    if hour > newest { turn(to: hour) }
    guard hour > newest - Self.horizon else { return }
    followed[event.incident] = FigureProgress(
      agency: agency, isExercise: event.payload["exercise"]?.bool ?? false, openedAt: event.time)
  }

  /// Forgets what is older than a month.
  private mutating func turn(to hour: Int) {
    newest = hour
    let oldest = hour - Self.horizon
    hours = hours.filter { $0.key.hour > oldest }
    followed = followed.filter { !$0.value.isClosed || $0.value.openedAt.hour > oldest }
    guard hours.count > Self.maximumHours else { return }
    for key in hours.keys.sorted(by: { $0.hour < $1.hour }).prefix(hours.count - Self.maximumHours) { hours[key] = nil }
  }

  /// What is known of an agency's hours in `range`, with what goes on at `now`.
  package func report(agency: String, isExercise: Bool, hours range: Range<Int>, now: UTCTime) -> FigureReport {
    var report = FigureReport(range: range)
    for (key, hour) in hours
    where key.agency == agency && key.isExercise == isExercise && range.contains(key.hour) {
      report.add(hour, at: key.hour)
    }
    for progress in followed.values where progress.agency == agency && progress.isExercise == isExercise {
      guard !progress.isClosed else { continue }
      report.openNow += 1
      report.waitingNow += progress.isAnswered ? 0 : 1
      report.liveNow += progress.liveCount
      report.watchingNow += progress.watchingCount
      for (key, change) in progress.ongoing(until: now) where range.contains(key.hour) {
        var hour = FigureHour()
        change(&hour)
        report.add(hour, at: key.hour)
      }
    }
    return report
  }
}

extension UTCTime {
  /// Whole hours since 1970.
  package var hour: Int { Int(seconds >= 0 ? seconds / 3_600 : (seconds - 3_599) / 3_600) }
}
