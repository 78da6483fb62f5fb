import JSON
import Primitives

/// Something about the node that somebody should look at.
package struct Alarm: Hashable, Sendable {
  package enum Level: String, Hashable, Sendable, Comparable, CaseIterable {
    /// Calls or evidence are being lost, or are about to be.
    case urgent
    /// It will become urgent if nobody does anything.
    case attention
    /// The node would be better off.
    case advice

    package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  /// Which: one of a fixed set of names.
  package let id: String
  package let level: Level
  /// What is wrong, in a few words.
  package let title: String
  /// The figures.
  package let detail: String
  /// What to do about it.
  package let remedy: String
  /// Since when, where that is known; else it counts from when it was noticed.
  package let since: UTCTime?

  package init(
    _ id: String, _ level: Level, _ title: String, detail: String, remedy: String, since: UTCTime? = nil
  ) {
    self.id = id
    self.level = level
    self.title = title
    self.detail = detail
    self.remedy = remedy
    self.since = since
  }
}

/// The alarms of a node as they come and go; sans-IO.
package struct AlarmList: Sendable {
  /// An alarm with its times.
  package struct Entry: Hashable, Sendable {
    package let alarm: Alarm
    package let since: UTCTime
    /// Nil while it lasts.
    package var until: UTCTime?

    package var json: JSONValue {
      .members([
        "id": .string(alarm.id), "level": .string(alarm.level.rawValue), "title": .string(alarm.title),
        "detail": .string(alarm.detail), "remedy": .string(alarm.remedy), "since": .string(since.description),
        "until": until.map { .string($0.description) },
      ])
    }
  }

  /// What lasts: the worst first, then the oldest.
  package private(set) var present: [Entry] = []
  /// What is over, latest first; advice that was followed is not kept.
  package private(set) var past: [Entry] = []

  package static let maximumPast = 50

  package init() {}

  /// Takes in what is wrong now.
  package mutating func take(_ alarms: [Alarm], at now: UTCTime) {
    let known = Dictionary(present.map { ($0.alarm.id, $0) }, uniquingKeysWith: { first, _ in first })
    let ids = Set(alarms.map(\.id))
    for var entry in present where !ids.contains(entry.alarm.id) && entry.alarm.level != .advice {
      entry.until = now
      past.insert(entry, at: 0)
    }
    past = Array(past.prefix(Self.maximumPast))
    present = alarms.map { Entry(alarm: $0, since: known[$0.id]?.since ?? $0.since ?? now) }
      .sorted { ($0.alarm.level, $0.since, $0.alarm.id) < ($1.alarm.level, $1.since, $1.alarm.id) }
  }
}
